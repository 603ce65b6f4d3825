"""The exponent of a rate against depth, and which theories its interval admits.

Shapes: D rungs.
"""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from benchmark.analysis.intervals import LEVEL, Array, Interval, check_level, student_interval
from benchmark.analysis.ladders.optimum import Optimum
from search_spaces.errors import InvalidInput

# Effective depth, AM-muP and Jelassi; Depth-muP in weight-variance form; a constant rate.
EXPONENTS = (-1.5, -1.0, 0.0)


@dataclass(frozen=True)
class Slope:
    """rate = prefactor * depth^exponent.

    `inside` says for each theoretical exponent whether the interval admits it, and is empty where
    the interval is undetermined. `r_squared` is no test: a steep wrong slope has a high one.
    """

    exponent: Interval
    prefactor: float
    r_squared: float
    inside: tuple[tuple[float, bool], ...]
    used_D: tuple[bool, ...]


def fit_slope(
    depth_D: Array,
    rate_D: Array,
    *,
    level: float = LEVEL,
    exponents: Sequence[float] = EXPONENTS,
    reason: str = "",
    gap_D: Array | None = None,
) -> Slope:
    """Ordinary least squares of log rate on log depth, with Student's t interval (D - 2 freedom).

    The scatter of the rungs around the line holds everything that moves an optimum: seeds, the
    grid, the lack of fit. Resampling 5 or 6 rungs or 2 seeds cannot stand in for it (a pairs
    bootstrap often draws two or three distinct depths); t covers 95% exactly under equal normal
    scatter, from 3 rungs on, where it is honest and very wide (12.7 standard errors).

    Args:
        depth_D: effective depth of each rung, positive.
        rate_D: its rate; NaN leaves the rung out.
        reason: what to say beside "fewer than 3 usable rungs".
        gap_D: for rates that are known up to the step of a grid, that step in decades. The scatter
            then counts as at least that of rates that lie anywhere within their step: rungs that
            share a rate of the grid need not share their own.
    """
    check_level(level)
    depth_D, rate_D = np.asarray(depth_D, dtype=np.float64), np.asarray(rate_D, dtype=np.float64)
    if depth_D.ndim != 1 or depth_D.shape != rate_D.shape:
        raise InvalidInput(f"each rung needs a depth and a rate: {depth_D.shape}, {rate_D.shape}")
    if not (np.isfinite(depth_D) & (depth_D > 0)).all() or (rate_D <= 0).any():
        raise InvalidInput("depths and rates must be positive")
    used_D = np.isfinite(rate_D)
    x_D, y_D = np.log(depth_D[used_D]), np.log(rate_D[used_D])
    n = len(x_D)
    used = tuple(bool(u) for u in used_D)
    if n < 3 or len(np.unique(x_D)) < 3:
        said = "fewer than 3 usable rungs of different depth" + (f" ({reason})" if reason else "")
        return Slope(Interval.undetermined(said, n=n), math.nan, math.nan, (), used)
    dx_D = x_D - x_D.mean()
    exponent = float(dx_D @ y_D / (dx_D @ dx_D))
    residual_D = y_D - y_D.mean() - exponent * dx_D
    scatter, total = float(residual_D @ residual_D), float(((y_D - y_D.mean()) ** 2).sum())
    least = 0.0
    if gap_D is not None:
        least = float(np.mean((math.log(10) * gap_D[used_D]) ** 2)) / 12
    error = math.sqrt(max(scatter / (n - 2), least) / float(dx_D @ dx_D))
    interval = student_interval(
        exponent, error, n - 2, n, level=level, method="Student t over rungs"
    )
    return Slope(
        interval,
        prefactor=math.exp(float(y_D.mean()) - exponent * float(x_D.mean())),
        r_squared=1 - scatter / total if total > 0 else math.nan,
        inside=tuple((theory, interval.contains(theory)) for theory in exponents),
        used_D=used,
    )


def fit_stable_slope(
    depth_D: Array,
    optima: Sequence[Optimum],
    *,
    level: float = LEVEL,
    exponents: Sequence[float] = EXPONENTS,
) -> Slope:
    """Slope of the largest stable rate: the largest of the grid below which no seed diverged.

    A rate of the grid lies below the true limit by up to one step, alike on every rung, so the
    slope is unbiased. Rungs on which nothing diverged, or everything, are left out by name.
    """
    rates = [math.nan if o.stable_censored else o.largest_stable_rate for o in optima]
    gaps = [optimum.stable_gap for optimum in optima]
    return _fit_grid_slope(depth_D, rates, gaps, optima, "stable at every rate", level, exponents)


def fit_good_slope(
    depth_D: Array,
    optima: Sequence[Optimum],
    *,
    level: float = LEVEL,
    exponents: Sequence[float] = EXPONENTS,
) -> Slope:
    """Slope of the largest rate whose mean loss lies within one standard error of the best.

    Chen et al. (2024) tune by this rate. Untrained rungs, and rungs on which the grid's largest
    rate is still as good, are left out by name.
    """
    rates = [
        math.nan if o.good_censored or o.status == "untrained" else o.largest_good_rate
        for o in optima
    ]
    gaps = [optimum.good_gap for optimum in optima]
    return _fit_grid_slope(depth_D, rates, gaps, optima, "good up to the end", level, exponents)


def _fit_grid_slope(
    depth_D: Array,
    rates: Sequence[float],
    gaps: Sequence[float],
    optima: Sequence[Optimum],
    censored: str,
    level: float,
    exponents: Sequence[float],
) -> Slope:
    named = (censored if o.status not in ("untrained", "diverged") else o.status for o in optima)
    left_out = Counter(name for name, rate in zip(named, rates, strict=True) if math.isnan(rate))
    reason = ", ".join(f"{count} {name}" for name, count in sorted(left_out.items()))
    return fit_slope(
        *(depth_D, np.array(rates)),
        level=level,
        exponents=exponents,
        reason=reason,
        gap_D=np.array(gaps),
    )


def fit_depth_slope(
    depth_D: Array,
    optima: Sequence[Optimum],
    *,
    level: float = LEVEL,
    exponents: Sequence[float] = EXPONENTS,
) -> Slope:
    """Slope of the optimal rate; censored, untrained and diverged rungs are left out by name."""
    rate_D = np.array([optimum.rate if optimum.usable else math.nan for optimum in optima])
    left_out = Counter(optimum.status for optimum in optima if not optimum.usable)
    reason = ", ".join(f"{count} {status}" for status, count in sorted(left_out.items()))
    return fit_slope(depth_D, rate_D, level=level, exponents=exponents, reason=reason)
