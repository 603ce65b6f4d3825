"""Other measures of agreement between two rules' rankings, beside tau.

Shapes: A architectures, S seeds, C columns (the reference's seeds, then the rule's), P pairs of
columns, B resamples. A diverged replica is -inf.
"""

import math
from dataclasses import dataclass

import numpy as np
from scipy import stats

from benchmark.analysis.accuracies import check_paired
from benchmark.analysis.correlation.kendall import ColumnPairs
from benchmark.analysis.intervals import LEVEL, RESAMPLED, RESAMPLES, Array, Interval, bca_interval
from benchmark.analysis.ranking.rank_agreement import (
    PERMUTATIONS,
    RankAgreement,
    measure_rank_agreement,
)
from search_spaces.errors import InvalidInput


@dataclass(frozen=True)
class CrossAndCeiling:
    """cross, ceiling and delta = ceiling - cross, as for tau."""

    cross: Interval
    ceiling: Interval
    delta: Interval


def _spearman(x_BAC: Array, pairs: ColumnPairs) -> tuple[Array, Array, Array]:
    """cross, ceiling and delta of each resample, (B,); every column is ranked once."""
    rank_BAC = stats.rankdata(x_BAC, axis=1)
    rank_BAC -= rank_BAC.mean(axis=1, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        rank_BAC /= np.sqrt((rank_BAC**2).sum(axis=1, keepdims=True))
    rho_BCC = np.swapaxes(rank_BAC, 1, 2) @ rank_BAC
    return pairs.combine(rho_BCC[:, pairs.left_P, pairs.right_P])


def measure_spearman_agreement(
    reference_AS: Array,
    rule_AS: Array,
    *,
    level: float = LEVEL,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> CrossAndCeiling:
    """Spearman's rho over single-seed pairs, with BCa intervals over architectures.

    Undetermined below 6 architectures, with one seed, and (no interval, only the estimate) above
    1000 architectures, where `measure_rank_agreement` answers the question for less.
    """
    reference_AS, rule_AS = check_paired(reference_AS, rule_AS)
    x_AC = np.concatenate([reference_AS, rule_AS], axis=1)
    n, seeds = reference_AS.shape
    pairs = ColumnPairs.of(seeds, seeds, shared_seeds=True)
    point = [float(v_B[0]) for v_B in _spearman(x_AC[None], pairs)]
    reason = "fewer than 6 architectures" if n < 6 else "too many architectures to resample"
    if n < 6 or n > RESAMPLED or seeds < 2:
        reason = reason if seeds > 1 else "one seed: there is no ceiling"
        undetermined = [Interval.undetermined(reason, estimate=x, n=n) for x in point]
        return CrossAndCeiling(*undetermined)
    rest_NM = np.array([np.delete(np.arange(n), i) for i in range(n)])
    drawn_BN = np.random.default_rng(seed).integers(0, n, (resamples, n))
    jackknife = _spearman(x_AC[rest_NM], pairs)
    replicates = _spearman(x_AC[drawn_BN], pairs)
    return CrossAndCeiling(
        *(
            bca_interval(x, r_B, j_N, level=level)
            for x, r_B, j_N in zip(point, replicates, jackknife, strict=True)
        )
    )


def measure_weighted_agreement(reference_AS: Array, rule_AS: Array) -> CrossAndCeiling:
    """Vigna's weighted tau (2015) over single-seed pairs: exchanges near the top weigh more.

    Estimates only: its hyperbolic weights depend on the number of architectures, so there is no
    population value for an interval to cover.
    """
    reference_AS, rule_AS = check_paired(reference_AS, rule_AS)
    x_AC = stats.rankdata(np.concatenate([reference_AS, rule_AS], axis=1), axis=0)
    seeds = reference_AS.shape[1]
    pairs = ColumnPairs.of(seeds, seeds, shared_seeds=True)
    each = [
        float(stats.weightedtau(x_AC[:, i], x_AC[:, j]).statistic)
        for i, j in zip(pairs.left_P, pairs.right_P, strict=True)
    ]
    found = pairs.combine(np.array([each]))
    reason = "a weighted tau depends on the number of architectures"
    return CrossAndCeiling(
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


def measure_rounded_agreement(
    reference_AS: Array,
    rule_AS: Array,
    *,
    level: float = LEVEL,
    resamples: int = RESAMPLES,
    permutations: int = PERMUTATIONS,
    seed: int = 0,
) -> RankAgreement:
    """`measure_rank_agreement` after rounding accuracies to multiples of the pooled seed deviation.

    Most differences below seed noise become ties, so less of the disagreement is noise. Raises
    InvalidInput with one seed, or where seeds do not differ at all.
    """
    reference_AS, rule_AS = check_paired(reference_AS, rule_AS)
    deviation = seed_deviation(reference_AS, rule_AS)
    if not deviation > 0:
        raise InvalidInput("rounding to the seed deviation needs two seeds that differ")
    return measure_rank_agreement(
        np.round(reference_AS / deviation),
        np.round(rule_AS / deviation),
        level=level,
        resamples=resamples,
        permutations=permutations,
        seed=seed,
    )
