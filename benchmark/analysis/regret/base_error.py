"""The error of the base rung's optimum, which all rungs of a rule share.

Shapes: D rungs, N shifts of the constant, M nodes of its error.
"""

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Final, NamedTuple

import numpy as np
from scipy import stats

from benchmark.analysis.intervals import Array, Interval, student_interval
from benchmark.analysis.ladders.optimum import Optimum

QUADRATURE = math.sqrt(3.0)
"""Standard errors to the outer points of the three-point Gauss-Hermite quadrature."""
SHIFTS: Final = 65
"""Values of the constant at which a mean loss is read."""


class Moves(NamedTuple):
    """The least and the most by which a mean over rungs lies off what was read at the constant."""

    low: float
    high: float


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


def bound_moves(read: Callable[[Array], Array], base: Optimum, level: float) -> Moves:
    """How far a rule's expected loss may lie from its loss at the one constant that was chosen.

    The constant is off by e decades, of standard error s. A rule's expected loss is over all
    constants that tuning might choose, so the curve of the mean loss over the constant is first
    smoothed by s (three-point quadrature), and then read where the true constant may lie, within t
    standard errors of the chosen one. The error moves a mean loss both ways where the rule is wrong
    (the curve slopes) and one way where it is right (the curve is at its lowest, and a chosen
    constant can only be worse): in both cases the range misses as often as it should.

    Args:
        read: the mean loss over rungs with the constant moved by so many decades, (N,) to (N,).
    """
    if not base.log10_error > 0:
        return Moves(0.0, 0.0)
    far = float(stats.t.ppf((1 + level) / 2, base.freedom)) * base.log10_error
    node_3 = QUADRATURE * base.log10_error * np.array([0.0, -1.0, 1.0])
    return smooth_moves(read, np.array([-far, far]), node_3, np.array([2 / 3, 1 / 6, 1 / 6]))


def smooth_moves(
    read: Callable[[Array], Array], reach_2: Array, node_M: Array, weight_M: Array
) -> Moves:
    """The range of the smoothed curve between two shifts, beside what is read at shift 0."""
    shift_N = np.linspace(float(reach_2[0]), float(reach_2[1]), SHIFTS)
    value_NM = read((shift_N[:, None] + node_M).ravel()).reshape(SHIFTS, len(node_M))
    smooth_N = value_NM @ weight_M - float(read(np.zeros(1))[0])
    return Moves(float(smooth_N.min()), float(smooth_N.max()))


def widen_sides(interval: Interval, moves: Moves, *, method: str = "") -> Interval:
    """The interval with the moves added to its sides, in quadrature."""
    point = interval.estimate
    return replace(
        interval,
        low=point - math.hypot(point - interval.low, max(0.0, -moves.low)),
        high=point + math.hypot(interval.high - point, max(0.0, moves.high)),
        method=method or interval.method,
    )


def spread_regrets(regret: Interval, regret_D: Array) -> Interval:
    """A mean regret over rungs, each off by an error of its own and measured with noise.

    Where rate errors make it, regrets are squares, and their mean is a scaled chi-square with at
    least one degree of freedom for each rung, more where they are alike; where seeds make it, it is
    normal, and may be below 0. Which of them it is cannot be told from 4 to 6 rungs, so the
    interval reaches as far as Student's t and the chi-square together.
    """
    mean, rungs = regret.estimate, len(regret_D)
    if not regret.determined or not mean > 0:
        return regret
    relative = float(regret_D.var(ddof=1)) / mean**2
    freedom = rungs * max(1.0, 0.8 / relative if relative > 0 else math.inf)
    freedom = min(freedom, 1e6)
    low, high = stats.chi2.interval(regret.level, freedom)
    return replace(
        regret,
        low=min(regret.low, mean * freedom / high),
        high=max(regret.high, mean * freedom / low),
        method="Student t and scaled chi-square over rungs",
    )


def widen_regret(regret: Interval, regret_D: Array, moves: Moves) -> Interval:
    """The regret's interval over rungs, with what the error of the common constant does to it."""
    own = spread_regrets(regret, regret_D)
    if not own.determined:
        return regret
    return widen_sides(own, moves, method=f"{own.method}, the base's error read on the curves")
