"""The constants of a rank part: the choice that was made, and the rates that were as good."""

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from numpy.typing import NDArray

from benchmark.findings.ranking.constants import find_constants, tabulate_constants
from benchmark.plan.rank_stages import base_rates

RATES = (0.01, 0.1, 1.0, 10.0)


def table(acc_RS: NDArray[np.float64]) -> pa.Table:
    """A base stage; what is NaN diverged."""
    rows = [
        {
            "stage": "base",
            "rule": "a",
            "base_lr": rate,
            "seed": seed,
            "status": "done" if np.isfinite(accuracy) else "diverged",
            "valid_accuracy": accuracy,
        }
        for rate, acc_S in zip(RATES, acc_RS, strict=True)
        for seed, accuracy in enumerate(acc_S)
    ]
    return pa.Table.from_pylist(rows)


def part(seeds: int) -> dict[str, Any]:
    return {"rules": ["default", "a"], "seeds": seeds}


def test_a_clear_choice_needs_no_caution() -> None:
    found = find_constants(
        part(2), table(np.array([[0.5, 0.51], [0.9, 0.91], [0.7, 0.71], [0, 0]]))
    )
    assert (found["a"].rate, found["a"].good, found["a"].caution) == (0.1, (0.1,), "")
    assert found["a"].error == pytest.approx(np.std([0.5, 0.51], ddof=1))


def test_rates_within_the_error_are_as_good_and_said_so() -> None:
    found = find_constants(
        part(2), table(np.array([[0.5, 0.54], [0.9, 0.94], [0.88, 0.92], [0, 0]]))
    )
    assert (found["a"].rate, found["a"].good) == (0.1, (0.1, 1.0))
    assert found["a"].caution == " Its constant is one of 2 that were as good (0.100 to 1.00)."
    (shown, note) = tabulate_constants(found)
    assert not isinstance(shown, str)
    assert shown.rows[0][0] == "a"
    assert "within 2 standard errors" in str(note)


def test_one_seed_says_nothing() -> None:
    assert find_constants(part(1), table(np.array([[0.5], [0.9], [0.9], [0.1]]))) == {}
    assert tabulate_constants({}) == ()


@pytest.mark.parametrize("seed", range(30))
def test_the_choice_is_the_one_that_the_plan_made(seed: int) -> None:
    """With ties, and with diverged replicas, which count as 0."""
    rng = np.random.default_rng(seed)
    acc_RS = rng.integers(0, 4, (len(RATES), 3)) / 4.0
    acc_RS[rng.random(acc_RS.shape) < 0.2] = np.nan
    rows = table(acc_RS)
    found = find_constants(part(3), rows)["a"]
    assert found.rate == base_rates(rows)["a"]
    sum_R = np.nan_to_num(acc_RS).sum(axis=1)  # of quarters: exact
    assert found.rate == max(zip(sum_R, RATES, strict=True))[1]
    assert found.accuracy == pytest.approx(sum_R.max() / 3)
    assert found.rate in found.good
