"""Measures beside tau, the top of the ranking, and movers."""

import math
from itertools import combinations, product

import numpy as np
import pytest
from scipy import stats

from benchmark.analysis.intervals import Array
from benchmark.analysis.ranking.movers import find_movers
from benchmark.analysis.ranking.other_agreement import (
    measure_rounded_agreement,
    measure_spearman_agreement,
    measure_weighted_agreement,
    seed_deviation,
)
from benchmark.analysis.ranking.top_k import (
    measure_top_k_agreement,
    measure_top_k_overlap,
    measure_top_k_regret,
)
from search_spaces.errors import InvalidInput


def draw(rng: np.random.Generator, n: int, agreement: float, seeds: int = 2) -> tuple[Array, Array]:
    """Two rules whose true values correlate by `agreement`; seeds correlate by 0.8."""
    true_A = rng.standard_normal(n)
    other_A = agreement * true_A + math.sqrt(1 - agreement**2) * rng.standard_normal(n)
    return (
        true_A[:, None] + 0.5 * rng.standard_normal((n, seeds)),
        other_A[:, None] + 0.5 * rng.standard_normal((n, seeds)),
    )


def test_spearman_and_weighted_tau_are_means_over_seed_pairs() -> None:
    a_AS, b_AS = draw(np.random.default_rng(0), 30, 0.7)
    a_AS[3, 0] = -math.inf
    b_AS[4:8, 1] = 0.0
    for found, scipys in (
        (measure_spearman_agreement(a_AS, b_AS, resamples=99), stats.spearmanr),
        (measure_weighted_agreement(a_AS, b_AS), stats.weightedtau),
    ):
        ranks = [stats.rankdata(x_AS, axis=0) for x_AS in (a_AS, b_AS)]
        within = np.mean([scipys(r_AS[:, 0], r_AS[:, 1]).statistic for r_AS in ranks])
        cross = np.mean([scipys(ranks[0][:, i], ranks[1][:, 1 - i]).statistic for i in (0, 1)])
        assert found.ceiling.estimate == pytest.approx(within)
        assert found.cross.estimate == pytest.approx(cross)
        assert found.delta.estimate == pytest.approx(within - cross)


def test_one_seed_leaves_the_measures_undetermined() -> None:
    a_AS, b_AS = draw(np.random.default_rng(1), 30, 0.7, seeds=1)
    found = measure_spearman_agreement(a_AS, b_AS)
    assert found.cross.estimate == pytest.approx(stats.spearmanr(a_AS[:, 0], b_AS[:, 0]).statistic)
    assert "one seed" in found.delta.reason
    assert math.isnan(measure_top_k_overlap(a_AS, b_AS, [5])[0].ceiling)
    assert math.isnan(seed_deviation(a_AS))
    assert np.isnan(find_movers(a_AS, b_AS).rank_error_A).all()
    for needs_two in (
        lambda: measure_rounded_agreement(a_AS, b_AS),
        lambda: measure_top_k_regret(a_AS, b_AS, 3),
    ):
        with pytest.raises(InvalidInput, match="two"):
            needs_two()


def test_seed_deviation_is_pooled() -> None:
    rng = np.random.default_rng(2)
    a_AS = rng.standard_normal((4000, 1)) + 0.3 * rng.standard_normal((4000, 2))
    a_AS[0, 0] = -math.inf
    assert seed_deviation(a_AS, a_AS) == pytest.approx(0.3, rel=0.05)


def test_rounding_ties_what_noise_alone_separates() -> None:
    """Two clusters of equals: noise orders each at random, and rounding leaves the clusters."""
    rng = np.random.default_rng(3)
    true_A = np.repeat([0.0, 50.0], 12)
    a_AS, b_AS = (true_A[:, None] + 0.1 * rng.standard_normal((24, 2)) for _ in range(2))
    deviation = seed_deviation(a_AS, b_AS)
    found = measure_rounded_agreement(a_AS, b_AS, resamples=99)
    rounded = [stats.rankdata(np.round(x_AS / deviation), axis=0) for x_AS in (a_AS, b_AS)]
    cross = [stats.kendalltau(rounded[0][:, i], rounded[1][:, 1 - i]).statistic for i in (0, 1)]
    assert found.cross.estimate == pytest.approx(np.mean(cross))


