"""The interval of a mean regret over rungs, each off by an error of its own, and by a shared one.

Shapes: D rungs, N shifts of the constant.
"""

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from scipy import special

from benchmark.analysis.intervals import Array, Interval
from benchmark.analysis.regret.base_error import (
    OWN_TAIL,
    ConstantError,
    bound_variance,
    find_moves,
    widen_sides,
)

REGRETS_PART = 0.75
"""Of the variance of a regret less what its curve says: the rest is noise of the curve."""


def widen_regret(
    regret: Interval,
    regret_D: Array,
    noise_D: Array,
    read: Callable[[Array], Array],
    error: ConstantError,
    *,
    method: str = "rates' errors read on the curves",
) -> Interval:
    """A mean regret with the errors of its rates: the rungs' own, and that of the shared constant.

    Where the loss is a square around its optimum and a rule is off by t decades on average, its
    base by s and each rung by v^(1/2), the mean regret is t^2 + s^2 + v. The mean rate error gives
    t, with the standard error w = (s^2 + v/D)^(1/2); the curve over the constant, smoothed by w,
    has the value (t + u)^2 + s^2 + v at shift u. So t enters by reading that curve where the
    constant may lie (`find_moves`), v as a variance of D - 1 degrees of freedom, s as the base's.
    Noise of the trained losses, which are no points of the curves, is Student's over rungs.

    Args:
        regret: the mean over rungs, with any interval.
        regret_D: the regrets that it is the mean of.
        noise_D: regrets less what the rungs' own curves say at the same rates.
        read: the mean regret on the curves with the constant moved by so many decades.
        error: of the constant, the mean of the rungs' own errors included.
    """
    rungs = len(noise_D)
    if not regret.determined or rungs < 2:
        return regret
    moves = find_moves(read, error, regret.level)
    low, high = bound_variance(rungs - 1, regret.level)
    noise_part = REGRETS_PART * float(np.var(noise_D, ddof=1))
    scatter = min(noise_part, float(np.var(regret_D, ddof=1)))
    sem = math.sqrt(scatter / rungs)
    noise = sem * float(special.stdtrit(rungs - 1, 1 - OWN_TAIL * (1 - regret.level)))
    spread = rungs * moves.own  # v: what lifted the curve is v / D
    below = math.hypot(noise, spread * (1 - low))
    above = math.hypot(noise, spread * (high - 1))
    point = regret.estimate
    own = replace(regret, low=point - below, high=point + above)
    return widen_sides(own, moves, method=method)


def measure_scatter(error_D: Array) -> tuple[float, int]:
    """The variance of a mean over rungs, and its degrees of freedom; 0 for fewer than two."""
    rungs = len(error_D)
    if rungs < 2:
        return 0.0, 1
    return float(np.var(error_D, ddof=1)) / rungs, rungs - 1
