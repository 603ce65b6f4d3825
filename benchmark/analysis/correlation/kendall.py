"""Kendall's tau-b of many columns at once.

Shapes: A architectures, S seeds, R rules, C columns (a column is one rule and seed), P pairs of
columns, B resamples.
"""

from dataclasses import dataclass
from itertools import combinations, product

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from benchmark.analysis.accuracies import check_accuracies
from benchmark.analysis.correlation.concordance import concordance, count_untied, dense_ranks
from benchmark.analysis.intervals import Array

CHUNK_ELEMENTS = 4_000_000


@dataclass(frozen=True)
class ColumnPairs:
    """Pairs of columns; the columns are the first rule's seeds, then the second rule's."""

    left_P: NDArray[np.intp]
    right_P: NDArray[np.intp]
    kind_P: NDArray[np.intp]  # 0 within the first rule, 1 within the second, 2 across

    @classmethod
    def of(cls, first: int, second: int, shared_seeds: bool) -> "ColumnPairs":
        """All pairs of `first` and `second` seeds; across shared seeds, only i != j."""
        within = [(i, j, 0) for i, j in combinations(range(first), 2)]
        within += [(first + i, first + j, 1) for i, j in combinations(range(second), 2)]
        apart = shared_seeds and max(first, second) > 1
        cross = [
            (i, first + j, 2)
            for i, j in product(range(first), range(second))
            if i != j or not apart
        ]
        left, right, kind = np.array(within + cross, dtype=np.intp).T
        return cls(left, right, kind)

    def combine(self, tau_BP: Array) -> tuple[Array, Array, Array]:
        """cross, ceiling and delta, each (B,); NaN where a rule has one seed."""

        def average(kind: int) -> Array:
            chosen_BP = tau_BP[:, self.kind_P == kind]
            if chosen_BP.shape[1] == 0:
                return np.full(len(tau_BP), np.nan)
            return np.asarray(chosen_BP.mean(axis=1))

        cross_B, ceiling_B = average(2), (average(0) + average(1)) / 2
        return cross_B, ceiling_B, ceiling_B - cross_B


def tau(x_A: Array, y_A: Array) -> float:
    """Kendall's tau-b (1945) in O(A log A); NaN where one side is all ties."""
    x_A, y_A = stats.rankdata(x_A), stats.rankdata(y_A)
    return float(stats.kendalltau(x_A, y_A).statistic)


def tau_matrix(acc_RAS: Array) -> Array:
    """tau-b between every rule and seed and every other, for a heat map.

    Args:
        acc_RAS: accuracies, rules x architectures x seeds.

    Returns:
        (R*S, R*S), rule-major: row r * S + s is rule r, seed s. The diagonal is 1.
    """
    column_RAS = np.stack([check_accuracies("acc_RAS", acc_AS) for acc_AS in acc_RAS])
    column_CA = column_RAS.transpose(0, 2, 1).reshape(-1, column_RAS.shape[1])
    rank_CA = stats.rankdata(column_CA, axis=1)
    matrix_CC = np.eye(len(rank_CA))
    for i, j in combinations(range(len(rank_CA)), 2):
        matrix_CC[i, j] = stats.kendalltau(rank_CA[i], rank_CA[j]).statistic
    return np.asarray(np.triu(matrix_CC) + np.triu(matrix_CC, 1).T)


def leave_one_out_taus(rank_AC: Array, pairs: ColumnPairs) -> tuple[Array, Array]:
    """tau-b of every pair, (P,), and again without each architecture in turn, (A, P)."""
    place_CA = [dense_ranks(rank_A) for rank_A in rank_AC.T]
    untied_CA = [count_untied(place_A) for place_A in place_CA]
    whole_P, left_out_PA = [], []
    for i, j in zip(pairs.left_P, pairs.right_P, strict=True):
        agreed_A = concordance(place_CA[i], place_CA[j])
        x_A, y_A = untied_CA[i], untied_CA[j]
        with np.errstate(invalid="ignore", divide="ignore"):
            whole_P.append(agreed_A.sum() / np.sqrt(float(x_A.sum()) * float(y_A.sum())))
            rest_A = np.sqrt((x_A.sum() - 2.0 * x_A) * (y_A.sum() - 2.0 * y_A))
            left_out_PA.append((agreed_A.sum() - 2 * agreed_A) / rest_A)
    return np.array(whole_P), np.array(left_out_PA).T


def _signs(rank_BAC: Array) -> NDArray[np.float32]:
    """Signs of all differences, (B, C, A, A)."""
    rank_BCA = np.swapaxes(rank_BAC, -1, -2).astype(np.float32)
    sign_BCAA: NDArray[np.float32] = np.sign(rank_BCA[..., :, None] - rank_BCA[..., None, :])
    return sign_BCAA


def pairwise_taus(rank_BAC: Array, pairs: ColumnPairs) -> Array:
    """tau-b of every pair of columns, (B, P), by sign matrices of A x A."""
    batch, architectures, columns = rank_BAC.shape
    step = max(1, CHUNK_ELEMENTS // (columns * architectures**2))
    parts = []
    for start in range(0, batch, step):
        sign_BCK = _signs(rank_BAC[start : start + step]).reshape(-1, columns, architectures**2)
        gram_BCC = (sign_BCK @ np.swapaxes(sign_BCK, 1, 2)).astype(np.float64)
        untied_BC = np.sqrt(np.diagonal(gram_BCC, axis1=1, axis2=2))
        with np.errstate(invalid="ignore"):
            tau_BP = gram_BCC[:, pairs.left_P, pairs.right_P] / (
                untied_BC[:, pairs.left_P] * untied_BC[:, pairs.right_P]
            )
        parts.append(tau_BP)
    return np.concatenate(parts)


def weighted_taus(rank_AC: Array, weight_BA: Array, pairs: ColumnPairs) -> Array:
    """tau-b of every pair where architecture a stands for weight_BA[b, a] copies of itself."""
    sign_CAA = _signs(rank_AC[None])[0]
    # float32 is exact here: every sum is an integer of at most A^2 = 10^6 < 2^24.
    copies_BA = weight_BA.astype(np.float32)

    def total(sign_AA: NDArray[np.float32]) -> Array:
        return np.asarray(np.einsum("ba,ba->b", copies_BA @ sign_AA, copies_BA), dtype=np.float64)

    untied_CB = [np.sqrt(total(sign_AA**2)) for sign_AA in sign_CAA]
    with np.errstate(invalid="ignore", divide="ignore"):
        tau_PB = [
            total(sign_CAA[i] * sign_CAA[j]) / (untied_CB[i] * untied_CB[j])
            for i, j in zip(pairs.left_P, pairs.right_P, strict=True)
        ]
    return np.array(tau_PB).T
