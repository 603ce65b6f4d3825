"""Kendall's tau of single-seed pairs, ceiling and delta."""

import math
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmark.analysis.correlation.kendall import (
    ColumnPairs,
    leave_one_out_taus,
    pairwise_taus,
    tau,
    tau_matrix,
    weighted_taus,
)
from benchmark.analysis.intervals import Array
from benchmark.analysis.ranking.rank_agreement import measure_rank_agreement
from search_spaces.errors import InvalidInput


def brute_tau(x_A: list[float], y_A: list[float]) -> float:
    """tau-b by its definition over pairs."""
    signs = [
        ((x_A[i] > x_A[j]) - (x_A[i] < x_A[j]), (y_A[i] > y_A[j]) - (y_A[i] < y_A[j]))
        for i, j in combinations(range(len(x_A)), 2)
    ]
    norm = math.sqrt(sum(a * a for a, _ in signs) * sum(b * b for _, b in signs))
    return sum(a * b for a, b in signs) / norm if norm else math.nan


def draw(rng: np.random.Generator, n: int, agreement: float, seeds: int = 2) -> tuple[Array, Array]:
    """Two rules whose true values correlate by `agreement`; seeds correlate by 0.8."""
    true_A = rng.standard_normal(n)
    other_A = agreement * true_A + math.sqrt(1 - agreement**2) * rng.standard_normal(n)
    return (
        true_A[:, None] + 0.5 * rng.standard_normal((n, seeds)),
        other_A[:, None] + 0.5 * rng.standard_normal((n, seeds)),
    )


@given(
    st.lists(
        st.tuples(st.sampled_from([-math.inf, 0, 1, 2, 3]), st.integers(0, 4)),
        min_size=2,
        max_size=9,
    )
)
def test_every_way_to_tau_is_the_definition(rows: list[tuple[float, float]]) -> None:
    x_AC = np.array(rows, dtype=np.float64)
    expected = pytest.approx(brute_tau(x_AC[:, 0].tolist(), x_AC[:, 1].tolist()), nan_ok=True)
    assert tau(x_AC[:, 0], x_AC[:, 1]) == expected
    pairs = ColumnPairs.of(1, 1, shared_seeds=True)
    finite_AC = np.maximum(x_AC, -1.0)  # ranks: the caller's part
    assert pairwise_taus(finite_AC[None], pairs)[0, 0] == expected
    assert weighted_taus(finite_AC, np.ones((1, len(rows))), pairs)[0, 0] == expected


@given(
    st.lists(
        st.tuples(st.sampled_from([-math.inf, 0, 1, 2, 3]), st.integers(0, 9)),
        min_size=3,
        max_size=70,
    )
)
def test_leaving_one_out_is_the_tau_of_the_rest(rows: list[tuple[float, float]]) -> None:
    x_AC = np.array(rows, dtype=np.float64)
    pairs = ColumnPairs.of(1, 1, shared_seeds=True)
    whole_P, left_out_AP = leave_one_out_taus(x_AC, pairs)
    assert whole_P[0] == pytest.approx(tau(*x_AC.T), nan_ok=True)
    rest = [tau(*np.delete(x_AC, a, axis=0).T) for a in range(len(x_AC))]
    np.testing.assert_allclose(left_out_AP[:, 0], rest, rtol=1e-9, atol=1e-12)


def test_a_weight_is_a_number_of_copies() -> None:
    rng = np.random.default_rng(0)
    x_AC = rng.integers(0, 6, (12, 4)).astype(np.float64)
    weight_BA = rng.multinomial(12, np.full(12, 1 / 12), size=5).astype(np.float64)
    pairs = ColumnPairs.of(2, 2, shared_seeds=False)
    copies = [np.repeat(x_AC, w_A.astype(int), axis=0) for w_A in weight_BA]
    expected_BP = np.concatenate([pairwise_taus(c[None], pairs) for c in copies])
    np.testing.assert_allclose(weighted_taus(x_AC, weight_BA, pairs), expected_BP, rtol=1e-9)


def test_cross_and_ceiling_are_means_over_their_pairs() -> None:
    a_AS, b_AS = draw(np.random.default_rng(1), 24, 0.7, seeds=3)
    found = measure_rank_agreement(a_AS, b_AS, resamples=50, permutations=0)
    cross = [tau(a_AS[:, i], b_AS[:, j]) for i in range(3) for j in range(3) if i != j]
    within = [tau(x[:, i], x[:, j]) for x in (a_AS, b_AS) for i, j in combinations(range(3), 2)]
    assert found.cross.estimate == pytest.approx(np.mean(cross))
    assert found.ceiling.estimate == pytest.approx(np.mean(within))
    assert found.delta.estimate == pytest.approx(np.mean(within) - np.mean(cross))
    apart = measure_rank_agreement(a_AS, b_AS, shared_seeds=False, resamples=50, permutations=0)
    everyone = [tau(a_AS[:, i], b_AS[:, j]) for i in range(3) for j in range(3)]
    assert apart.cross.estimate == pytest.approx(np.mean(everyone))


def test_noise_shared_by_a_seed_does_not_pass_for_agreement() -> None:
    """The same noise under both rules: delta stays zero, for only different seeds are compared."""
    rng = np.random.default_rng(2)
    estimates = []
    for _ in range(300):
        a_AS, _ = draw(rng, 24, 1.0)
        estimates.append(
            measure_rank_agreement(a_AS, a_AS, resamples=2, permutations=0).delta.estimate
        )
    assert estimates == pytest.approx([0.0] * 300)


