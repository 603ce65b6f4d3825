"""Holm's correction is the closed test of Bonferroni tests."""

import math
from itertools import chain, combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmark.analysis.holm import adjust_p_values
from search_spaces.errors import InvalidInput


@given(st.lists(st.floats(0, 1), min_size=1, max_size=6), st.floats(0.001, 0.2))
def test_holm_is_the_closure_of_bonferroni(p: list[float], level: float) -> None:
    """A member is rejected iff Bonferroni rejects every subfamily that holds it."""
    members = range(len(p))
    subfamilies = list(chain.from_iterable(combinations(members, k + 1) for k in members))
    found = adjust_p_values({str(i): p[i] for i in members}, level)
    for i in members:
        closed = max(min(1.0, len(f) * min(p[j] for j in f)) for f in subfamilies if i in f)
        assert found[str(i)].adjusted == pytest.approx(closed)
        assert found[str(i)].rejected == (found[str(i)].adjusted <= level)


def test_an_undetermined_member_still_counts() -> None:
    found = adjust_p_values({"b": math.nan, "a": 0.02, "c": 0.01})
    assert list(found) == ["b", "a", "c"]
    assert found["c"].adjusted == pytest.approx(0.03)
    assert found["a"].adjusted == pytest.approx(0.04)
    assert not found["b"].rejected


def test_a_p_value_outside_its_range_is_refused() -> None:
    with pytest.raises(InvalidInput, match="'delta'"):
        adjust_p_values({"delta": 1.2})
