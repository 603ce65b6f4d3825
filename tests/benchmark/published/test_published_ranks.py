"""Ranks of the published accuracies: laws, planted truth, and the facts known of them."""

from __future__ import annotations

import os
from functools import cache, partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy import stats

from benchmark.findings.published.seeds import Data, measure_seed_scatter
from benchmark.published.agreement import (
    Index,
    find_top,
    jackknife_statistic,
    measure_agreement,
    two_seeds,
)
from benchmark.published.rate_classes import (
    between_share,
    compute_multipliers,
    measure_rate_classes,
)
from benchmark.published.table import Published, read_table

SCORES = st.one_of(st.just(np.nan), st.integers(0, 4).map(float))


@given(arrays.arrays(float, st.integers(1, 12), elements=SCORES), st.integers(0, 14))
def test_the_top_is_the_best_k_with_a_score_and_the_lower_index_of_equals(
    score_A: np.ndarray, k: int
) -> None:
    scored = [i for i, score in enumerate(score_A) if not np.isnan(score)]
    best = sorted(scored, key=lambda i: (-score_A[i], i))[:k]
    assert set(np.flatnonzero(find_top(score_A, k))) == set(best)


@given(arrays.arrays(float, st.tuples(st.integers(1, 8), st.integers(0, 4)), elements=SCORES))
def test_two_seeds_are_the_first_two_there_are(value_AS: np.ndarray) -> None:
    for row, pair in zip(value_AS, two_seeds(value_AS), strict=True):
        held = row[~np.isnan(row)]
        np.testing.assert_array_equal(pair, held[:2] if len(held) > 1 else [np.nan, np.nan])


def test_agreement_is_the_mean_over_seeds_of_the_cells_that_have_all_values() -> None:
    generator = np.random.default_rng(1)
    y_A = generator.normal(size=40).round(1)
    x_AS = (y_A[:, None] + generator.normal(size=(40, 3))).round(1)
    x_AS[3, 1], y_A[5] = np.nan, np.nan
    among_A = np.arange(40) > 1
    kept = [i for i in range(2, 40) if i not in (3, 5)]
    found = measure_agreement(x_AS, y_A, among_A)
    assert found.tau.n == found.spearman.n == len(kept)
    for value, function in ((found.tau, stats.kendalltau), (found.spearman, stats.spearmanr)):
        each = [function(x_AS[kept, s], y_A[kept]).statistic for s in range(3)]
        assert value.estimate == pytest.approx(np.mean(each))
        assert -1 <= value.low < value.estimate < value.high <= 1


def test_a_replica_that_diverged_ranks_last() -> None:
    y_A = np.arange(8.0)
    x_A = y_A.copy()
    x_A[0] = -np.inf
    assert measure_agreement(x_A, y_A).tau.estimate == pytest.approx(1)


@pytest.mark.parametrize("n", [0, 1, 5])
def test_too_few_cells_leave_it_undetermined(n: int) -> None:
    value = measure_agreement(np.arange(n, dtype=float), np.arange(n, dtype=float)).tau
    assert not value.determined
    assert value.reason == "fewer than 6 architectures"


def signs(x_N: np.ndarray) -> np.ndarray:
    return np.asarray(np.sign(x_N[:, None] - x_N), dtype=np.float32)


def taken(rows: Index, y_NN: np.ndarray, x_NN: np.ndarray) -> float:
    """tau of columns without ties, from the signs of all their differences."""
    kept = np.ix_(rows, rows)
    return float(np.vdot(x_NN[kept], y_NN[kept]) / (len(rows) * (len(rows) - 1)))


def gained(rows: Index, y_NN: np.ndarray, x_NN: np.ndarray, other_NN: np.ndarray) -> float:
    return taken(rows, y_NN, x_NN) - taken(rows, y_NN, other_NN)


@pytest.mark.parametrize(("n", "rho"), [(24, 0.6), (60, 0.0)])
def test_intervals_of_tau_and_of_a_difference_cover_planted_truth(n: int, rho: float) -> None:
    """Of normal pairs tau is 2 asin(rho) / pi; two like columns differ by 0 on average."""
    generator = np.random.default_rng(7)
    truth, repeats, tau_held, gain_held = 2 * np.arcsin(rho) / np.pi, 200, 0, 0
    for _ in range(repeats):
        y_N = generator.normal(size=n)
        x_2N = rho * y_N + np.sqrt(1 - rho**2) * generator.normal(size=(2, n))

        y_NN, x_NN, other_NN = signs(y_N), signs(x_2N[0]), signs(x_2N[1])
        tau_held += jackknife_statistic(partial(taken, y_NN=y_NN, x_NN=x_NN), n).contains(truth)
        gain = partial(gained, y_NN=y_NN, x_NN=x_NN, other_NN=other_NN)
        gain_held += jackknife_statistic(gain, n).contains(0)
    # 200 draws of 0.95: four standard errors are 0.062.
    assert tau_held / repeats >= 0.888
    assert gain_held / repeats >= 0.888
    assert tau_held + gain_held < 2 * repeats


