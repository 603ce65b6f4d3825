"""Does the ranking of architectures survive a change of rule?

Kendall's tau-b of single-seed accuracies: *cross* between two rules, *ceiling* between seeds of
one rule, and delta = ceiling - cross. A single seed ranks 24 architectures with noise of its own,
so cross alone says little: only what it loses against the ceiling is due to the rule.

Shapes: A architectures, S seeds, C columns (the reference's seeds, then the rule's), P pairs of
columns, B resamples.
Diverged replicas are `-inf`: ranked last, as ties. NaN is refused.
"""

import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import stats

from benchmark.analysis.accuracies import check_accuracies, check_paired
from benchmark.analysis.correlation.kendall import (
    ColumnPairs,
    leave_one_out_taus,
    pairwise_taus,
    weighted_taus,
)
from benchmark.analysis.intervals import (
    LEVEL,
    RESAMPLES,
    Array,
    Interval,
    bca_interval,
    jackknife_error,
    jackknife_interval,
)
from search_spaces.errors import InvalidInput

SIGN_MATRIX_ARCHITECTURES = 300  # beyond it, large-sample laws say the same for far less
PERMUTATIONS = 999


@dataclass(frozen=True)
class RankAgreement:
    """How well two rules agree on a ranking, and how well they could.

    `p` is one-sided for delta > 0, by permutation; NaN where delta is undetermined. `diverged`
    counts replicas of both rules.
    """

    cross: Interval
    ceiling: Interval
    delta: Interval
    p: float
    architectures: int
    seeds: int
    diverged: int


def measure_rank_agreement(
    reference_AS: Array,
    rule_AS: Array,
    *,
    shared_seeds: bool = True,
    level: float = LEVEL,
    resamples: int = RESAMPLES,
    permutations: int = PERMUTATIONS,
    seed: int = 0,
) -> RankAgreement:
    """Cross, ceiling and delta between the rankings of two rules.

    cross is the mean tau-b of reference seed i with rule seed j, i != j where the two share seeds
    (data order and noise): otherwise shared noise would pass for agreement. ceiling is the mean of
    the within-reference and the within-rule seed-pair taus. All are U-statistics, so delta is
    unbiased, and at zero its mean is zero. If one rule's accuracies are much noisier than the
    other's, equal rankings give a slightly positive delta (within-rule taus of 0.5 and 0.8: +0.04),
    since the mean of two taus exceeds what their cross can reach.

    Intervals are over architectures, every tau recomputed with architectures resampled or left out;
    seeds are never resampled (a seed drawn twice agrees with itself). For cross and ceiling:
    delete-one jackknife t, consistent for U-statistics (Arvesen, 1969); simulated coverage 0.95 to
    0.97. For delta: BCa bootstrap, 0.93 to 0.97 at 24 architectures and 2 seeds, at delta = 0 too,
    where the percentile interval covers 0.96 to 0.99. Above 300 architectures delta takes the
    jackknife t as well, which covers 0.94 to 0.96 there.

    `p` permutes the two rules' labels within each architecture and seed, on ranks: exact where the
    rule has no effect on any architecture. Above 300 architectures it is Student's, of delta over
    its jackknife error, to which the permutation p of a studentized statistic tends (Janssen, 1997;
    Chung and Romano, 2013).

    Args:
        reference_AS, rule_AS: accuracies, architectures x seeds; -inf where diverged.
    """
    reference_AS = check_accuracies("reference_AS", reference_AS)
    rule_AS = check_accuracies("rule_AS", rule_AS)
    if shared_seeds:
        check_paired(reference_AS, rule_AS)
    elif len(reference_AS) != len(rule_AS):
        raise InvalidInput("reference_AS and rule_AS must have the same architectures as rows")
    both_AC = np.concatenate([reference_AS, rule_AS], axis=1)
    rank_AC = stats.rankdata(both_AC, axis=0)
    first, second = reference_AS.shape[1], rule_AS.shape[1]
    pairs = ColumnPairs.of(first, second, shared_seeds)
    tau_P, left_out_AP = leave_one_out_taus(rank_AC, pairs)
    point = [float(x_B[0]) for x_B in pairs.combine(tau_P[None])]
    jackknife = pairs.combine(left_out_AP)
    cross, ceiling, delta = _intervals(rank_AC, point, jackknife, pairs, level, resamples, seed)
    testable = delta.determined and first == second and permutations > 0
    return RankAgreement(
        cross,
        ceiling,
        delta,
        p=_p(rank_AC, point[2], jackknife[2], pairs, permutations, seed) if testable else math.nan,
        architectures=len(rank_AC),
        seeds=min(first, second),
        diverged=int(np.isneginf(both_AC).sum()),
    )


def _intervals(
    rank_AC: Array,
    point: list[float],
    jackknife: Sequence[Array],
    pairs: ColumnPairs,
    level: float,
    resamples: int,
    seed: int,
) -> list[Interval]:
    """Intervals of cross, ceiling and delta."""
    n = len(rank_AC)
    if n < 4:
        reason = f"{n} architectures are too few to resample"
        return [Interval.undetermined(reason, estimate=x, n=n) for x in point]
    made = [
        jackknife_interval(x, x_A, n, level=level) for x, x_A in zip(point, jackknife, strict=True)
    ]
    made[:2] = [replace(i, low=max(i.low, -1.0), high=min(i.high, 1.0)) for i in made[:2]]
    if n <= SIGN_MATRIX_ARCHITECTURES:
        rng = np.random.default_rng(seed)
        weight_BA = rng.multinomial(n, np.full(n, 1 / n), size=resamples).astype(np.float64)
        delta_B = pairs.combine(weighted_taus(rank_AC, weight_BA, pairs))[2]
        made[2] = bca_interval(point[2], delta_B, jackknife[2], level=level)
    one_seed = not {0, 1} <= set(pairs.kind_P.tolist())
    reasons = [
        "every architecture ties" if math.isnan(point[0]) else "",
        "one seed: there is no ceiling" if one_seed else "",
        "one seed: there is no ceiling" if one_seed else "",
    ]
    return [
        Interval.undetermined(reason, estimate=x, n=n) if reason else interval
        for x, reason, interval in zip(point, reasons, made, strict=True)
    ]


def _p(
    rank_AC: Array,
    delta: float,
    jackknife_A: Array,
    pairs: ColumnPairs,
    permutations: int,
    seed: int,
) -> float:
    """One-sided p of delta: the rules' labels swapped at random in each architecture and seed."""
    if len(rank_AC) > SIGN_MATRIX_ARCHITECTURES:
        p = float(stats.t.sf(delta / jackknife_error(jackknife_A), len(rank_AC) - 1))
        return max(p, sys.float_info.min)
    rng = np.random.default_rng([seed, 1])
    n, columns = rank_AC.shape
    half = columns // 2
    reference_AS, rule_AS = rank_AC[:, :half], rank_AC[:, half:]
    swap_BAS = rng.random((permutations, n, half)) < 0.5
    dealt_BAC = np.concatenate(
        [np.where(swap_BAS, rule_AS, reference_AS), np.where(swap_BAS, reference_AS, rule_AS)],
        axis=2,
    )
    delta_B = pairs.combine(pairwise_taus(dealt_BAC, pairs))[2]
    # Equal deltas must count as equal whatever the order of summation.
    return float((1 + np.sum(delta_B >= delta - 1e-12)) / (1 + permutations))
