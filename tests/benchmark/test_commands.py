"""Both spellings of every command, what lists them, and what a wrong one gets."""

import contextlib
import importlib
import importlib.util
import os
import signal
import subprocess
import sys
import time
import weakref
from collections.abc import Callable
from pathlib import Path

import pytest
from support.commands import environment

from benchmark.__main__ import list_commands, main
from benchmark.command import COMMANDS, entry_point
from search_spaces.command import report_uncaught
from search_spaces.command.signals import SECONDS_BETWEEN, SIGNALS
from search_spaces.command.torch_settings import VARIABLES, try_settings_first
from search_spaces.errors import InvalidInput

FROZEN = {
    "report": "benchmark.report",
    "status": "benchmark.status",
    "export": "benchmark.export",
    "merge": "benchmark.merge",
    "compact": "benchmark.compact",
    "rate": "benchmark.rate",
    "reference": "benchmark.reference",
    "published": "benchmark.published",
    "datasets": "benchmark.datasets",
    "speed": "benchmark.speed",
    "overhead": "benchmark.overhead",
}
"""``python -m benchmark NAME`` and ``python -m MODULE``: people and scripts type both."""


def test_every_command_keeps_both_spellings() -> None:
    assert set(COMMANDS) == set(FROZEN)
    for name, module in FROZEN.items():
        assert COMMANDS[name][0].removesuffix(".__main__") == module
        source = importlib.util.find_spec(COMMANDS[name][0])
        assert source is not None
        assert source.origin is not None
        assert 'if __name__ == "__main__":' in Path(source.origin).read_text()


@pytest.mark.parametrize("name", FROZEN)
def test_both_spellings_run_the_same_command(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    helps = []
    for run in (main, importlib.import_module(COMMANDS[name][0]).main):
        arguments = [name, "--help"] if run is main else ["--help"]
        with pytest.raises(SystemExit) as ended:
            run(arguments)
        assert ended.value.code == 0
        helps.append(capsys.readouterr().out)
    assert helps[0] == helps[1]
    assert f"python -m benchmark.{name}" in helps[0]


def test_without_a_name_the_commands_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    shown = capsys.readouterr().out
    assert shown == list_commands() + "\n"
    for name, (_, purpose) in COMMANDS.items():
        assert any(line.split() == [name, *purpose.split()] for line in shown.splitlines())


def test_a_wrong_name_is_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["stauts"]) == 2
    assert capsys.readouterr().err == (
        "error: there is no command 'stauts'; did you mean status?\n"
    )
    assert main(["qqqq"]) == 2
    assert "use one of report, status," in capsys.readouterr().err