def test_intervals_by_groups_cover_a_planted_mean() -> None:
    generator = np.random.default_rng(11)
    held = 0
    for _ in range(400):
        x_N = generator.exponential(size=500)
        held += jackknife_statistic(lambda rows, x_N=x_N: float(x_N[rows].mean()), 500).contains(1)  # type: ignore[misc]
    assert abs(held / 400 - 0.95) < 4 * np.sqrt(0.95 * 0.05 / 400)


def test_the_share_between_classes_is_0_by_chance_and_1_when_classes_are_all() -> None:
    generator = np.random.default_rng(2)
    chance = [
        between_share(generator.integers(0, 20, 100), generator.normal(size=100))
        for _ in range(300)
    ]
    assert abs(np.mean(chance)) < 4 * np.std(chance) / np.sqrt(300)
    class_N = np.repeat(np.arange(5), 40)
    assert between_share(class_N, class_N.astype(float)) == pytest.approx(1)
    assert np.isnan(between_share(np.arange(9), np.arange(9.0)))


def test_classes_by_brute_force() -> None:
    generator = np.random.default_rng(3)
    rate_A = generator.choice([0.1, 0.1 + 1e-12, 0.3, np.nan], 60)
    accuracy_A = generator.uniform(size=60)
    found = measure_rate_classes(rate_A, accuracy_A)
    rates = [round(float(rate), 6) for rate in rate_A if not np.isnan(rate)]
    n = len(rates)
    same = sum(rates[i] == rates[j] for i in range(n) for j in range(i))
    assert found.classes == 2
    assert found.pairs == pytest.approx(same / (n * (n - 1) / 2))
    assert found.within**2 + found.between**2 == pytest.approx(
        np.var(accuracy_A[~np.isnan(rate_A)])
    )
    assert found.share.n == n


def test_multipliers_leave_out_what_gives_all_cells_one_rate() -> None:
    found = compute_multipliers()
    assert {"path-cubed", "effective-depth", "shuffled"} <= found.keys()
    assert found.keys().isdisjoint({"default", "tuned-constant", "geometric-mean"})
    for value_A in found.values():
        assert np.isnan(value_A).sum() == 341
    dealt, own = (np.sort(found[name]) for name in ("shuffled", "path-cubed"))
    np.testing.assert_array_equal(dealt, own)


@cache
def full() -> Published:
    path = os.environ.get("PUBLISHED_TABLE")
    if path is None:
        pytest.skip("PUBLISHED_TABLE does not point to the full table")
    return read_table(path)


@pytest.mark.parametrize(
    ("dataset", "best", "index"),
    [("cifar10", 0.9437, 6111), ("cifar100", 0.7351, 9930), ("imagenet16-120", 0.4731, 857)],
)
def test_the_best_cells_are_those_that_are_known(dataset: str, best: float, index: int) -> None:
    value_A = full().accuracy_A(dataset)
    assert int(np.nanargmax(value_A)) == index
    assert round(float(value_A[index]), 4) == best


def test_the_resnet_like_cell_is_where_it_is_known() -> None:
    assert full().accuracy_A("cifar10")[11_472] == pytest.approx(0.9391, abs=1e-6)


def test_published_seeds_agree_as_known() -> None:
    """Pairs of seeds of 13,400 cells; the top 1,000 of them by their mean over seeds."""
    data = Data.of(full(), "cifar10")
    pair = data.pair_A2[:, 0], data.pair_A2[:, 1]
    assert round(measure_agreement(*pair).spearman.estimate, 3) == 0.986
    assert round(measure_agreement(*pair, data.among_seeds()).spearman.estimate, 3) == 0.565
    assert round(100 * measure_seed_scatter(data), 2) == 0.21


@pytest.mark.parametrize(
    ("dataset", "every", "best"),
    [
        ("cifar10", 0.871, 0.605),
        ("cifar100", 0.824, 0.470),
        ("imagenet16-120", 0.809, 0.251),
    ],
)
def test_12_epochs_rank_as_known(dataset: str, every: float, best: float) -> None:
    """Up to eleven cells tie at the border of the top 1,000; which of them count moves the
    correlation there by up to 0.005."""
    data = Data.of(full(), dataset)
    columns = data.short_A, data.long_A
    assert round(measure_agreement(*columns).spearman.estimate, 3) == every
    assert measure_agreement(*columns, find_top(data.long_A)).spearman.estimate == pytest.approx(
        best, abs=0.005
    )


def test_path_cubeds_multiplier_follows_accuracy_as_known() -> None:
    for dataset in ("cifar10", "cifar100", "imagenet16-120"):
        value = measure_agreement(
            compute_multipliers()["path-cubed"], full().accuracy_A(dataset)
        ).spearman
        assert value.n == 15_625 - 341
        assert value.estimate == pytest.approx(-0.68, abs=0.015)