def test_top_k_overlap_counts_its_pairs() -> None:
    a_AS, b_AS = draw(np.random.default_rng(4), 20, 0.7, seeds=3)
    found = measure_top_k_overlap(a_AS, b_AS, [4, 20])
    tops = [[set(np.argsort(-x_A)[:4]) for x_A in x_AS.T] for x_AS in (a_AS, b_AS)]
    cross = [len(tops[0][i] & tops[1][j]) / 4 for i, j in product(range(3), repeat=2) if i != j]
    within = [len(t[i] & t[j]) / 4 for t in tops for i, j in combinations(range(3), 2)]
    assert found[0].cross == pytest.approx(np.mean(cross))
    assert found[0].ceiling == pytest.approx(np.mean(within))
    assert found[0].chance == 0.2
    assert (found[1].cross, found[1].ceiling, found[1].chance) == pytest.approx((1, 1, 1))


def test_chance_is_what_shuffling_overlaps_even_with_ties() -> None:
    rng = np.random.default_rng(5)
    a_AS = np.repeat([[0.0], [1.0], [2.0]], 8, axis=0) + np.zeros((24, 2))
    found = [measure_top_k_overlap(a_AS, rng.permutation(a_AS), [5])[0] for _ in range(400)]
    assert np.mean([o.cross for o in found]) == pytest.approx(found[0].chance, abs=0.02)


def test_tau_among_the_best_is_unbiased_at_zero() -> None:
    rng = np.random.default_rng(6)
    deltas = []
    for _ in range(300):
        found = measure_top_k_agreement(*draw(rng, 40, 1.0), [10, 40], resamples=2)
        deltas.append([r.delta.estimate for r in found])
    error = np.std(deltas, axis=0) / math.sqrt(300)
    assert (np.abs(np.mean(deltas, axis=0)) < 3 * error).all()


def test_regret_is_zero_for_all_and_its_chance_is_that_of_random_draws() -> None:
    rng = np.random.default_rng(7)
    a_AS, b_AS = draw(rng, 12, 0.9)
    everyone = measure_top_k_regret(a_AS, b_AS, 12)
    assert everyone.regret == 0.0
    assert everyone.chance == pytest.approx(0.0, abs=1e-12)
    three = measure_top_k_regret(a_AS, b_AS, 3)
    kept = np.argsort(-a_AS[:, 0])[:3]
    assert three.per_seed[0] == pytest.approx(b_AS[:, 1].max() - b_AS[kept, 1].max())
    each = [
        np.mean([b_AS[:, s].max() - b_AS[list(c), s].max() for c in combinations(range(12), 3)])
        for s in (0, 1)
    ]
    assert three.chance == pytest.approx(np.mean(each))


def test_a_diverged_architecture_scores_as_the_worst() -> None:
    a_AS = np.tile(np.arange(6.0)[:, None], (1, 2))
    scoring_AS = a_AS.copy()
    scoring_AS[5] = -math.inf
    assert measure_top_k_regret(a_AS, scoring_AS, 1).regret == pytest.approx(4.0)


def test_movers_name_who_moved() -> None:
    rng = np.random.default_rng(8)
    true_A = np.arange(24.0)
    a_AS, b_AS = (true_A[:, None] + 0.2 * rng.standard_normal((24, 3)) for _ in range(2))
    b_AS[2] += 30
    b_AS[7, 1] = -math.inf
    found = find_movers(a_AS, b_AS)
    assert np.argmax(np.abs(found.rank_change_A)) == 2
    assert found.rank_change_A[2] == pytest.approx(-21)
    assert found.rank_rule_A[2] == 1.0
    assert found.score_A[2] < -5
    assert found.shift_A[2] == pytest.approx(30, abs=1)
    assert math.isnan(found.shift_A[7])


def test_without_an_effect_about_one_in_twenty_scores_beyond_two() -> None:
    rng = np.random.default_rng(9)
    scores = [find_movers(*draw(rng, 24, 1.0, seeds=3)).score_A for _ in range(200)]
    assert 0.02 < np.mean(np.abs(scores) > 2) < 0.08


def test_k_out_of_range_is_refused() -> None:
    a_AS, b_AS = draw(np.random.default_rng(10), 8, 0.8)
    for refused in (measure_top_k_overlap, measure_top_k_agreement):
        with pytest.raises(InvalidInput, match="k must lie"):
            refused(a_AS, b_AS, [9])
    with pytest.raises(InvalidInput, match="k must lie"):
        measure_top_k_regret(a_AS, b_AS, 0)
