"""From an interval to a word: no yes without evidence, no no without it either."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmark.analysis.intervals import Interval
from benchmark.analysis.ladders.exponent_verdict import format_exponent, judge_interval
from benchmark.findings.verdict import judge_below, judge_gain

bound = st.floats(-3, 3)


def made(low: float, high: float) -> Interval:
    return Interval((low + high) / 2, low, high, 10, "planted")


@given(bound, st.floats(0, 3), st.floats(0.01, 1), st.floats(0, 1))
def test_an_effect_needs_an_interval_above_zero_and_holm(
    low: float, width: float, margin: float, p: float
) -> None:
    value = made(low, low + width)
    answer, why, _ = judge_gain(value, margin, p)
    assert (answer == "no") == (value.high < margin)
    assert (answer == "yes") == (value.high >= margin and low > 0 and p <= 1 - value.level)
    assert bool(why) == (answer != "yes")


@given(bound, st.floats(0, 3), bound)
def test_below_is_said_only_beside_the_interval(low: float, width: float, limit: float) -> None:
    answer, *_ = judge_below(made(low, low + width), limit, "it")
    expected = "yes" if low + width < limit else "no" if low > limit else "undetermined"
    assert answer == expected


@pytest.mark.parametrize(
    ("low", "high", "answer"),
    [
        (-1.6, -1.4, "yes"),
        (-1.7, -0.9, "undetermined"),
        (-2.9, -1.1, "undetermined"),
        (-1.4, -1.2, "no"),
        (-0.2, 0.2, "no"),
        (-2.0, 0.5, "undetermined"),
    ],
)
def test_an_exponent_is_admitted_only_alone(low: float, high: float, answer: str) -> None:
    assert judge_interval(made(low, high), -1.5, (-1.0, 0.0))[0] == answer


def test_an_undetermined_interval_passes_its_reason_on() -> None:
    unknown = Interval.undetermined("one seed")
    assert judge_gain(unknown, 0.1, 0.0) == ("undetermined", "one seed", unknown)
    assert judge_below(unknown, 0.1, "it") == ("undetermined", "one seed", unknown)
    assert judge_interval(unknown, -1.5, (0.0,)) == ("undetermined", "one seed", unknown)


def test_exponents_read_as_in_the_papers() -> None:
    assert [format_exponent(value) for value in (-1.5, -1.0, 0.0)] == ["−3/2", "−1", "0"]
