"""Exponents between neighboring rungs, and whether one straight line describes them all.

A rate that falls as K^-1 in blocks K looks like a power of K + 2 too, and no power of K + 2
describes it: its local exponents run from -2.4 to -1.2 on K = 1 to 16, and a line through all of
them says -1.5. So every fitted exponent comes with its local ones, and with a test of the line.

Shapes: D rungs, S seeds, C contrasts.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from benchmark.analysis.intervals import (
    LEVEL,
    NO_SPREAD,
    Array,
    Interval,
    check_level,
    student_interval,
)
from benchmark.analysis.ladders.optimum import Optimum
from benchmark.analysis.thresholds import MISFIT_LEVEL
from search_spaces.errors import InvalidInput

LAST_FACTOR = 4.0
"""The deepest local exponent is fitted over the last factor of this size in depth."""


@dataclass(frozen=True)
class LocalExponent:
    """The exponent between two depths, in the unit of depth that was given."""

    shallow: float
    deep: float
    exponent: Interval


@dataclass(frozen=True)
class ExponentProfile:
    """One line's exponent, the local ones, and whether the line fits them.

    `line` is the least-squares exponent over all rungs; its interval holds where the line fits.
    `neighbors` runs from shallow to deep, one for each pair of neighboring rungs; `deepest` is
    fitted over the last factor 4 in depth. `curvature` is the change of the local exponent when
    depth grows by a factor e. `misfit_p` is the p of a straight line against seed error, NaN where
    seeds cannot tell. All are of rate = constant * depth^exponent. `refuting_line` is the line's
    interval at the level of `find_refuting_level`, None where only that of `line` is known.
    """

    line: Interval
    neighbors: tuple[LocalExponent, ...]
    deepest: LocalExponent
    curvature: Interval
    misfit_p: float
    refuting_line: Interval | None = None

    @property
    def fits(self) -> bool:
        """False where the test rejects the straight line."""
        return not self.misfit_p < MISFIT_LEVEL


@dataclass(frozen=True)
class Contrasts:
    """The weights of every exponent: contrast c of log rates is weight_CD[c] @ log_rate_D.

    The rows are the line, the neighbors from shallow to deep, the deepest and the curvature.
    `residual_DD` maps log rates to their residuals around the line.
    """

    depth_D: Array
    weight_CD: Array
    residual_DD: Array
    first: int

    @classmethod
    def of(cls, depth_D: Array) -> "Contrasts":
        """Contrasts over at least 3 increasing depths."""
        x_D = np.log(depth_D)
        rungs = len(x_D)
        line_2D = np.linalg.pinv(np.vander(x_D, 2, increasing=True))
        neighbor_CD = np.diff(np.eye(rungs), axis=0) / np.diff(x_D)[:, None]
        first = int(np.flatnonzero(depth_D * LAST_FACTOR >= depth_D[-1] * (1 - 1e-9))[0])
        first = min(first, rungs - 2)
        deepest_D = np.zeros(rungs)
        deepest_D[first:] = np.linalg.pinv(np.vander(x_D[first:], 2, increasing=True))[1]
        curvature_D = 2 * np.linalg.pinv(np.vander(x_D - x_D.mean(), 3, increasing=True))[2]
        return cls(
            depth_D,
            np.vstack([line_2D[1], neighbor_CD, deepest_D, curvature_D]),
            np.eye(rungs) - np.vander(x_D, 2, increasing=True) @ line_2D,
            first,
        )

    def assemble(
        self,
        interval_C: Sequence[Interval],
        misfit_p: float,
        refuting_line: Interval | None = None,
    ) -> ExponentProfile:
        """The profile of these intervals, in the order of `weight_CD`."""
        line, *neighbors, deepest, curvature = interval_C
        depths = self.depth_D.tolist()
        return ExponentProfile(
            line,
            tuple(
                LocalExponent(shallow, deep, exponent)
                for shallow, deep, exponent in zip(depths, depths[1:], neighbors, strict=False)
            ),
            LocalExponent(depths[self.first], depths[-1], deepest),
            curvature,
            misfit_p,
            refuting_line,
        )


def find_refuting_level(level: float) -> float:
    """The level at which a line's interval refutes a law.

    A true law is refuted by its line, or by its deepest exponent where the test rejects the line.
    The second has a chance of at most MISFIT_LEVEL, so the line is left the rest (Bonferroni):
    together they refute a true law as seldom as an interval of `level` misses.
    """
    return min(level + MISFIT_LEVEL, (1 + level) / 2)


def combine_misfit(curvature_p: float, residual_p: float) -> float:
    """One p of two tests of the line, by Bonferroni: smooth bending, and any departure at all."""
    given = [p for p in (curvature_p, residual_p) if not math.isnan(p)]
    return min(1.0, len(given) * min(given)) if given else math.nan


def check_depths(depth_D: Array, rungs: int) -> Array:
    """`depth_D` as float64; raises InvalidInput unless positive and increasing, one per rung."""
    depth_D = np.asarray(depth_D, dtype=np.float64)
    if depth_D.shape != (rungs,) or not (np.isfinite(depth_D) & (depth_D > 0)).all():
        raise InvalidInput(f"depth_D needs one positive depth for each of {rungs} rungs")
    if (np.diff(depth_D) <= 0).any():
        raise InvalidInput("depth_D must increase from rung to rung")
    return depth_D


def fit_local_exponents(
    depth_D: Array, optima: Sequence[Optimum], *, level: float = LEVEL
) -> ExponentProfile | None:
    """Local exponents of the optimal rate, and a test of the line against seed error.

    Seeds move the optimum of each rung. What a seed does to all rungs alike drops out of every
    exponent, so the error is the residual of the rungs x seeds table of optima, pooled over rungs:
    Student's t with (D - 1)(S - 1) degrees of freedom, exact under equal normal scatter. The line
    is tested by its curvature (t) and by its residuals (F against the same error); p is the smaller
    of the two, doubled.

    Args:
        depth_D: depth of each rung in the unit of the law that is judged (blocks, or layers and
            additions), increasing.
        optima: the rungs' optima from `find_optima`; rungs without a usable one are left out. A
            rung at a cliff has no error of its own and takes the pooled one.

    Returns:
        None with fewer than 3 usable rungs; undetermined intervals with one seed.
    """
    check_level(level)
    depth_D = check_depths(depth_D, len(optima))
    usable_D = np.array([optimum.usable for optimum in optima], dtype=bool)
    if usable_D.sum() < 3:
        return None
    contrasts = Contrasts.of(depth_D[usable_D])
    log_rate_D = np.log([optimum.rate for optimum in optima if optimum.usable])
    estimate_C = contrasts.weight_CD @ log_rate_D
    fitted = [optimum.deviation_S for optimum in optima if len(optimum.deviation_S) > 1]
    if len(fitted) < 2:
        reason = "one seed, or a single fitted rung: no error of the optima"
        return contrasts.assemble(
            [Interval.undetermined(reason, estimate=x, n=len(log_rate_D)) for x in estimate_C],
            math.nan,
        )
    deviation_FS = math.log(10) * np.array(fitted)
    rungs, seeds = deviation_FS.shape
    residual_FS = deviation_FS - deviation_FS.mean(axis=0)
    freedom = (rungs - 1) * (seeds - 1)
    error = math.sqrt(float((residual_FS**2).sum()) / freedom / seeds)
    error_C = error * np.linalg.norm(contrasts.weight_CD, axis=1)
    intervals = [
        student_interval(x, e, freedom, len(log_rate_D), level=level, method="Student t over seeds")
        for x, e in zip(estimate_C.tolist(), error_C.tolist(), strict=True)
    ]
    refuting = student_interval(
        *(float(estimate_C[0]), float(error_C[0]), freedom, len(log_rate_D)),
        level=find_refuting_level(level),
        method="Student t over seeds",
    )
    misfit_p = math.nan
    if error > NO_SPREAD:
        left_D = contrasts.residual_DD @ log_rate_D
        spare = len(log_rate_D) - 2
        bent = float(2 * stats.t.sf(abs(estimate_C[-1]) / error_C[-1], freedom))
        apart = float(stats.f.sf(float(left_D @ left_D) / spare / error**2, spare, freedom))
        misfit_p = combine_misfit(bent, apart)
    return contrasts.assemble(intervals, misfit_p, refuting)
