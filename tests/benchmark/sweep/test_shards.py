"""Packing units into shards, and the calibration that says how long they take."""

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.planted_units import planted_unit

from benchmark.engine.costs import PricedUnit
from benchmark.study.unit import Unit
from benchmark.sweep.shards import (
    CALIBRATION_SECONDS,
    LIMIT,
    PER_CORE,
    SECONDS,
    Run,
    calibrate,
    pack,
)


def priced(cost: int, replica_steps: int | None = None) -> PricedUnit:
    """A unit of that price; its name says its steps."""
    steps = cost if replica_steps is None else replica_steps
    return PricedUnit(planted_unit(f"mlp-{steps}", replicas=1), steps, cost)


UNITS = [priced(cost) for cost in range(200)]
MANY = [priced(cost) for cost in range(5000)]


@given(
    st.lists(st.integers(0, 10**6), min_size=1, max_size=200),
    st.integers(1, 64),
    st.floats(0, 1e3, allow_subnormal=False),
)
def test_every_unit_is_in_one_shard_and_the_longest_come_first(
    prices: list[int], cores: int, seconds_per_cost: float
) -> None:
    units = [replace(known, cost=cost) for known, cost in zip(UNITS, prices, strict=False)]
    shards = pack(units, cores, seconds_per_cost)
    packed = [each for shard in shards for each in shard]
    assert sorted(each.unit.id for each in packed) == sorted(each.unit.id for each in units)
    assert all(shards)
    costs = [max(1, each.cost) for each in packed]
    assert costs == sorted(costs, reverse=True)
    assert shards == pack(units[::-1], cores, seconds_per_cost)


def test_few_units_are_a_shard_each() -> None:
    units = UNITS[10 : 10 + PER_CORE * 2]
    assert [len(shard) for shard in pack(units, 2, 1e-9)] == [1] * len(units)


def test_where_there_is_plenty_a_shard_is_worth_its_overhead_and_no_more() -> None:
    shards = pack(UNITS, 2, seconds_per_cost=0.1)
    loads = [0.1 * sum(each.cost for each in shard) for shard in shards[:-1]]
    longest = 0.1 * max(each.cost for each in UNITS)
    assert all(SECONDS <= load < SECONDS + longest for load in loads)


def test_every_core_gets_several_shards_where_units_are_quick() -> None:
    shards = pack(UNITS, 4, seconds_per_cost=1e-6)
    assert PER_CORE * 4 * 0.8 <= len(shards) <= PER_CORE * 4 + 1


@pytest.mark.parametrize("seconds", [0.0, 1e3])
@pytest.mark.parametrize("cost", [None, 0, 1])
def test_shards_stay_below_what_tune_carries(cost: int | None, seconds: float) -> None:
    units = MANY if cost is None else [replace(each, cost=cost) for each in MANY]
    assert len(pack(units, 1000, seconds)) <= LIMIT


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time that the calibration reads, in seconds; it passes where a test says so."""
    now = [1000.0]
    monkeypatch.setattr(time, "perf_counter", lambda: now[0])
    return now


def timed(clock: list[float]) -> Run:
    """Trains units that load for 0.2 s and then take a replica-step each 0.02 s."""

    def run(unit: Unit, on_progress: Callable[[int], None] | None = None, **_: Any) -> list[Any]:
        clock[0] += 0.2
        for _step in range(int(unit.architecture.partition("-")[2])):
            clock[0] += 0.02
            if on_progress:
                on_progress(1)
        return []

    return run


def test_the_calibration_times_steps_and_leaves_loading_out(clock: list[float]) -> None:
    measured = calibrate([priced(200, replica_steps=20)], timed(clock))
    assert measured == pytest.approx(0.002)


def test_the_calibration_leaves_out_what_it_waits_for_others(clock: list[float]) -> None:
    def wait() -> None:
        clock[0] += 60.0

    for steps in (1, 20):
        unit = priced(10 * steps, replica_steps=steps)
        alone = calibrate([unit], timed(clock))
        assert calibrate([unit], timed(clock), at_first=wait) == pytest.approx(alone)


def test_the_calibration_stops_a_long_unit(clock: list[float]) -> None:
    begin = clock[0]
    measured = calibrate([UNITS[199]], timed(clock))
    assert clock[0] - begin < CALIBRATION_SECONDS + 0.3
    assert measured == pytest.approx(0.02)


def test_units_that_cost_nothing_take_no_time(clock: list[float]) -> None:
    assert calibrate([UNITS[0]], timed(clock)) == 0.0
