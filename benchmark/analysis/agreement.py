"""Other measures of agreement between two rules' rankings, beside tau.

Shapes: A architectures, S seeds, C columns (the reference's seeds, then the rule's), P pairs of
columns, B resamples. A diverged replica is -inf.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from scipy import stats

from benchmark.analysis.accuracies import check_paired
from benchmark.analysis.bootstrap import (
    LEVEL,
    RESAMPLED,
    RESAMPLES,
    Array,
    Interval,
    bca_interval,
    jackknife_interval,
)
from benchmark.analysis.kendall import ColumnPairs
from benchmark.analysis.ranking import RankAgreement, rank_agreement
from benchmark.analysis.spearman import spearman_rows
from search_spaces.errors import InvalidInput


@dataclass(frozen=True)
class Agreement:
    """cross, ceiling and delta = ceiling - cross, as for tau."""

    cross: Interval
    ceiling: Interval
    delta: Interval


def _combined(
    rows_BAC: Array, pairs: ColumnPairs, measure: Callable[[Array, Array], Array]
) -> tuple[Array, Array, Array]:
    each = [
        measure(rows_BAC[:, :, i], rows_BAC[:, :, j])
        for i, j in zip(pairs.left_P, pairs.right_P, strict=True)
    ]
    return pairs.combine(np.stack(each, axis=1))


def spearman_agreement(
    reference_AS: Array,
    rule_AS: Array,
    *,
    level: float = LEVEL,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Agreement:
    """Spearman's rho over single-seed pairs: jackknife t for cross and ceiling, BCa for delta.

    Undetermined below 6 architectures, with one seed, and (no interval, only the estimate) above
    1000 architectures, where `rank_agreement` answers the question for less.
    """
    reference_AS, rule_AS = check_paired(reference_AS, rule_AS)
    x_AC = np.concatenate([reference_AS, rule_AS], axis=1)
    n, seeds = reference_AS.shape
    pairs = ColumnPairs.of(seeds, seeds, shared_seeds=True)
    point = [float(v_B[0]) for v_B in _combined(x_AC[None], pairs, spearman_rows)]
    reason = "fewer than 6 architectures" if n < 6 else "too many architectures to resample"
    if n < 6 or n > RESAMPLED or seeds < 2:
        reason = reason if seeds > 1 else "one seed: there is no ceiling"
        undetermined = [Interval.undetermined(reason, estimate=x, n=n) for x in point]
        return Agreement(*undetermined)
    rest_NM = np.array([np.delete(np.arange(n), i) for i in range(n)])
    drawn_BN = np.random.default_rng(seed).integers(0, n, (resamples, n))
    jackknife = _combined(x_AC[rest_NM], pairs, spearman_rows)
    cross, ceiling = (
        jackknife_interval(x, j_N, n, level=level)
        for x, j_N in zip(point[:2], jackknife[:2], strict=True)
    )
    delta_B = _combined(x_AC[drawn_BN], pairs, spearman_rows)[2]
    return Agreement(
        replace(cross, low=max(cross.low, -1.0), high=min(cross.high, 1.0)),
        replace(ceiling, low=max(ceiling.low, -1.0), high=min(ceiling.high, 1.0)),
        bca_interval(point[2], delta_B, jackknife[2], level=level),
    )


def weighted_tau_agreement(reference_AS: Array, rule_AS: Array) -> Agreement:
    """Vigna's weighted tau (2015) over single-seed pairs: exchanges near the top weigh more.

    Estimates only: its hyperbolic weights depend on the number of architectures, so there is no
    population value for an interval to cover.
    """
    reference_AS, rule_AS = check_paired(reference_AS, rule_AS)
    x_AC = stats.rankdata(np.concatenate([reference_AS, rule_AS], axis=1), axis=0)
    seeds = reference_AS.shape[1]

    def measure(x_BA: Array, y_BA: Array) -> Array:
        return np.array([stats.weightedtau(x_BA[0], y_BA[0]).statistic])

    found = _combined(x_AC[None], ColumnPairs.of(seeds, seeds, shared_seeds=True), measure)
    reason = "a weighted tau depends on the number of architectures"
    return Agreement(
        *(Interval.undetermined(reason, estimate=float(v_B[0]), n=len(x_AC)) for v_B in found)
    )


def seed_deviation(*acc_AS: Array) -> float:
    """Standard deviation over seeds, pooled over architectures and rules without divergence.

    NaN with one seed.
    """
    variances = [
        table_AS[np.isfinite(table_AS).all(axis=1)].var(axis=1, ddof=1)
        for table_AS in acc_AS
        if table_AS.shape[1] > 1
    ]
    pooled = np.concatenate(variances) if variances else np.array([])
    return math.sqrt(float(pooled.mean())) if len(pooled) else math.nan


def rounded_tau_agreement(
    reference_AS: Array,
    rule_AS: Array,
    *,
    level: float = LEVEL,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> RankAgreement:
    """`rank_agreement` after rounding accuracies to multiples of the pooled seed deviation.

    Differences below seed noise become ties, so what is left to disagree on is real (White et al.,
    2021, round to 0.1% for the same reason). Raises InvalidInput with one seed or without spread.
    """
    reference_AS, rule_AS = check_paired(reference_AS, rule_AS)
    deviation = seed_deviation(reference_AS, rule_AS)
    if not deviation > 0:
        raise InvalidInput("rounding to the seed deviation needs two seeds that differ")
    return rank_agreement(
        np.round(reference_AS / deviation),
        np.round(rule_AS / deviation),
        level=level,
        resamples=resamples,
        seed=seed,
    )
