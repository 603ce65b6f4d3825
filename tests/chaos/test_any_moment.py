"""Commands that are stopped, or refused a file, at every step: the exit code, one sentence, and the
same command completes afterwards as if nothing had been.

Steps are what Python tells an audit hook: every file that is opened, renamed, deleted, every folder
that is made, every process that is started. At one of them a real signal arrives, or the call is
refused as a full disk, a read-only one, or one that fails would refuse it. Limits of this process
do what hooks do not see: writes that fail within a file, and too few descriptors.
"""

import contextlib
import errno
import os
import random
import resource
import shutil
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest
from support import planted
from support.commands import rows_of
from support.small_study import STUDY
from support.tally import TALLY

from benchmark import compact, export, job, merge, status
from benchmark.datasets.__main__ import main as datasets
from benchmark.report.__main__ import main as report
from benchmark.speed.growth.machinery import train_nothing
from benchmark.store.store import Store
from search_spaces.__main__ import main as describe
from search_spaces.command.signals import SIGNALS

STEPS = {"open", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.scandir", "os.listdir"}
STEPS |= {"subprocess.Popen", "tempfile.mkstemp", "tempfile.mkdtemp"}
WRITES = {"os.rename", "os.remove", "os.mkdir", "os.rmdir", "tempfile.mkstemp", "tempfile.mkdtemp"}
REFUSED = (errno.ENOSPC, errno.EROFS, errno.EIO, errno.EACCES, errno.EMFILE, errno.EDQUOT)


@dataclass
class Hook:
    """What happens at a step; ``act`` is called at step ``at`` of those counted."""

    act: Callable[[], None] | None = None
    writes: bool = False
    at: int = -1
    seen: int = 0
    below: str = ""
    names: list[str] = field(default_factory=list)

    def __call__(self, event: str, arguments: tuple[object, ...]) -> None:
        if self.act is None or event not in STEPS or not self.counts(event, arguments):
            return
        self.seen += 1
        if self.seen - 1 == self.at:
            self.act()

    def counts(self, event: str, arguments: tuple[object, ...]) -> bool:
        """Steps below the test's folder; of writes, those that change something."""
        if not self.writes:
            return True
        if self.below not in str(arguments[0]):
            return False
        if event == "open":
            flags = arguments[2]
            return isinstance(flags, int) and bool(flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT))
        return event in WRITES


HOOK = Hook()
sys.addaudithook(HOOK)


@contextlib.contextmanager
def at_step(
    at: int, act: Callable[[], None], writes: bool = False, below: str = ""
) -> Iterator[Hook]:
    HOOK.act, HOOK.writes, HOOK.at, HOOK.seen, HOOK.below = act, writes, at, 0, below
    try:
        yield HOOK
    finally:
        HOOK.act = None


@dataclass(frozen=True)
class Command:
    main: Callable[[list[str]], int]
    arguments: tuple[str, ...]


