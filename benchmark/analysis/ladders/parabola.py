"""A parabola in log rate through the lowest part of each rung's curve, and how wide that part is.

A wide window averages more noise out; on a lopsided curve it moves the vertex. So all rungs of a
ladder share one reach: the widest at which the seeds do not contradict the parabola. A reach chosen
rung by rung follows the noise of the rung, and its error cannot be pooled with that of the others.

Shapes: R rates, S seeds, W rates in the fitted window.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from scipy import stats

from benchmark.analysis.intervals import NO_SPREAD, Array
from benchmark.analysis.thresholds import LOPSIDED_LEVEL


class Reach(NamedTuple):
    """How far a window goes on each side of the best rate: at least so many rates and decades."""

    rates: int
    decades: float


REACHES: Final = (Reach(2, 0.5), Reach(2, 0.25), Reach(1, 0.0))
"""From wide to narrow. More rates on the same grid never narrow a window in decades."""


@dataclass(frozen=True)
class Parabola:
    """A least-squares parabola in log10 rate, and how its vertex moves with each point."""

    vertex: float
    loss: float
    gradient_W: Array

    @classmethod
    def fit(cls, x_W: Array, loss_W: Array) -> Parabola | None:
        """None where the fit is not convex."""
        center = float(x_W.mean())
        inverse_3W = np.linalg.pinv(np.vander(x_W - center, 3, increasing=True))
        a, b, c = (float(k) for k in inverse_3W @ loss_W)
        if c <= 0:
            return None
        gradient_W = -inverse_3W[1] / (2 * c) + b * inverse_3W[2] / (2 * c * c)
        return cls(center - b / (2 * c), a - b * b / (4 * c), gradient_W)


@dataclass(frozen=True)
class Curve:
    """One rung's losses around its best rate, an index that is not at an end of the grid.

    `mean_R` is over seeds, +inf where any seed diverged.
    """

    x_R: Array
    loss_RS: Array
    mean_R: Array
    best: int

    def window(self, reach: Reach) -> slice:
        """The stable rates without a gap around the best, as far as `reach` asks."""
        low = high = self.best
        while low > 0 and self._asks(reach, low) and np.isfinite(self.mean_R[low - 1]):
            low -= 1
        last = len(self.mean_R) - 1
        while high < last and self._asks(reach, high) and np.isfinite(self.mean_R[high + 1]):
            high += 1
        return slice(low, high + 1)

    def _asks(self, reach: Reach, rate: int) -> bool:
        """Whether a window that ends at this rate does not reach far enough."""
        decades = abs(float(self.x_R[rate] - self.x_R[self.best]))
        return abs(rate - self.best) < reach.rates or decades < reach.decades - 1e-9

    def fit(self, first: int) -> tuple[Parabola, slice] | None:
        """The parabola with its vertex inside the window: of reach `first`, or the next narrower
        that has one. None where the best rate and both neighbors tie exactly.
        """
        for reach in REACHES[first:]:
            window = self.window(reach)
            found = Parabola.fit(self.x_R[window], self.mean_R[window])
            ends = self.x_R[window.start], self.x_R[window.stop - 1]
            if found is not None and ends[0] <= found.vertex <= ends[1]:
                return found, window
        return None


class Misfit(NamedTuple):
    """Squared residuals of a mean curve around its parabola, those of the seeds around theirs, as
    variances of one seed, with their degrees of freedom; and the square of what is no residual."""

    of_mean: float
    of_seeds: float
    freedom: int
    seeds_freedom: int
    nothing: float


def measure_misfit(curve: Curve, reach: Reach) -> Misfit:
    """How the window's mean curve departs from a parabola, beside what seeds alone would do."""
    window = curve.window(reach)
    x_W, loss_WS = curve.x_R[window], curve.loss_RS[window]
    rates, seeds = loss_WS.shape
    if rates <= 3:
        return Misfit(0.0, 0.0, 0, 0, 0.0)
    basis_W3 = np.vander(x_W - x_W.mean(), 3)
    mean_W = loss_WS.mean(axis=1)
    apart_WS = loss_WS - mean_W[:, None]
    left_WS = apart_WS - basis_W3 @ (np.linalg.pinv(basis_W3) @ apart_WS)
    left_W = mean_W - basis_W3 @ (np.linalg.pinv(basis_W3) @ mean_W)
    return Misfit(
        seeds * float(left_W @ left_W),
        float((left_WS**2).sum()),
        rates - 3,
        (rates - 3) * (seeds - 1),
        seeds * rates * (NO_SPREAD * float(np.ptp(mean_W))) ** 2,
    )


def choose_reach(curves: Sequence[Curve]) -> int:
    """The index of the widest reach at which all rungs' curves are parabolas, as far as seeds tell.

    An F test of all rungs' residuals around their parabolas against those of the seeds around
    theirs; the narrowest where every wider one is rejected. One seed contradicts nothing.
    """
    if not curves or curves[0].loss_RS.shape[1] < 2:
        return 0
    for index, reach in enumerate(REACHES[:-1]):
        found = [measure_misfit(curve, reach) for curve in curves]
        of_mean, of_seeds, freedom, seeds_freedom, nothing = (
            sum(values) for values in zip(*found, strict=True)
        )
        if of_mean <= nothing:
            return index
        ratio = of_mean / freedom / (of_seeds / seeds_freedom) if of_seeds > 0 else math.inf
        if float(stats.f.sf(ratio, freedom, seeds_freedom)) >= LOPSIDED_LEVEL:
            return index
    return len(REACHES) - 1
