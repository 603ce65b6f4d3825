"""By how much does a rule change accuracy, where in the ranking, and along what?

Shapes: A architectures, S seeds, B permutations.
Accuracies are paired by architecture and seed; a diverged replica is -inf. An architecture with a
diverged replica under either rule has no finite shift: it is left out of the means, counted, and
still votes in the share improved. To score divergence at chance instead, pass chance accuracy.
Signs are flipped here, not by ``scipy.stats.permutation_test``: whole blocks at once, in bounded
memory.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from benchmark.analysis.accuracies import check_paired
from benchmark.analysis.correlation.spearman import spearman_interval, spearman_p
from benchmark.analysis.intervals import (
    LEVEL,
    RESAMPLED,
    RESAMPLES,
    Array,
    Interval,
    check_level,
    mean_interval,
    median_interval,
    share_interval,
)
from benchmark.analysis.ranking.seed_effect import (
    estimate_seed_variance,
    mean_of_shared_seeds,
    mean_p,
    own_level,
    widen_interval,
)
from search_spaces.errors import InvalidInput

PERMUTATIONS = 1999
SIGNS_AT_ONCE = 2_000_000


@dataclass(frozen=True)
class Shift:
    """Accuracy of a rule minus accuracy of the reference.

    `thirds` runs bottom, middle, top of the reference ranking. `shift_A` is the mean over seeds,
    NaN where a replica diverged. `p` is two-sided for a mean of zero. `diverged` counts
    architectures.
    """

    mean: Interval
    median: Interval
    thirds: tuple[Interval, Interval, Interval]
    share_improved: Interval
    p: float
    shift_A: Array
    architectures: int
    seeds: int
    diverged: int


@dataclass(frozen=True)
class Bias:
    """Spearman's correlation of the shift with a covariate, and its permutation p."""

    correlation: Interval
    p: float


