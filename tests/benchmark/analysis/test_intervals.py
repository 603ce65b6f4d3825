"""Intervals: what they promise besides coverage."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats

from benchmark.analysis.intervals import (
    Interval,
    bca_rows,
    mean_interval,
    median_interval,
    share_interval,
    t_interval,
)
from search_spaces.errors import InvalidInput


def test_an_undetermined_interval_excludes_nothing_and_says_why() -> None:
    interval = Interval.undetermined("one seed", estimate=0.7, n=24)
    assert not interval.determined
    assert interval.contains(0.0)
    assert interval.contains(1e9)
    assert (interval.estimate, interval.n, interval.reason) == (0.7, 24, "one seed")


def test_the_same_values_give_the_same_interval() -> None:
    x_N = np.random.default_rng(0).exponential(size=24)
    assert mean_interval(x_N, seed=3) == mean_interval(x_N.copy(), seed=3)
    assert mean_interval(x_N, seed=3) != mean_interval(x_N, seed=4)


@given(st.lists(st.floats(-10, 10, width=32), min_size=6, max_size=40), st.floats(0.1, 10))
def test_intervals_move_and_stretch_with_their_values(values: list[float], scale: float) -> None:
    x_N = np.array(values)
    for interval in (t_interval, median_interval, mean_interval):
        plain, moved = interval(x_N), interval(scale * x_N + 1)
        for a, b in ((plain.low, moved.low), (plain.high, moved.high)):
            assert b == pytest.approx(scale * a + 1, abs=1e-4 * (1 + scale))
        assert plain.low <= plain.estimate + 1e-9
        assert plain.estimate <= plain.high + 1e-9


@pytest.mark.parametrize(("successes", "n"), [(0, 24), (24, 24), (0, 7), (7, 7), (1, 2)])
def test_a_share_lies_inside_its_interval_and_that_inside_0_and_1(successes: int, n: int) -> None:
    interval = share_interval(successes, n)
    assert 0 <= interval.low <= successes / n <= interval.high <= 1
    assert interval.low < interval.high


def test_bca_is_scipys_up_to_resampling() -> None:
    x_N = np.random.default_rng(1).exponential(size=40)

    def mean(index_BN: NDArray[np.intp]) -> NDArray[np.float64]:
        return np.asarray(x_N[index_BN].mean(axis=1))

    ours = bca_rows(mean, len(x_N), resamples=40_000)
    theirs = stats.bootstrap(
        (x_N,), np.mean, n_resamples=40_000, method="BCa", rng=np.random.default_rng(2)
    ).confidence_interval
    assert ours.low == pytest.approx(theirs.low, abs=0.01)
    assert ours.high == pytest.approx(theirs.high, abs=0.01)


def test_too_few_values_are_undetermined() -> None:
    assert t_interval(np.array([2.0])).estimate == 2.0
    assert not t_interval(np.array([2.0])).determined
    assert not median_interval(np.arange(5.0)).determined
    assert median_interval(np.arange(6.0)).determined
    assert not share_interval(0, 0).determined
    assert math.isnan(mean_interval(np.array([])).estimate)


def test_many_values_take_little_memory_and_agree_with_theory() -> None:
    x_N = np.random.default_rng(0).standard_normal(15_625)
    for interval, deviation in ((mean_interval(x_N), 1.0), (median_interval(x_N), 1.2533)):
        width = 2 * 1.96 * deviation / math.sqrt(len(x_N))
        assert interval.high - interval.low == pytest.approx(width, rel=0.2)


@pytest.mark.parametrize("values", [[math.nan, 1.0], [[1.0], [2.0]], [math.inf, 1.0]])
def test_bad_values_are_refused(values: list[float]) -> None:
    for interval in (mean_interval, median_interval, t_interval):
        with pytest.raises(InvalidInput, match="finite"):
            interval(np.array(values))


def test_bad_level_and_count_are_refused() -> None:
    with pytest.raises(InvalidInput, match="level"):
        mean_interval(np.arange(10.0), level=95)
    with pytest.raises(InvalidInput, match="successes"):
        share_interval(5, 4)