def commands(results: Path, place: Path) -> dict[str, Command]:
    uri, out = str(results), str(place / "out")
    return {
        "status": Command(status.main, (uri,)),
        "compact": Command(compact.main, (uri,)),
        "merge": Command(merge.main, (uri, uri, "--out", out)),
        "export csv": Command(export.main, (uri, "--out", f"{out}.csv")),
        "export parquet": Command(export.main, (uri, "--out", f"{out}.parquet")),
        "datasets": Command(datasets, ("check", "digits")),
        "describe": Command(describe, ("describe", "mlp-3", "--svg", f"{out}.svg")),
        "report": Command(report, (uri, "--out", out)),
        "power": Command(lambda given: job.main(STUDY, given), ("--power", "1000", "--out", out)),
        "dry run": Command(
            lambda given: job.main(STUDY, given, run=train_nothing),
            ("--dry-run", "--out", uri + "x"),
        ),
    }


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Complete results: two units in one file, the rest in a file each."""
    folder = tmp_path_factory.mktemp("template") / "results"
    planted.write(folder, planted.study(seeds=2, parts="updates"))
    whole = Store.open(str(folder))
    rest = sorted(whole.done())[2:]
    kept = {unit_id: (folder / "units" / f"{unit_id}.arrow").read_bytes() for unit_id in rest}
    for unit_id in rest:
        (folder / "units" / f"{unit_id}.arrow").unlink()
    assert compact.main([str(folder)]) == 0
    for unit_id, data in kept.items():
        (folder / "units" / f"{unit_id}.arrow").write_bytes(data)
    return folder


@dataclass
class Place:
    """Fresh copies of the results, and what commands give where nothing disturbs them."""

    template: Path
    root: Path
    rows: list[dict[str, object]]
    count: int = 0

    def fresh(self) -> tuple[Path, Path]:
        """New results, and a new folder beside them for what is written."""
        self.count += 1
        place = self.root / str(self.count)
        shutil.copytree(self.template, place / "results")
        return place / "results", place

    def check_whole(self, results: Path, place: Path) -> None:
        """The results are those there were, nothing was set aside, and no draft lies about."""
        assert rows_of(results) == self.rows
        assert not list((results / "quarantine").iterdir())
        assert not [path for path in place.rglob(".*") if path.suffix in (".tmp", ".partial")]

    def check_completed(self, name: str, results: Path, place: Path) -> None:
        """The same command now does all it should."""
        self.check_whole(results, place)
        if name == "compact":
            assert not list((results / "units").iterdir())
            assert len(list((results / "compacted").iterdir())) == 1
        elif name == "merge":
            assert rows_of(place / "out") == self.rows
        elif name == "export csv":
            assert len((place / "out.csv").read_text().splitlines()) == len(self.rows) + 1


@pytest.fixture
def place(template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    monkeypatch.chdir(tmp_path)
    return Place(template, tmp_path, rows_of(template))


def run(command: Command, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    """The exit code and what was said on standard error."""
    capsys.readouterr()
    code = command.main([*command.arguments])
    return code, capsys.readouterr().err


SLOW = ("report", "power")
NAMES = [name for name in commands(Path(), Path()) if name not in SLOW]
"""The commands that take milliseconds."""


def chosen(steps: int, most: int) -> list[int]:
    """Of so many steps the first, the last, and some at random."""
    between = range(1, max(1, steps - 1))
    some = random.Random(steps).sample(between, min(len(between), most))
    return sorted({0, steps - 1, *some}) if steps else []


def interrupt(
    turn: int,
    interrupting: Callable[[Callable[[], None]], contextlib.AbstractContextManager[object]],
    place: Place,
    name: str,
    capsys: pytest.CaptureFixture[str],
) -> tuple[Path, Path] | None:
    """A signal arrives meanwhile: the code, the sentence, and results as they were.

    None where the command ended before it came.
    """
    number = [*SIGNALS][turn % len(SIGNALS)]
    results, beside = place.fresh()
    sent: list[int] = []

    def send() -> None:
        sent.append(number)
        os.kill(os.getpid(), number)

    with interrupting(send):
        code, said = run(commands(results, beside)[name], capsys)
    if not sent:
        assert code == 0
        return None
    TALLY.fault(f"{SIGNALS[number]} at any moment of a command")
    assert code == 128 + number
    assert said.startswith(f"interrupted by {SIGNALS[number]}: ")
    assert said.count("\n") == 1
    place.check_whole(results, beside)
    return results, beside


@pytest.mark.parametrize("name", NAMES)
def test_a_signal_at_any_step(name: str, place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    for _ in range(2):  # the first time modules are loaded on the way
        results, beside = place.fresh()
        with at_step(-1, lambda: None) as hook:
            assert run(commands(results, beside)[name], capsys)[0] == 0
    for step in chosen(hook.seen, most=4):
        interrupted = interrupt(step, partial(at_step, step), place, name, capsys)
        assert interrupted is not None
        results, beside = interrupted
        assert run(commands(results, beside)[name], capsys)[0] == 0
        place.check_completed(name, results, beside)


@contextlib.contextmanager
def after(seconds: float, act: Callable[[], None]) -> Iterator[None]:
    timer = threading.Timer(seconds, act)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()


# A signal in the middle of an import leaves Python's own file of that module open.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")
@pytest.mark.parametrize("name", SLOW)
def test_a_signal_after_random_seconds(
    name: str, place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    for turn in range(3):
        seconds = random.Random(f"{name}{turn}").uniform(0.05, 0.5)
        while interrupt(turn, partial(after, seconds), place, name, capsys) is None:
            seconds /= 2  # a quick machine was done before


@pytest.mark.parametrize("name", [name for name in NAMES if name not in ("status", "datasets")])
def test_a_step_that_is_refused(
    name: str, place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    results, beside = place.fresh()
    with at_step(-1, lambda: None, writes=True, below=str(beside)) as hook:
        assert run(commands(results, beside)[name], capsys)[0] == 0
    for turn, step in enumerate(chosen(hook.seen, most=6)):
        number = REFUSED[turn % len(REFUSED)]

        def refuse(number: int = number) -> None:
            raise OSError(number, os.strerror(number), "a file")

        results, beside = place.fresh()
        command = commands(results, beside)[name]
        with at_step(step, refuse, writes=True, below=str(beside)):
            code, said = run(command, capsys)
        TALLY.fault("refused file")
        assert code in (0, 2), said
        assert said.count("\n") == (1 if code else 0)
        assert said.startswith("error: ") == (code == 2)
        place.check_whole(results, beside)
        assert run(command, capsys)[0] == 0
        place.check_completed(name, results, beside)


@contextlib.contextmanager
def limited(kind: int, most: int) -> Iterator[None]:
    before = resource.getrlimit(kind)
    resource.setrlimit(kind, (most, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(kind, before)


@pytest.mark.parametrize("most", [0, 100, 3000])
@pytest.mark.parametrize("name", NAMES)
def test_files_that_cannot_grow(
    name: str, most: int, place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    results, beside = place.fresh()
    command = commands(results, beside)[name]
    with limited(resource.RLIMIT_FSIZE, most):
        code, said = run(command, capsys)
    TALLY.fault("full disk")
    assert code in (0, 2), said
    assert said.count("\n") == (1 if code else 0)
    place.check_whole(results, beside)
    assert run(command, capsys)[0] == 0
    place.check_completed(name, results, beside)


@pytest.mark.parametrize("spare", [0, 2, 5])
@pytest.mark.parametrize("name", NAMES)
def test_too_few_descriptors(
    name: str, spare: int, place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    results, beside = place.fresh()
    command = commands(results, beside)[name]
    run(command, capsys)  # loads what it needs
    results, beside = place.fresh()
    command = commands(results, beside)[name]
    highest = max(int(path.name) for path in Path("/proc/self/fd").iterdir())
    with limited(resource.RLIMIT_NOFILE, highest + spare):
        code, said = run(command, capsys)
    TALLY.fault("no descriptor left")
    assert code in (0, 2), said
    assert said.count("\n") == (1 if code else 0)
    place.check_whole(results, beside)
    assert run(command, capsys)[0] == 0
    place.check_completed(name, results, beside)
