"""The error of the base rung's optimum, which all rungs of a rule share.

An error of e decades in a rule's constant moves a mean loss both ways where the rule is wrong (the
curve over the constant slopes) and one way where it is right (the curve is at its lowest there).
The expected loss is over all constants that tuning might choose. So the mean curve is smoothed by
the error of the constant, and an interval is the image of an interval of the constant under it: at
the lowest point as elsewhere it misses as often as that does. Other errors are added in quadrature,
but not at the lowest point: there nothing is left to trade one for the other.

Shapes: D rungs, N shifts of the constant, M nodes of its error, P parts of a reach.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from scipy import special

from benchmark.analysis.intervals import LEVEL, Array, Interval, student_interval
from benchmark.analysis.ladders.optimum import Optimum

QUADRATURE = math.sqrt(3.0)
"""Standard errors to the outer points of the three-point Gauss-Hermite quadrature."""
QUADRATURE_NODES: Final = QUADRATURE * np.array([0.0, -1.0, 1.0])
QUADRATURE_WEIGHTS: Final = np.array([2 / 3, 1 / 6, 1 / 6])
SHIFTS: Final = 129
"""Values of the constant at which a mean loss is read."""
PARTS: Final = np.linspace(0, 1, 33)

# Shares of 1 - level, chosen by simulation so that coverage stays between 0.93 and 0.97 for rules
# that are right, a little wrong and very wrong (`tests.support.coverage_table`). A right rule's
# interval can miss on its lower side alone, so that side has the larger tail.
LOW_TAIL: Final = 0.85
HIGH_TAIL: Final = 0.5
OWN_TAIL: Final = 0.45
OWN_HIGH_TAIL: Final = 0.9
FREE_PART: Final = 0.7
"""The part of the constant's reach that is searched without giving up any of the other errors."""


@dataclass(frozen=True)
class ConstantError:
    """By how many decades a rule's constant may be off, as a distribution around 0.

    `reach` says for a tail how far to either side; `share` is the share of the base's own error in
    the variance, and `freedom` its degrees of freedom.
    """

    node_M: Array
    weight_M: Array
    reach: Callable[[float], float]
    share: float
    freedom: float


@dataclass(frozen=True)
class Moves:
    """How far an expected loss may lie off the loss that was read at the chosen constant.

    `low_P` is the lowest of the smoothed curve within so large parts of the reach, `high` its
    highest; `rise` is by how much all of it lies above what was read, or 0. `own` is how much the
    errors other than the base's lift the smoothed curve, by its mean curvature; `below` and `above`
    say how far the base's part of that may be off, because its error is an estimate.
    """

    low_P: Array
    high: float
    rise: float
    own: float
    below: float
    above: float

    @classmethod
    def none(cls) -> "Moves":
        """The constant has no error."""
        return cls(np.zeros(len(PARTS)), 0.0, 0.0, 0.0, 0.0, 0.0)


def spread_reads(center: Interval, value_2D: Array) -> float:
    """The quadrature's standard deviation of a mean over rungs, from its two outer reads.

    0 where there is no rung.
    """
    if not value_2D.size:
        return 0.0
    mean_3 = np.array([center.estimate, *value_2D.mean(axis=1)])
    return math.sqrt(float(QUADRATURE_WEIGHTS @ (mean_3 - QUADRATURE_WEIGHTS @ mean_3) ** 2))


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


def describe_base_error(base: Optimum, own: float = 0.0, own_freedom: int = 1) -> ConstantError:
    """The error of a base rung's optimum, and of the mean of the rungs' own, as a normal one.

    Args:
        own: the variance of that mean, of `own_freedom` degrees of freedom.
    """
    common = base.log10_error**2 if base.log10_error > 0 else 0.0
    variance = common + own
    error = math.sqrt(variance)
    freedom = 1.0
    if variance > 0:
        freedom = variance**2 / (common**2 / max(base.freedom, 1) + own**2 / own_freedom)
    return ConstantError(
        QUADRATURE_NODES * error,
        QUADRATURE_WEIGHTS,
        lambda tail: error * float(special.stdtrit(freedom, 1 - tail)),
        common / variance if variance > 0 else 0.0,
        max(base.freedom, 1),
    )


def find_moves(read: Callable[[Array], Array], error: ConstantError, level: float = LEVEL) -> Moves:
    """The range of the smoothed curve where the true constant may lie.

    Args:
        read: the mean loss over rungs with the constant moved by so many decades, (N,) to (N,).
    """
    low_reach, high_reach = (error.reach(tail * (1 - level)) for tail in (LOW_TAIL, HIGH_TAIL))
    far = max(low_reach, high_reach)
    if not far > 0:
        return Moves.none()
    shift_N = np.linspace(-far, far, SHIFTS)
    value_NM = read((shift_N[:, None] + error.node_M).ravel()).reshape(SHIFTS, -1)
    smooth_N = value_NM @ error.weight_M
    at_0 = float(read(np.zeros(1))[0])
    off_N = np.abs(shift_N) - 1e-12
    lowest = int(np.where(off_N <= low_reach, smooth_N, math.inf).argmin())
    curvature = max(0.0, float(np.polyfit(shift_N, read(shift_N), 2)[0]))
    lift = curvature * float(error.weight_M @ error.node_M**2)
    base_part = error.share * lift
    low, high = bound_variance(error.freedom, level)
    inside_PN = off_N <= low_reach * (FREE_PART + (1 - FREE_PART) * PARTS[:, None])
    return Moves(
        low_P=np.where(inside_PN, smooth_N, math.inf).min(axis=1) - at_0,
        high=float(smooth_N[off_N <= high_reach].max()) - at_0,
        rise=max(0.0, float(smooth_N[lowest]) - at_0),
        own=lift - base_part,
        below=base_part * (1 - low),
        above=base_part * (high - 1),
    )


def bound_variance(freedom: float, level: float) -> tuple[float, float]:
    """By which factors an estimated variance may be off, as one of several errors."""
    tails = [OWN_TAIL * (1 - level), 1 - OWN_HIGH_TAIL * (1 - level)]
    low, high = special.chdtri(freedom, tails).tolist()
    return freedom / low, freedom / high


def bound_moves(read: Callable[[Array], Array], base: Optimum, level: float = LEVEL) -> Moves:
    """`find_moves` with the error of the base rung's optimum alone."""
    return find_moves(read, describe_base_error(base), level)


def widen_sides(interval: Interval, moves: Moves, *, method: str = "") -> Interval:
    """An interval of a mean loss, which holds its other errors, with the moves added."""
    point = interval.estimate
    below = math.hypot(point - interval.low, moves.below)
    above = math.hypot(interval.high - point, moves.above)
    return replace(
        interval,
        low=point + float((moves.low_P - below * np.sqrt(1 - PARTS**2)).min()),
        high=point + moves.rise + math.hypot(moves.high - moves.rise, above),
        method=method or interval.method,
    )