def test_delta_is_unbiased_at_zero_and_its_test_holds_its_level() -> None:
    rng = np.random.default_rng(3)
    found = [
        measure_rank_agreement(*draw(rng, 24, 1.0), resamples=199, permutations=199)
        for _ in range(600)
    ]
    delta_K = np.array([r.delta.estimate for r in found])
    assert abs(delta_K.mean()) < 3 * delta_K.std() / math.sqrt(len(delta_K))
    p_K = np.array([r.p for r in found])
    assert 0.03 <= np.mean(p_K <= 0.05) <= 0.07
    assert 0.44 <= np.mean(p_K <= 0.5) <= 0.56


def test_a_real_change_of_ranking_is_found() -> None:
    found = measure_rank_agreement(*draw(np.random.default_rng(4), 60, 0.5))
    assert found.delta.low > 0.1
    assert found.p <= 0.002


def test_ranks_alone_matter() -> None:
    a_AS, b_AS = draw(np.random.default_rng(5), 24, 0.8)
    plain = measure_rank_agreement(a_AS, b_AS, resamples=200, permutations=99)
    assert measure_rank_agreement(np.exp(a_AS), b_AS**3, resamples=200, permutations=99) == plain


def test_diverged_replicas_rank_last_as_ties() -> None:
    a_AS, b_AS = draw(np.random.default_rng(6), 24, 0.8)
    b_AS[:3, 0] = b_AS[1, 1] = -math.inf
    found = measure_rank_agreement(a_AS, b_AS, resamples=200, permutations=99)
    assert found.diverged == 4
    low = measure_rank_agreement(a_AS, np.maximum(b_AS, -1e3), resamples=200, permutations=99)
    assert (found.delta, found.cross, found.p) == (low.delta, low.cross, low.p)


def test_one_seed_has_no_ceiling() -> None:
    a_AS, b_AS = draw(np.random.default_rng(7), 24, 0.8, seeds=1)
    found = measure_rank_agreement(a_AS, b_AS)
    assert found.cross.determined
    assert found.cross.estimate == pytest.approx(tau(a_AS[:, 0], b_AS[:, 0]))
    assert "one seed" in found.delta.reason
    assert not found.ceiling.determined
    assert math.isnan(found.p)


def test_all_ties_are_undetermined() -> None:
    a_AS, b_AS = draw(np.random.default_rng(8), 24, 0.8)
    found = measure_rank_agreement(a_AS, np.full_like(b_AS, -math.inf), resamples=50)
    assert not found.cross.determined
    assert "ties" in found.cross.reason
    assert not found.delta.determined
    assert math.isnan(found.p)


def test_all_of_nasbench201_fits() -> None:
    a_AS, b_AS = draw(np.random.default_rng(9), 15_625, 0.9)
    found = measure_rank_agreement(a_AS, b_AS, permutations=0)
    truth = 2 / math.pi * (math.asin(0.8) - math.asin(0.8 * 0.9))
    assert found.delta.estimate == pytest.approx(truth, abs=0.02)
    assert found.delta.contains(truth)
    assert found.delta.high - found.delta.low < 0.02


def test_large_and_small_samples_meet_where_the_method_changes() -> None:
    a_AS, b_AS = draw(np.random.default_rng(10), 301, 0.8)
    large = measure_rank_agreement(a_AS, b_AS, permutations=0).delta
    small = measure_rank_agreement(a_AS[:300], b_AS[:300], permutations=0).delta
    assert small.method != large.method
    assert large.high - large.low == pytest.approx(small.high - small.low, rel=0.05)


def test_the_large_samples_p_is_the_permutation_p() -> None:
    """The same studies with one architecture more, for which the p is Student's."""
    rng = np.random.default_rng(13)
    p_K2 = []
    for agreement in [1.0] * 7 + [0.99] * 3:
        a_AS, b_AS = draw(rng, 301, agreement)
        tables = (a_AS[:300], b_AS[:300]), (a_AS, b_AS)
        p_K2.append(
            [measure_rank_agreement(*each, resamples=2, permutations=299).p for each in tables]
        )
    permuted_K, student_K = np.array(p_K2).T
    assert min(permuted_K) < 0.1 < 0.7 < max(permuted_K)
    assert np.abs(permuted_K - student_K).max() < 0.08


def test_the_large_samples_p_holds_its_level() -> None:
    rng = np.random.default_rng(14)
    p_K = np.array([measure_rank_agreement(*draw(rng, 320, 1.0)).p for _ in range(1000)])
    assert 0.035 <= np.mean(p_K <= 0.05) <= 0.065
    assert 0.45 <= np.mean(p_K <= 0.5) <= 0.55


def test_tau_matrix_is_rule_major_and_symmetric() -> None:
    acc_RAS = np.random.default_rng(11).standard_normal((3, 12, 2))
    matrix_CC = tau_matrix(acc_RAS)
    assert matrix_CC.shape == (6, 6)
    np.testing.assert_array_equal(matrix_CC, matrix_CC.T)
    np.testing.assert_array_equal(np.diag(matrix_CC), 1.0)
    assert matrix_CC[1, 4] == tau(acc_RAS[0, :, 1], acc_RAS[2, :, 0])


def test_bad_tables_are_refused() -> None:
    a_AS, b_AS = draw(np.random.default_rng(12), 8, 0.8)
    with pytest.raises(InvalidInput, match="-inf"):
        measure_rank_agreement(np.where(a_AS > 0, a_AS, math.nan), b_AS)
    with pytest.raises(InvalidInput, match="pair them"):
        measure_rank_agreement(a_AS, b_AS[:, :1])
    with pytest.raises(InvalidInput, match="same architectures"):
        measure_rank_agreement(a_AS, b_AS[:5], shared_seeds=False)
    with pytest.raises(InvalidInput, match="architectures x seeds"):
        measure_rank_agreement(a_AS[:, 0], b_AS)
