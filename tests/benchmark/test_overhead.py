"""The measurement of what the machinery costs: real, and small."""

import io

import pytest
from rich.console import Console

from benchmark import overhead
from benchmark.speed import machinery


def test_trivial_units_are_units_of_their_own() -> None:
    units = machinery.trivial_units(50)
    assert len({unit.id for unit in units}) == 50
    assert [row["unit_id"] for row in machinery.train_nothing(units[7])] == [units[7].id]


@pytest.mark.parametrize(
    ("seconds", "memory", "within"), [(99, 9e8, True), (101, 9e8, False), (99, 1.1e9, False)]
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
    assert found.seconds > 0
    assert "100%  40/40 units, 8/8 shards, 0 diverged, 0 failed" in screen.getvalue()
