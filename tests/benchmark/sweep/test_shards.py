"""Packing units into shards, and the calibration that says how long they take."""

import time
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.planted_units import planted_unit

from benchmark.study.unit import Unit
from benchmark.sweep.shards import CALIBRATION_SECONDS, LIMIT, PER_CORE, SECONDS, calibrate, pack

UNITS = [planted_unit(f"mlp-{depth}", replicas=1) for depth in range(200)]
MANY = [planted_unit(f"mlp-{depth}", replicas=1) for depth in range(5000)]


def price(unit: Unit) -> int:
    return int(unit.architecture.partition("-")[2])


@given(
    st.lists(st.integers(0, 10**6), min_size=1, max_size=200),
    st.integers(1, 64),
    st.floats(0, 1e3, allow_subnormal=False),
)
def test_every_unit_is_in_one_shard_and_the_longest_come_first(
    prices: list[int], cores: int, seconds_per_cost: float
) -> None:
    units = UNITS[: len(prices)]
    cost = dict(zip((unit.id for unit in units), prices, strict=True))
    shards = pack(units, lambda unit: cost[unit.id], cores, seconds_per_cost)
    packed = [unit for shard in shards for unit in shard]
    assert sorted(unit.id for unit in packed) == sorted(unit.id for unit in units)
    assert all(shards)
    costs = [max(1, cost[unit.id]) for unit in packed]
    assert costs == sorted(costs, reverse=True)
    assert shards == pack(units[::-1], lambda unit: cost[unit.id], cores, seconds_per_cost)


def test_few_units_are_a_shard_each() -> None:
    units = UNITS[10 : 10 + PER_CORE * 2]
    assert [len(shard) for shard in pack(units, price, 2, 1e-9)] == [1] * len(units)


def test_where_there_is_plenty_a_shard_is_worth_its_overhead_and_no_more() -> None:
    shards = pack(UNITS, price, 2, seconds_per_cost=0.1)
    loads = [0.1 * sum(map(price, shard)) for shard in shards[:-1]]
    longest = 0.1 * max(map(price, UNITS))
    assert all(SECONDS <= load < SECONDS + longest for load in loads)


def test_every_core_gets_several_shards_where_units_are_quick() -> None:
    shards = pack(UNITS, price, 4, seconds_per_cost=1e-6)
    assert PER_CORE * 4 * 0.8 <= len(shards) <= PER_CORE * 4 + 1


@pytest.mark.parametrize("seconds", [0.0, 1e3])
@pytest.mark.parametrize("cost", [price, lambda unit: 0, lambda unit: 1])
def test_shards_stay_below_what_tune_carries(cost: Callable[[Unit], int], seconds: float) -> None:
    assert len(pack(MANY, cost, 1000, seconds)) <= LIMIT


def sleeper(unit: Unit, on_progress: Callable[[int], None] | None) -> list[dict[str, Any]]:
    """A unit that loads for 0.2 s and then takes a replica-step each 0.02 s."""
    time.sleep(0.2)
    for _ in range(price(unit)):
        time.sleep(0.02)
        if on_progress:
            on_progress(1)
    return []


def test_the_calibration_times_steps_and_leaves_loading_out() -> None:
    measured = calibrate([UNITS[20]], sleeper, lambda unit: 10 * price(unit), price)
    assert measured == pytest.approx(0.002, rel=0.3)


def test_the_calibration_stops_a_long_unit() -> None:
    begin = time.perf_counter()
    measured = calibrate([UNITS[199]], sleeper, price, price)
    assert time.perf_counter() - begin < CALIBRATION_SECONDS + 0.5
    assert measured == pytest.approx(0.02, rel=0.3)


def test_units_that_cost_nothing_take_no_time() -> None:
    assert calibrate([UNITS[0]], sleeper, price, price) == 0.0
