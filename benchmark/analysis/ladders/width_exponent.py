"""The exponent of the best rate in width, at one depth.

Shapes: W widths.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from benchmark.analysis.intervals import LEVEL, Array, Interval, student_interval
from benchmark.analysis.ladders.optimum import Optimum
from benchmark.analysis.ladders.slope import fit_depth_slope


def fit_width_exponent(
    width_W: Array, optima: Sequence[Optimum], *, level: float = LEVEL
) -> Interval:
    """rate = constant * width^exponent over networks of one depth.

    From three usable widths on, least squares with the scatter around the line (``fit_slope``).
    Two leave no scatter: their interval has the seeds' error of both optima, pooled over the rungs
    of the ladder (``find_optima``).

    Args:
        width_W: positive and distinct.
        optima: of the same networks, in the same order.
    """
    usable = [(w, o) for w, o in zip(width_W.tolist(), optima, strict=True) if o.usable]
    if len(usable) != 2:
        return fit_depth_slope(width_W, optima, level=level).exponent
    (narrow, first), (wide, second) = usable
    span = math.log10(wide / narrow)
    estimate = (math.log10(second.rate) - math.log10(first.rate)) / span
    errors = [o.log10_error for _, o in usable if math.isfinite(o.log10_error)]
    if not errors:
        reason = "no seed error of either optimum"
        return Interval.undetermined(reason, estimate=estimate, n=2)
    # An optimum at a cliff has no error of its own and takes the other's.
    error = float(np.sqrt(2 * np.mean(np.square(errors)))) / abs(span)
    freedom = max(o.freedom for _, o in usable)
    method = "Student t over seeds"
    return student_interval(estimate, error, freedom, 2, level=level, method=method)
