"""One-step second moments, their exponent and the verdict on flatness."""

import math

import numpy as np
import pytest

from benchmark.analysis.intervals import Array
from benchmark.analysis.ladders.one_step import (
    fit_update_exponent,
    measure_flatness,
    summarize_rung,
)
from search_spaces.errors import InvalidInput

DEPTHS = np.array([2.0, 4.0, 8.0, 16.0, 32.0])


def cubic(rng: np.random.Generator, spread: float, seeds: int = 16) -> list[Array]:
    """Moments (L, S) whose mean over layers grows as depth^3; rungs have as many layers as deep."""
    moments = []
    for depth in DEPTHS:
        layer_L = np.arange(1, depth + 1) ** 3.0
        seed_S = np.exp(spread * rng.standard_normal(seeds) - spread**2 / 2)
        moments.append(depth**3 * np.outer(layer_L / layer_L.mean(), seed_S))
    return moments


def test_a_power_law_without_noise_is_exact() -> None:
    found = fit_update_exponent(DEPTHS, cubic(np.random.default_rng(0), 0.0))
    assert found.exponent.estimate == pytest.approx(-1.5)
    assert found.exponent.contains(found.exponent.estimate)
    assert found.median_exponent == pytest.approx(-1.5)
    assert not found.heavy_tailed


def test_mean_and_maximum_are_what_they_say() -> None:
    moment_LS = np.array([[1.0, 2, 3, 2], [3, 2, 1, 2], [5, 8, 2, 5]])
    found = summarize_rung(moment_LS)
    assert found.mean.estimate == pytest.approx(moment_LS.mean())
    assert found.maximum.estimate == pytest.approx(np.mean([5, 8, 3, 5]))
    assert found.seeds == 4


@pytest.mark.parametrize(("power", "verdict"), [(-1.5, "yes"), (-1.0, "no"), (0.0, "no")])
def test_verdict_on_a_rule(power: float, verdict: str) -> None:
    found = measure_flatness(DEPTHS, cubic(np.random.default_rng(1), 0.3), 0.7 * DEPTHS**power)
    assert found.verdict == verdict
    assert found.exponent.contains(3 + 2 * power)
    assert found.mean[0].estimate == pytest.approx(1.0)
    assert found.maximum[0].estimate > 1.0


def test_the_rule_s_constant_does_not_matter_and_the_base_may_be_any_rung() -> None:
    moments = cubic(np.random.default_rng(2), 0.3)
    a = measure_flatness(DEPTHS, moments, DEPTHS**-1.0)
    b = measure_flatness(DEPTHS, moments, 9 * DEPTHS**-1.0, base=2)
    assert b.exponent.low == pytest.approx(a.exponent.low)
    assert b.mean[2].estimate == pytest.approx(1.0)


def test_too_wide_or_too_few_seeds_are_undetermined() -> None:
    wide = measure_flatness(DEPTHS, cubic(np.random.default_rng(3), 1.5, seeds=5), DEPTHS**-1.5)
    assert wide.exponent.contains(0)
    assert wide.verdict == "undetermined"
    assert wide.heavy_tailed
    few = measure_flatness(DEPTHS, cubic(np.random.default_rng(3), 0.1, seeds=3), DEPTHS**-1.5)
    assert few.verdict == "undetermined"
    assert "4 seeds" in few.exponent.reason
    assert few.exponent.estimate == pytest.approx(0, abs=0.2)


def test_the_median_withstands_one_wild_seed() -> None:
    moments = cubic(np.random.default_rng(4), 0.1)
    moments[-1][:, 0] *= 1e4
    found = fit_update_exponent(DEPTHS, moments)
    assert found.median_exponent == pytest.approx(-1.5, abs=0.1)
    assert found.exponent.estimate < -1.7
    assert found.heavy_tailed


def test_one_seed_still_shows_its_numbers() -> None:
    found = fit_update_exponent(DEPTHS, cubic(np.random.default_rng(5), 0.1, seeds=1))
    assert found.exponent.estimate == pytest.approx(-1.5, abs=0.2)
    assert not found.exponent.determined
    assert not found.rungs[0].mean.determined


def test_bad_moments_are_refused() -> None:
    moments = cubic(np.random.default_rng(6), 0.1)
    with pytest.raises(InvalidInput, match="layers x seeds"):
        summarize_rung(np.ones(3))
    for bad in (math.nan, -1.0):
        with pytest.raises(InvalidInput, match="finite"):
            summarize_rung(np.array([[1.0, bad]]))
    with pytest.raises(InvalidInput, match="not all zero"):
        summarize_rung(np.zeros((3, 2)))
    with pytest.raises(InvalidInput, match="3 rungs"):
        fit_update_exponent(DEPTHS[:2], moments[:2])
    with pytest.raises(InvalidInput, match="rates needs"):
        measure_flatness(DEPTHS, moments, DEPTHS[:3])
    with pytest.raises(InvalidInput, match="base"):
        measure_flatness(DEPTHS, moments, DEPTHS, base=5)