def test_a_command_imports_only_what_it_needs() -> None:
    listing = "import sys; from benchmark.__main__ import main; main([]); print(*sys.modules)"
    shown = subprocess.run(
        [sys.executable, "-c", listing],
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    loaded = set(shown.splitlines()[-1].split())
    assert loaded & {"torch", "ray", "matplotlib", "pyarrow", "numpy"} == set()


@pytest.mark.parametrize(
    ("number", "name"),
    [(signal.SIGINT, "Ctrl-C"), (signal.SIGTERM, "SIGTERM"), (signal.SIGHUP, "SIGHUP")],
)
def test_a_signal_ends_a_command_with_a_sentence_and_its_code(
    number: signal.Signals, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    cleaned = []
    before = signal.getsignal(number)

    @entry_point
    def command() -> int:
        try:
            os.kill(os.getpid(), number)
            return 0
        except KeyboardInterrupt as error:
            error.add_note("two files are written")
            raise
        finally:
            cleaned.append(number)

    assert command() == 128 + number
    assert capsys.readouterr().err == f"interrupted by {name}: two files are written\n"
    assert cleaned == [number]
    assert signal.getsignal(number) == before


def test_a_signal_that_the_process_ignores_stays_ignored() -> None:
    @entry_point
    def command() -> int:
        os.kill(os.getpid(), signal.SIGHUP)
        return 7

    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as nohup does
    try:
        assert command() == 7
    finally:
        signal.signal(signal.SIGHUP, before)


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (FileNotFoundError(2, "No such file or directory", "/x"), "cannot use /x (No such file"),
        (MemoryError(), "the memory does not suffice; ask for less at once"),
    ],
)
def test_what_the_system_refuses_is_a_sentence(
    error: Exception, sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    @entry_point
    def command() -> int:
        raise error

    assert command() == 2
    said = capsys.readouterr().err
    assert said.startswith(f"error: {sentence}")
    assert said.count("\n") == 1


def test_a_fault_of_the_program_keeps_its_traceback() -> None:
    @entry_point
    def command() -> int:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        command()


@pytest.mark.parametrize("error", [ValueError, RuntimeError, InvalidInput, OSError])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_library_that_makes_another_error_of_a_signal_does_not_hide_it(
    number: signal.Signals, error: type[Exception], capsys: pytest.CaptureFixture[str]
) -> None:
    @entry_point
    def command() -> int:
        try:
            os.kill(os.getpid(), number)
            time.sleep(5)
        except KeyboardInterrupt as caught:
            raise error("Invalid affine transformation matrix") from caught  # as matplotlib does
        return 0

    assert command() == 128 + number
    assert capsys.readouterr().err.startswith(f"interrupted by {SIGNALS[number]}: ")


class Destructor:
    """Calls a function when it is deleted."""

    def __init__(self, act: Callable[[], None]) -> None:
        self.act = act

    def __del__(self) -> None:
        self.act()


def in_a_destructor(act: Callable[[], None]) -> None:
    Destructor(act)


def in_a_weak_reference(act: Callable[[], None]) -> None:
    referred = {1}
    reference = weakref.ref(referred, lambda _reference: act())
    del referred
    assert reference() is None


def in_a_bare_except(act: Callable[[], None]) -> None:
    with contextlib.suppress(BaseException):
        act()


@pytest.mark.parametrize("times", [1, 3])
@pytest.mark.parametrize("discard", [in_a_destructor, in_a_weak_reference])
@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_whose_exception_python_discards_ends_the_command(
    number: signal.Signals,
    discard: Callable[[Callable[[], None]], None],
    times: int,
    capsys: pytest.CaptureFixture[str],
) -> None:
    cleaned = []

    @entry_point
    def command() -> int:
        try:
            discard(lambda: signal.raise_signal(number))
            for _ in range(times - 1):  # it is sent again, and discarded again
                discard(lambda: time.sleep(30))
            time.sleep(30)
        finally:
            cleaned.append(number)
        return 0

    before = sys.unraisablehook
    assert command() == 128 + number
    assert cleaned == [number]
    assert capsys.readouterr().err == (
        f"interrupted by {SIGNALS[number]}: run the same command again\n"
    )
    assert sys.unraisablehook is before


@pytest.mark.parametrize("discard", [in_a_destructor, in_a_weak_reference, in_a_bare_except])
@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_that_is_discarded_at_the_end_is_told(
    number: signal.Signals,
    discard: Callable[[Callable[[], None]], None],
    capsys: pytest.CaptureFixture[str],
) -> None:
    @entry_point
    def command() -> int:
        discard(lambda: signal.raise_signal(number))
        return 0

    assert command() == 128 + number
    said = f"interrupted by {SIGNALS[number]}: run the same command again\n"
    assert capsys.readouterr().err == said
    time.sleep(2 * SECONDS_BETWEEN)  # nothing is sent once the command has ended


def test_another_error_that_python_discards_goes_where_it_went() -> None:
    told = []

    def fail() -> None:
        raise ValueError

    @entry_point
    def command() -> int:
        in_a_destructor(fail)
        return 0

    before, sys.unraisablehook = sys.unraisablehook, lambda it: told.append(it.exc_type)
    try:
        assert command() == 0
    finally:
        sys.unraisablehook = before
    assert told == [ValueError]


@pytest.mark.parametrize("how", ["in a command", "in a job file"])
@pytest.mark.parametrize(
    "raised",
    ["ValueError('no such setting')", "OSError('libx.so: no such file')", "ImportError('x')"],
)
def test_a_package_that_cannot_be_loaded_is_a_sentence(
    raised: str,
    how: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    package = tmp_path / "broken_package"
    (package / "inner").mkdir(parents=True)
    (package / "__init__.py").write_text("from broken_package import inner")
    (package / "inner" / "__init__.py").write_text(f"raise {raised}")
    monkeypatch.syspath_prepend(tmp_path)

    @entry_point
    def command() -> int:
        importlib.import_module("broken_package")
        return 0

    if how == "in a command":
        assert command() == 2
    else:
        with pytest.raises((ValueError, OSError, ImportError)) as caught:
            importlib.import_module("broken_package")
        with pytest.raises(SystemExit, match="2"):
            report_uncaught(caught.type, caught.value, caught.tb)
    said = capsys.readouterr().err
    assert said.startswith(f"error: broken_package cannot be loaded ({raised.partition('(')[0]}: ")
    assert said.count("\n") == 1


def test_a_reader_that_stops_early_leaves_no_traceback(tmp_path: Path) -> None:
    lines = "from benchmark.__main__ import main; [main([]) for _ in range(5000)]"
    ended = subprocess.run(
        f"{sys.executable} -c '{lines}' | head -1",
        shell=True,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.stdout.startswith("usage: python -m benchmark COMMAND")
    assert ended.stderr == ""


@pytest.mark.parametrize(
    ("number", "name"), [(signal.SIGINT, "Ctrl-C"), (signal.SIGTERM, "SIGTERM")]
)
def test_a_signal_during_the_imports_ends_a_job_with_a_sentence(
    number: signal.Signals, name: str, tmp_path: Path
) -> None:
    file = tmp_path / "job.py"
    file.write_text(
        "from benchmark import job\n"
        "import os, time\n"
        f"os.kill(os.getpid(), {int(number)})\n"
        "time.sleep(60)\n"
    )
    ended = subprocess.run(
        [sys.executable, str(file)], env=environment(), capture_output=True, text=True, check=False
    )
    assert ended.returncode == 128 + number
    assert ended.stderr == f"interrupted by {name}: nothing had been started\n"


ROOT = Path(__file__).parents[2]
HEAVY = ("torch", "ray", "matplotlib", "pandas", "scipy.stats", "sympy")
LIGHT = [
    *(("benchmark", name, "--help") for name in COMMANDS),
    ("benchmark", "--help"),
    ("search_spaces", "--help"),
    ("search_spaces", "list"),
    ("search_spaces", "describe", "6111"),
    *((f"jobs/{path.name}", "--help") for path in sorted((ROOT / "jobs").glob("*.py"))),
]
"""Commands that compute nothing with what takes seconds to load."""

SECONDS = 30
"""A wide bound for all of them: 1 to 2 s in one process, on two busy cores."""


@pytest.fixture(scope="module")
def loaded() -> dict[str, str]:
    """What of ``HEAVY`` was there after a command, one after the other in one process."""
    listing = (
        "import importlib, runpy, sys\n"
        f"for package, *arguments in {LIGHT!r}:\n"
        "    sys.argv = [package, *arguments]\n"
        "    try:\n"
        "        if package.endswith('.py'):\n"
        "            runpy.run_path(package, run_name='__main__')\n"
        "        else:\n"
        "            main = importlib.import_module(f'{package}.__main__').main\n"
        "            assert not main(arguments)\n"
        "    except SystemExit as ended:\n"
        "        assert ended.code == 0\n"
        f"    heavy = [name for name in {HEAVY!r} if name in sys.modules]\n"
        "    print('LOADED', package, *arguments, ':', *heavy)\n"
    )
    started = time.monotonic()
    ended = subprocess.run(
        [sys.executable, "-c", listing],
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    assert time.monotonic() - started < SECONDS
    lines = [line for line in ended.stdout.splitlines() if line.startswith("LOADED ")]
    said = (line.removeprefix("LOADED ").partition(" :") for line in lines)
    return {command: heavy for command, _, heavy in said}


@pytest.mark.parametrize("command", LIGHT, ids=" ".join)
def test_a_command_loads_what_it_computes_with(
    command: tuple[str, ...], loaded: dict[str, str]
) -> None:
    assert loaded[" ".join(command)] == ""


@pytest.mark.parametrize("place", ["s3://bucket/page", "s3:/bucket", "file:///tmp/x", "gs://", ""])
@pytest.mark.parametrize(
    "command",
    [
        ["benchmark", "report", "results"],
        ["benchmark", "published", "records"],
        ["benchmark", "speed"],
        ["search_spaces", "export", "mlp"],
    ],
    ids=lambda command: command[1],
)
def test_what_is_written_here_alone_is_no_uri(
    command: list[str],
    place: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    run = importlib.import_module(f"{command[0]}.__main__").main
    assert run([*command[1:], f"--out={place}"]) == 2
    said = capsys.readouterr().err
    assert "--out" in said
    assert "path" in said
    assert said.count("\n") == 1
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_library_that_makes_a_signal_plain_does_not_hide_which_it_was(
    number: signal.Signals, capsys: pytest.CaptureFixture[str]
) -> None:
    @entry_point
    def command() -> int:
        try:
            os.kill(os.getpid(), number)
            time.sleep(5)
        except KeyboardInterrupt:
            raise KeyboardInterrupt from None  # as Ray does where it waits in native code
        return 0

    assert command() == 128 + number
    assert capsys.readouterr().err.startswith(f"interrupted by {SIGNALS[number]}: ")


def test_a_setting_with_which_pytorch_aborts_is_one_sentence() -> None:
    """PyTorch ends the process from C++ while it is loaded, where no exception can be caught."""
    told = subprocess.run(
        [sys.executable, "-m", "benchmark", "datasets", "check", "digits"],
        env=environment(PYTORCH_CUDA_ALLOC_CONF="nonsense"),
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.returncode == 2
    assert told.stderr == (
        "error: PyTorch cannot be loaded with PYTORCH_CUDA_ALLOC_CONF=nonsense; correct it or "
        "unset it\n"
    )


def test_only_a_setting_that_pytorch_reads_costs_a_trial(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "torch")
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    before = [*sys.meta_path]
    try_settings_first()
    assert sys.meta_path == before
    monkeypatch.setattr(sys, "meta_path", [*before])
    monkeypatch.setenv(VARIABLES[0], "expandable_segments:True")
    try_settings_first()
    assert importlib.util.find_spec("torch") is not None  # it was tried, and can be loaded
    assert sys.meta_path == before
