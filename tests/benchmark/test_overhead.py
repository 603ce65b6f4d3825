"""The measurement of what the machinery costs: real, and small."""

import csv
import io
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from support import scale_page

from benchmark import overhead
from benchmark.speed.growth import machinery
from search_spaces.output_files import split_at_marks


def test_trivial_units_are_units_of_their_own() -> None:
    units = machinery.trivial_units(50)
    assert len({unit.id for unit in units}) == 50
    assert [row["unit_id"] for row in machinery.train_nothing(units[7])] == [units[7].id]


@pytest.mark.parametrize(
    ("seconds", "memory", "within"), [(39, 9e8, True), (41, 9e8, False), (39, 1.1e9, False)]
)
def test_what_is_promised_is_checked(seconds: float, memory: float, within: bool) -> None:
    found = machinery.Overhead(4000, 400, 2, seconds, 1.0, int(memory))
    assert found.share == pytest.approx(seconds / 2000)
    assert found.within == within


def test_measuring_nothing_is_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert overhead.main(["--units", "0"]) == 2
    assert capsys.readouterr().err.startswith("error: --units 0: give 1 to 1,000,000")


@pytest.mark.ray
@pytest.mark.slow
def test_every_unit_goes_the_whole_way() -> None:
    screen = io.StringIO()
    found = machinery.measure_overhead(40, 2, Console(file=screen))
    assert (found.units, found.shards, found.slots) == (40, 8, 2)
    assert 0 < found.first <= found.seconds
    assert "100%  40/40 units, 8/8 shards, 0 diverged, 0 failed" in screen.getvalue()


@pytest.mark.ray
@pytest.mark.slow
def test_units_are_swept_over_simulated_nodes(tmp_path: Path) -> None:
    """The figures of 10 units on 2 nodes; so few cannot keep what is promised of thousands."""
    file = tmp_path / "measured.csv"
    command = [sys.executable, "-m", "benchmark.overhead", "--units", "10", "--nodes", "2"]
    ended = subprocess.run(
        [*command, "--out", str(file)], capture_output=True, text=True, check=False
    )
    assert ended.returncode == 1, ended.stderr
    assert ended.stdout.startswith("10 units in 5 shards, 2 at once: ")
    found = {line["figure"]: line for line in csv.DictReader(file.read_text().splitlines())}
    assert {line["nodes"] for line in found.values()} == {"2"}
    assert 0 < float(found["first unit"]["value"]) <= float(found["sweep"]["value"])


def test_a_study_that_trains_nothing_is_planned_stored_and_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Twice into one file, which another command's table is not."""
    file = tmp_path / "measured.csv"
    for _ in range(2):
        assert overhead.main(["--units", "12", "--untrained", "--out", str(file)]) == 0
    lines = list(csv.DictReader(file.read_text().splitlines()))
    assert [line["figure"] for line in lines[:6]] == [line["figure"] for line in lines[6:]]
    values = {line["figure"]: float(line["value"]) for line in lines}
    assert all(value > 0 for value in values.values())
    assert int(lines[0]["units"]) > 12  # those that tune the constants, too
    assert "planning: " in capsys.readouterr().out
    file.write_text("a,b\n")
    assert overhead.main(["--units", "12", "--untrained", "--out", str(file)]) == 2
    assert "holds something else" in capsys.readouterr().err
    assert file.read_text() == "a,b\n"


def test_the_scale_page_is_made_from_the_measured_figures() -> None:
    _, figures, _ = split_at_marks(scale_page.PAGE, scale_page.BEGIN, scale_page.END)
    assert figures == scale_page.make_figures(), "run python tests/support/scale_page.py"


@given(st.floats(0.5, 2.0), st.floats(1e-4, 1.0))
def test_the_exponent_of_growth_is_the_planted_one(exponent: float, level: float) -> None:
    values = {units: level * units**exponent for units in (1000, 10_000, 100_000)}
    assert scale_page.fit_exponent(values) == pytest.approx(exponent)
    assert scale_page.interpolate(values, 46_875) == pytest.approx(level * 46_875**exponent)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--nodes", "0"], "--nodes 0: give 1 to 1000"),
        (["--untrained", "--nodes", "2"], "--untrained sweeps nothing"),
        (["--out", "/nowhere/x.csv"], "--out /nowhere/x.csv cannot be written"),
    ],
)
def test_bad_input_is_a_sentence(
    arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert overhead.main(arguments) == 2
    assert capsys.readouterr().err.startswith(f"error: {sentence}")
