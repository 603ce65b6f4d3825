"""Whatever is typed after any command: exit code 0 or 2, one sentence, nothing written elsewhere.

Where a command would begin work
that takes long, ``begin_work`` stands for that work: what is tried here is what comes before it.
"""

import importlib
import shutil
from functools import partial
from pathlib import Path
from typing import NoReturn

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import planted
from support.any_input import EXTREMES, PATHS, QUIET, WRITTEN, check
from support.command_lines import COMMAND_LINES, SMALL_STUDY, Slot, list_lines
from support.job_files import FILES, UNTRAINED, module
from support.small_study import STUDY

from benchmark import job
from benchmark.command import COMMANDS
from benchmark.power import simulate
from benchmark.report import page
from benchmark.speed import measure
from benchmark.speed.growth import machinery
from search_spaces.errors import InvalidInput

PAIRS = settings(QUIET, max_examples=8)


def begin_work(*_: object, **__: object) -> NoReturn:
    raise InvalidInput("the work would begin now")


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("planted") / "results"
    planted.write(out, planted.study(seeds=2, parts="updates"))
    return out


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, home and data folder of every command; work does not begin."""
    here = tmp_path / "here"
    for folder in (
        here,
        here / "studies",
        here / "no-reports",
        here / "records",
        tmp_path / "home",
    ):
        folder.mkdir()
    monkeypatch.chdir(here)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("DATA_DIR", str(here))
    monkeypatch.setattr(page, "build_page", begin_work)
    monkeypatch.setattr(simulate, "show_power", begin_work)
    monkeypatch.setattr(measure, "measure_speed", begin_work)
    monkeypatch.setattr(machinery, "measure_overhead", begin_work)
    return here


def run(
    name: str,
    values: list[tuple[Slot, str | None]],
    results: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """One call, and what it wrote where it was not told to."""
    module_name, words, _ = COMMAND_LINES[name]
    typed = [
        word
        for slot, value in values
        if value is not None
        for word in slot.typed(value.replace("RESULTS", str(results)))
    ]
    if module_name == SMALL_STUDY:
        check(lambda given: job.main(STUDY, given), typed, capsys)
        return
    before = {path.name for path in Path().iterdir()}
    check(importlib.import_module(module_name).main, [*words, *typed], capsys)
    asked = [value for slot, value in values if slot.option and value]
    for made in {path.name for path in Path().iterdir()} - before:
        assert any(
            Path(made) in (Path(value), *Path(value).parents) or value == "." for value in asked
        )
        shutil.rmtree(made) if Path(made).is_dir() else Path(made).unlink()
    assert not list(Path("~").expanduser().iterdir())


def test_every_command_is_tried() -> None:
    assert COMMANDS.keys() <= COMMAND_LINES.keys()


@pytest.mark.parametrize("name", COMMAND_LINES)
def test_every_odd_argument_of_every_command(
    name: str, results: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for line in list_lines(name):
        run(name, line, results, capsys)


@pytest.mark.parametrize("name", COMMAND_LINES)
@given(data=st.data())
@PAIRS
def test_odd_arguments_together(
    name: str, data: st.DataObject, results: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    slots = COMMAND_LINES[name].slots
    values = [st.sampled_from((slot.plain, *slot.odd)) for slot in slots]
    run(name, list(zip(slots, data.draw(st.tuples(*values)), strict=True)), results, capsys)


TRAINED = [name for name in FILES if name != UNTRAINED]
FIELDS = ("seeds", "epochs", "rates", "rules", "dataset", "width", "batch", "depths", "sample")


@pytest.mark.parametrize("name", TRAINED)
def test_every_job(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Every field's every extreme is tried on one study; here every job meets some of them."""
    scales = {"smoke": module(name).SMOKE} if name != "quickstart" else {}
    dry_run = partial(job.main, module(name).STUDY, run=machinery.train_nothing, scales=scales)
    size = ["--scale=smoke"] if scales else []
    turn = TRAINED.index(name)
    for place in range(turn, turn + 3):
        field, value = FIELDS[place % len(FIELDS)], EXTREMES[(place + turn) % len(EXTREMES)]
        check(dry_run, ["--dry-run", *size, f"--{field}={value}"], capsys)
    check(dry_run, ["--dry-run", f"--out={WRITTEN[turn % len(WRITTEN)]}", "--width=0"], capsys)
    assert not list(Path().glob("reports/**/*.arrow"))


@pytest.mark.parametrize("path", PATHS)
def test_the_job_of_published_ranks(path: str, capsys: pytest.CaptureFixture[str]) -> None:
    check(module(UNTRAINED).main, [f"--published={path}", f"--out={path}"], capsys)
