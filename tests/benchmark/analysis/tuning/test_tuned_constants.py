"""Weights of tuned constants, and a statistic with the choice of its constant in its interval."""

import math

import numpy as np
import pytest

from benchmark.analysis.intervals import Interval
from benchmark.analysis.tuning.tuned_constants import (
    ConstantWeights,
    mix_constants,
    mixture_p,
    weigh_constants,
)
from search_spaces.errors import InvalidInput


def test_a_sharp_optimum_is_clear_and_equal_rates_share_the_weight() -> None:
    rng = np.random.default_rng(0)
    sharp = weigh_constants(
        np.array([0.0, 5, 9, 5])[None, :, None] + rng.standard_normal((1, 4, 3))
    )
    assert sharp.clear
    assert sharp.kept == (2,)
    assert sharp.kept_weight_K.tolist() == [1.0]
    level_R = np.array([0.0, 9, 9, 0])
    flat = weigh_constants(level_R[None, :, None] + 0.1 * rng.standard_normal((40, 4, 3)))
    assert not flat.clear
    assert sorted(flat.kept) == [1, 2]
    assert flat.weight_R.sum() == pytest.approx(1.0)
    assert flat.left_out == pytest.approx(0.0)


def test_exact_ties_go_to_the_larger_rate() -> None:
    assert weigh_constants(np.zeros((2, 5, 1))).kept == (4,)


def test_what_moves_all_rates_alike_moves_no_weight() -> None:
    rng = np.random.default_rng(1)
    score_CRS = np.array([0.0, 1, 1.2])[None, :, None] + rng.standard_normal((3, 3, 3))
    moved_CRS = score_CRS + 50 * rng.standard_normal((3, 1, 3))
    weights = weigh_constants(score_CRS), weigh_constants(moved_CRS)
    np.testing.assert_allclose(weights[0].weight_R, weights[1].weight_R, atol=1e-12)


def test_the_base_cells_disagreement_is_in_the_weights() -> None:
    score_CRS = np.repeat(np.array([[0.0, 1.0], [1.1, 0.0]])[:, :, None], 3, axis=2)
    assert weigh_constants(score_CRS[:1]).kept == (1,)
    assert set(weigh_constants(score_CRS).kept) == {0, 1}


def weights(*shares: float) -> ConstantWeights:
    share_K = np.array(shares)
    return ConstantWeights(share_K, tuple(range(len(shares))), share_K / share_K.sum(), 0.0)


def test_a_mixture_has_the_variance_between_its_constants() -> None:
    mixed = mix_constants(weights(0.6, 0.4), [1.0, 2.0], [0.1, 0.2], 24)
    assert mixed.estimate == pytest.approx(1.4)
    error = math.sqrt(0.6 * 0.4 + 0.6 * 0.01 + 0.4 * 0.04)
    assert mixed.high - mixed.estimate == pytest.approx(2.0687 * error, rel=1e-4)
    assert mixture_p(mixed) == pytest.approx(0.0112, abs=0.01)
    alone = mix_constants(weights(1.0), [1.0], [0.1], 24)
    assert alone.high - alone.estimate == pytest.approx(2.0687 * 0.1, rel=1e-4)


def test_an_untrained_constant_leaves_the_statistic_undetermined_unless_one_is_clear() -> None:
    missing = mix_constants(weights(0.6, 0.4), [1.0, math.nan], [0.1, math.nan], 24)
    assert not missing.determined
    assert "1 of 2 likely constants" in missing.reason
    assert missing.estimate == 1.0
    assert math.isnan(mixture_p(missing))
    clear = mix_constants(weights(0.95, 0.05), [1.0, math.nan], [0.1, math.nan], 24)
    assert clear.estimate == 1.0
    assert clear.determined
    first = mix_constants(weights(0.6, 0.4), [math.nan, 1.0], [math.nan, 0.1], 24)
    assert "likeliest" in first.reason


def test_bad_tables_are_refused() -> None:
    with pytest.raises(InvalidInput, match="base cells x rates x seeds"):
        weigh_constants(np.zeros((3, 3)))
    with pytest.raises(InvalidInput, match="score of guessing"):
        weigh_constants(np.full((1, 3, 2), math.nan))
    with pytest.raises(InvalidInput, match="2 kept"):
        mix_constants(weights(0.6, 0.4), [1.0], [0.1], 24)


def test_an_interval_without_spread_has_no_p() -> None:
    assert math.isnan(mixture_p(Interval(1.0, 1.0, 1.0, 24, "made")))
