"""What a seed does to all architectures at once, and how much wider it makes an interval.

A seed that is shared by all architectures (one split, one order of the data) moves the accuracy of
all of them together, so 24 architectures tell no more of it than one: there are as many draws of it
as there are seeds. Resampling architectures cannot see it.

Shapes: A architectures, S seeds.
"""

import math
from dataclasses import replace

import numpy as np
from scipy import optimize, stats

from benchmark.analysis.intervals import LEVEL, RESAMPLES, Array, Interval, mean_interval

# Chosen by simulation at 24 architectures and 2 or 3 seeds, so that coverage stays between 0.93 and
# 0.97 with and without a common effect. Subtracting the whole residual would leave too little
# wherever the seeds' mean square is small by chance, which with one degree of freedom it often is.
RESIDUAL_KEPT = 2.7  # over the squared number of seeds
SHARE_POWER = 0.6
# The seeds' part only ever adds width, and more of it the fewer they are, so the architectures'
# part starts a little narrower.
NARROWED = 1.4  # over the number of seeds


def own_level(level: float, seeds: int) -> float:
    """The level of the architectures' part, before `widen_interval` adds that of the seeds."""
    return 1 - (1 + NARROWED / seeds) * (1 - level)


def estimate_seed_variance(value_AS: Array) -> float:
    """The variance that a seed's common effect adds to a mean over all entries.

    From the two-way layout without replication: the seeds' mean square less part of the residual's,
    over A * S; 0 where that is negative, and with one seed or architecture.

    Args:
        value_AS: a difference between two rules, architectures x seeds, finite.
    """
    architectures, seeds = value_AS.shape
    if seeds < 2 or architectures < 2:
        return 0.0
    column_S = value_AS.mean(axis=0)
    residual_AS = value_AS - value_AS.mean(axis=1, keepdims=True) - column_S + value_AS.mean()
    residual = float((residual_AS**2).sum()) / ((architectures - 1) * (seeds - 1))
    between = architectures * float(column_S.var(ddof=1))
    excess = between - (1 - RESIDUAL_KEPT / seeds**2) * residual
    return float(max(excess, 0.0) / (architectures * seeds))


def _critical(level: float, share: float, n: int, seeds: int) -> float:
    """Student's t between that of n architectures and that of the seeds, by the seeds' share."""
    own = float(stats.t.ppf((1 + level) / 2, n - 1))
    theirs = float(stats.t.ppf((1 + level) / 2, seeds - 1))
    return own + float(share**SHARE_POWER) * (theirs - own)


def widen_interval(
    interval: Interval, seed_variance: float, seeds: int, *, level: float
) -> Interval:
    """`interval`, of a mean over architectures at `own_level`, with the seeds' part added.

    Each side is widened in quadrature. The critical value moves from the architectures' degrees of
    freedom to those of the seeds as their share of the variance grows.
    """
    if not interval.determined or interval.n < 2:
        return interval
    own = float(stats.t.ppf((1 + own_level(level, seeds)) / 2, interval.n - 1))

    def widen(side: float) -> float:
        variance = (side / own) ** 2 + seed_variance
        if seed_variance == 0 or seeds < 2:
            return side
        share = seed_variance / variance
        return max(side, _critical(level, share, interval.n, seeds) * math.sqrt(variance))

    return replace(
        interval,
        low=interval.estimate - widen(interval.estimate - interval.low),
        high=interval.estimate + widen(interval.high - interval.estimate),
        level=level,
    )


def mean_of_shared_seeds(
    value_AS: Array, *, level: float = LEVEL, resamples: int = RESAMPLES, seed: int = 0
) -> Interval:
    """Interval of the mean of a difference between two rules, over architectures and shared seeds.

    Args:
        value_AS: the difference, architectures x seeds, finite; every seed's draws are shared by
            all architectures.
    """
    seeds = value_AS.shape[1]
    own = own_level(level, seeds) if seeds > 1 else level
    interval = mean_interval(value_AS.mean(axis=1), level=own, resamples=resamples, seed=seed)
    return widen_interval(interval, estimate_seed_variance(value_AS), seeds, level=level)


def mean_p(mean: float, own_variance: float, seed_variance: float, n: int, seeds: int) -> float:
    """Two-sided p of a mean of 0 by the same law as `widen_interval`."""
    variance = own_variance + seed_variance
    if not variance > 0 or n < 2 or seeds < 2:
        return math.nan
    t, share = abs(mean) / math.sqrt(variance), seed_variance / variance

    def excess(log_p: float) -> float:
        return _critical(1 - math.exp(log_p), share, n, seeds) - t

    smallest = math.log(np.finfo(float).eps)
    if excess(smallest) < 0:
        return math.exp(smallest)
    if excess(math.log(1 - 1e-12)) > 0:
        return 1.0
    return math.exp(float(optimize.brentq(excess, smallest, math.log(1 - 1e-12))))
