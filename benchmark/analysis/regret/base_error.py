"""The error of the base rung's optimum, which all rungs of a rule share.

Shapes: D rungs.
"""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from scipy import stats

from benchmark.analysis.intervals import Array, Interval, student_interval
from benchmark.analysis.ladders.optimum import Optimum

QUADRATURE = math.sqrt(3.0)
"""Standard errors to the outer points of the three-point Gauss-Hermite quadrature."""


def spread_reads(center: Interval, value_2D: Array) -> float:
    """The quadrature's standard deviation of a mean over rungs, from its two outer reads.

    0 where there is no rung.
    """
    if not value_2D.size:
        return 0.0
    mean_3 = np.array([center.estimate, *value_2D.mean(axis=1)])
    weight_3 = np.array([2 / 3, 1 / 6, 1 / 6])
    return math.sqrt(float(weight_3 @ (mean_3 - weight_3 @ mean_3) ** 2))


def add_base_error(interval: Interval, value_D: Array, error: float, base: Optimum) -> Interval:
    """A mean over rungs whose common part has a standard error of its own, by Satterthwaite."""
    rungs = len(value_D)
    if not interval.determined or rungs < 2:
        return interval
    own, common = float(value_D.var(ddof=1)) / rungs, error**2
    freedom = (own + common) ** 2 / (own**2 / (rungs - 1) + common**2 / base.freedom)
    return student_interval(
        interval.estimate,
        math.sqrt(own + common),
        freedom,
        interval.n,
        level=interval.level,
        method="Student t over rungs and the base's seeds",
    )


def widen_regret(regret: Interval, regret_D: Array, moved: Sequence[float]) -> Interval:
    """The regret's interval, with what a move of the common constant does to it.

    Regrets are squares of rate errors: their mean is a scaled chi-square with at least one degree
    of freedom for each rung, more where they are alike.

    Args:
        moved: by how much the mean regret changes where the constant moves.
    """
    mean, rungs = regret.estimate, len(regret_D)
    if not regret.determined or not mean > 0:
        return regret
    relative = float(regret_D.var(ddof=1)) / mean**2
    freedom = rungs * max(1.0, 0.4 / relative if relative > 0 else math.inf)
    freedom = min(freedom, 1e6)
    low, high = stats.chi2.interval(regret.level, freedom)
    below, above = mean - mean * freedom / high, mean * freedom / low - mean
    return replace(
        regret,
        low=mean - math.hypot(below, max(0.0, -min(moved))),
        high=mean + math.hypot(above, max(0.0, *moved)),
        method="scaled chi-square over rungs, the base's error read on the curves",
    )
