"""Accuracy shift: mean, median, thirds, share improved and bias."""

import math

import numpy as np
import pytest

from benchmark.analysis.intervals import Array
from benchmark.analysis.ranking.accuracy_shift import correlate_shift, measure_accuracy_shift
from search_spaces.errors import InvalidInput


def noisy(rng: np.random.Generator, true_A: Array, seeds: int = 2) -> Array:
    return np.asarray(true_A[:, None] + 0.5 * rng.standard_normal((len(true_A), seeds)))


def test_a_constant_shift_is_found_exactly() -> None:
    reference_AS = noisy(np.random.default_rng(0), np.linspace(0, 1, 24), seeds=3)
    shift = measure_accuracy_shift(reference_AS, reference_AS + 0.25)
    for interval in (shift.mean, shift.median, *shift.thirds):
        assert interval.estimate == pytest.approx(0.25)
        assert interval.high - interval.low < 1e-9
    assert shift.share_improved.estimate == 1.0
    assert shift.p < 0.001
    assert (shift.architectures, shift.seeds, shift.diverged) == (24, 3, 0)


def test_thirds_do_not_regress_to_the_mean() -> None:
    """Pure noise: formed on the scored seed, the bottom third seems to gain; here it does not."""
    rng = np.random.default_rng(1)
    ours, naive = [], []
    for _ in range(400):
        true_A = rng.standard_normal(24)
        reference_AS, rule_AS = noisy(rng, true_A), noisy(rng, true_A)
        ours.append(
            [t.estimate for t in measure_accuracy_shift(reference_AS, rule_AS, resamples=9).thirds]
        )
        order_A = np.argsort(reference_AS[:, 0])
        moved_A = (rule_AS - reference_AS)[order_A, 0]
        naive.append([third_A.mean() for third_A in np.split(moved_A, 3)])
    error = np.std(ours, axis=0) / math.sqrt(400)
    assert (np.abs(np.mean(ours, axis=0)) < 3 * error).all()
    bottom, _, top = np.mean(naive, axis=0)
    assert bottom > 10 * error[0]
    assert top < -10 * error[2]


def test_gains_at_the_bottom_show_at_the_bottom() -> None:
    rng = np.random.default_rng(2)
    true_A = np.linspace(-3, 3, 60)
    shift = measure_accuracy_shift(
        noisy(rng, true_A), noisy(rng, true_A + (true_A < -1)), nested=True
    )
    bottom, middle, top = shift.thirds
    assert bottom.low > 0.5
    assert top.contains(0)
    assert middle.contains(0)


def test_a_placebo_shows_nothing_at_the_stated_level() -> None:
    rng = np.random.default_rng(3)
    p = []
    for k in range(400):
        true_A = rng.standard_normal(24)
        p.append(
            measure_accuracy_shift(noisy(rng, true_A), noisy(rng, true_A), resamples=9, seed=k).p
        )
    assert 0.025 <= np.mean(np.array(p) <= 0.05) <= 0.075


def test_divergence_is_counted_left_out_of_means_and_votes() -> None:
    reference_AS = np.tile(np.linspace(0, 1, 12)[:, None], (1, 2))
    rule_AS = reference_AS + 0.1
    rule_AS[0, 1] = -math.inf  # a loss
    reference_AS[1] = -math.inf  # a gain
    reference_AS[2], rule_AS[2] = -math.inf, -math.inf  # a tie
    shift = measure_accuracy_shift(reference_AS, rule_AS)
    assert shift.diverged == 3
    assert shift.mean.estimate == pytest.approx(0.1)
    assert shift.mean.n == shift.median.n == 9
    assert shift.share_improved.estimate == pytest.approx(10 / 12)
    assert np.isnan(shift.shift_A[:3]).all()


def test_one_seed_has_no_thirds() -> None:
    reference_AS = np.linspace(0, 1, 24)[:, None]
    shift = measure_accuracy_shift(reference_AS, reference_AS + np.linspace(0, 0.1, 24)[:, None])
    assert shift.mean.determined
    assert all("one seed" in third.reason for third in shift.thirds)


def test_bias_follows_the_covariate_it_was_planted_on() -> None:
    rng = np.random.default_rng(4)
    depth_A = rng.integers(1, 5, 40).astype(np.float64)
    shift_A = 0.1 * depth_A + 0.1 * rng.standard_normal(40)
    shift_A[0] = math.nan
    bias = correlate_shift(
        shift_A, {"depth": depth_A, "luck": rng.standard_normal(40), "constant": np.ones(40)}
    )
    assert bias["depth"].correlation.low > 0.4
    assert bias["depth"].p < 0.01
    assert bias["depth"].correlation.n == 39
    assert bias["luck"].correlation.contains(0)
    assert not bias["constant"].correlation.determined
    assert math.isnan(bias["constant"].p)


def test_bias_of_fifteen_thousand_architectures() -> None:
    rng = np.random.default_rng(5)
    x_A = rng.standard_normal(15_625)
    bias = correlate_shift(x_A + rng.standard_normal(15_625), {"x": x_A})["x"]
    assert bias.correlation.contains(6 / math.pi * math.asin(math.sqrt(0.5) / 2))
    assert bias.correlation.high - bias.correlation.low < 0.03


def test_bad_covariates_are_refused() -> None:
    with pytest.raises(InvalidInput, match="'depth'"):
        correlate_shift(np.zeros(4), {"depth": np.zeros(3)})


def test_a_seed_that_moves_every_architecture_widens_the_interval_unless_nested() -> None:
    rng = np.random.default_rng(20)
    reference_AS = 0.1 * rng.standard_normal((24, 3))
    rule_AS = reference_AS + np.array([0.0, 0.5, 1.0]) + 0.01 * rng.standard_normal((24, 3))
    crossed = measure_accuracy_shift(reference_AS, rule_AS)
    nested = measure_accuracy_shift(reference_AS, rule_AS, nested=True)
    assert crossed.mean.estimate == nested.mean.estimate
    assert crossed.mean.low < 0 < nested.mean.low
    assert crossed.median.low < nested.median.low
    assert all(t.low < 0 for t in crossed.thirds)
    assert crossed.p > 0.05 > nested.p


def test_the_p_of_shared_seeds_holds_its_level() -> None:
    rng = np.random.default_rng(21)
    p_K = []
    for k in range(400):
        shift_AS = 0.5 * rng.standard_normal((24, 1)) + 0.5 * rng.standard_normal((24, 3))
        rule_AS = shift_AS + 0.2 * rng.standard_normal(3)
        p_K.append(measure_accuracy_shift(0 * rule_AS, rule_AS, resamples=9, seed=k).p)
    assert 0.01 < np.mean(np.array(p_K) < 0.05) < 0.08