def measure_accuracy_shift(
    reference_AS: Array,
    rule_AS: Array,
    *,
    nested: bool = False,
    level: float = LEVEL,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Shift:
    """The shift from `reference_AS` to `rule_AS`, over all architectures and by thirds.

    The thirds answer whether gains sit at the top or at the bottom. Formed and scored on the same
    seed they would mislead: the bottom third is partly bad luck, and recovers under any rule
    (regression to the mean). So the third of an architecture, for the seed being scored, is formed
    from the reference accuracies of the other seeds; every seed is scored in turn. With one seed
    the thirds are undetermined.

    Intervals are over architectures: bootstrap-t for means, order statistics for the median, Wilson
    for the share of architectures whose mean over seeds improves (a tie is no improvement). `p`
    flips the signs of the shifts at random, exact where they are symmetric around zero; above 1000
    architectures it is Student's.

    A seed shared by all architectures (one split, one order of the data) moves all of them at once.
    The variance of that common effect is estimated from the table of shifts (two-way layout, its
    critical value between Student's of the architectures and of the seeds) and widens the intervals
    of means and median, and `p`; simulated coverage of the mean at 24 architectures is 0.93 to 0.97
    with 2 or 3 seeds and a common effect of 0 to 0.6 of the architectures' own spread, where
    resampling architectures alone falls to 0.72. Seeds nested in architectures (each has its own
    split and order) need no such term. With one seed the common effect cannot be seen: the interval
    holds for that seed.

    Args:
        reference_AS, rule_AS: accuracies, architectures x seeds; -inf where diverged.
        nested: True where no two architectures share a seed's draws.
    """
    check_level(level)
    reference_AS, rule_AS = check_paired(reference_AS, rule_AS)
    architectures, seeds = reference_AS.shape
    finite_A = np.isfinite(reference_AS).all(axis=1) & np.isfinite(rule_AS).all(axis=1)
    shift_AS = np.full(reference_AS.shape, math.nan)
    shift_AS[finite_A] = rule_AS[finite_A] - reference_AS[finite_A]
    shift_A = shift_AS.mean(axis=1)
    improved_A = rule_AS.mean(axis=1) > reference_AS.mean(axis=1)
    third_AS = _thirds_from_other_seeds(reference_AS)

    whole_AS = shift_AS[finite_A]
    seed_variance = 0.0 if nested else estimate_seed_variance(whole_AS)
    plain = nested or seeds < 2
    own = level if plain else own_level(level, seeds)

    def widen(interval: Interval) -> Interval:
        return interval if plain else widen_interval(interval, seed_variance, seeds, level=level)

    def mean(values: Array) -> Interval:
        return widen(mean_interval(values, level=own, resamples=resamples, seed=seed))

    def third(which: int) -> Interval:
        if seeds < 2:
            return Interval.undetermined(
                "one seed: thirds would be scored on the seed that formed them"
            )
        inside_AS = (third_AS == which)[finite_A]
        weight_A = inside_AS.sum(axis=1)
        if not weight_A.any():
            return Interval.undetermined("every architecture of this third diverged")
        total_A = (shift_AS[finite_A] * inside_AS).sum(axis=1)
        ratio = total_A.sum() / weight_A.sum()
        # A ratio of sums over architectures, linearized: its mean is the ratio itself.
        scored_A = weight_A > 0
        residual_A = (total_A - ratio * weight_A)[scored_A]
        return mean(ratio + residual_A / weight_A[scored_A].mean())

    return Shift(
        mean=mean(shift_A[finite_A])
        if nested
        else mean_of_shared_seeds(whole_AS, level=level, resamples=resamples, seed=seed),
        median=widen(median_interval(shift_A[finite_A], level=own)),
        thirds=(third(0), third(1), third(2)),
        share_improved=share_interval(int(improved_A.sum()), architectures, level=level),
        p=_shift_p(shift_A[finite_A], seed_variance, seeds, seed),
        shift_A=shift_A,
        architectures=architectures,
        seeds=seeds,
        diverged=int((~finite_A).sum()),
    )


def _thirds_from_other_seeds(reference_AS: Array) -> NDArray[np.intp]:
    """0, 1 or 2 (bottom, middle, top) per architecture and scored seed, from the other seeds."""
    architectures, seeds = reference_AS.shape
    columns = []
    for scored in range(seeds):
        other_A = np.delete(reference_AS, scored, axis=1).sum(axis=1)
        rank_A = stats.rankdata(other_A, method="ordinal") - 1
        columns.append((3 * rank_A) // architectures)
    return np.stack(columns, axis=1)


def _shift_p(shift_A: Array, seed_variance: float, seeds: int, seed: int) -> float:
    """The sign-flip p, or the one that knows of the seeds' common effect, whichever is larger."""
    p = _sign_flip_p(shift_A, seed)
    if not seed_variance > 0:
        return p
    own = float(shift_A.var(ddof=1)) / len(shift_A)
    return max(p, mean_p(float(shift_A.mean()), own, seed_variance, len(shift_A), seeds))


def _sign_flip_p(shift_A: Array, seed: int) -> float:
    """Two-sided p of a mean shift of zero, by random sign flips per architecture."""
    if len(shift_A) < 2:
        return math.nan
    if len(shift_A) > RESAMPLED:
        return float(stats.ttest_1samp(shift_A, 0.0).pvalue)
    rng = np.random.default_rng([seed, 3])
    observed = abs(float(shift_A.mean()))
    extreme, step = 0, max(1, SIGNS_AT_ONCE // len(shift_A))
    for start in range(0, PERMUTATIONS, step):
        rows = min(step, PERMUTATIONS - start)
        sign_BA = rng.integers(0, 2, (rows, len(shift_A)), dtype=np.int8) * 2.0 - 1.0
        # Equal means must count as equal whatever the order of summation.
        extreme += int((np.abs(sign_BA @ shift_A) / len(shift_A) >= observed * (1 - 1e-12)).sum())
    return (1 + extreme) / (1 + PERMUTATIONS)


def correlate_shift(
    shift_A: Array,
    covariates: Mapping[str, Array],
    *,
    level: float = LEVEL,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> dict[str, Bias]:
    """Does the shift follow depth, parameters or the number of convolutions?

    Args:
        shift_A: `Shift.shift_A`; architectures that are NaN there are left out.
        covariates: name -> value per architecture, (A,).
    """
    finite_A = np.isfinite(shift_A)
    checked = {}
    for name, value_A in covariates.items():
        value_A = np.asarray(value_A, dtype=np.float64)
        if value_A.shape != shift_A.shape or not np.isfinite(value_A).all():
            raise InvalidInput(f"covariate {name!r} needs one finite value for each architecture")
        x_A, y_A = value_A[finite_A], shift_A[finite_A]
        correlation = spearman_interval(x_A, y_A, level=level, resamples=resamples, seed=seed)
        checked[name] = Bias(correlation, spearman_p(x_A, y_A, seed=seed))
    return checked
