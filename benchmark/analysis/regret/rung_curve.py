"""The loss of one rung as a curve over log rate, read between and at the rates that were trained.

Shapes: R rates, S seeds.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import Akima1DInterpolator

from benchmark.analysis.intervals import Array

FINE = 2001
"""Points at which a curve is searched for its lowest."""


def score_losses(loss: Array, chance_loss: float) -> Array:
    """Losses with divergence, and worse than guessing, scored at `chance_loss`."""
    return np.asarray(np.where(np.isfinite(loss), np.minimum(loss, chance_loss), chance_loss))


@dataclass(frozen=True)
class RungCurve:
    """The mean loss over seeds, interpolated in log10 rate (modified Akima, which does not ring at
    a cliff); divergence is scored as guessing. `lowest` is its lowest point.
    """

    rate_R: Array
    mean_R: Array
    stable_R: NDArray[np.bool_]
    curve: Akima1DInterpolator
    lowest: float

    @classmethod
    def of(cls, rate_R: Array, loss_RS: Array, chance_loss: float) -> "RungCurve":
        """The curve of a rung; a rate of NaN pads its grid."""
        measured_R = ~np.isnan(rate_R)
        rate_R, loss_RS = rate_R[measured_R], loss_RS[measured_R]
        mean_R = score_losses(loss_RS, chance_loss).mean(axis=1)
        log_R = np.log10(rate_R)
        if len(log_R) == 1:  # an interpolator wants two points
            log_R, mean_R = np.append(log_R, log_R + 1), np.repeat(mean_R, 2)
        curve = Akima1DInterpolator(log_R, mean_R, method="makima")
        lowest = float(curve(np.linspace(log_R[0], log_R[-1], FINE)).min())
        stable_R = np.array(np.isfinite(loss_RS).all(axis=1), dtype=np.bool_)
        return cls(rate_R, mean_R, stable_R, curve, min(lowest, float(mean_R.min())))

    def holds(self, rate: float) -> bool:
        """Whether the rate lies inside the grid."""
        return bool(self.rate_R[0] <= rate <= self.rate_R[-1])

    def find_rate(self, rate: float) -> int | None:
        """The index of the rate, where it was trained."""
        hit = np.flatnonzero(np.isclose(self.rate_R, rate, rtol=1e-9, atol=0))
        return int(hit[0]) if len(hit) else None

    def read(self, rate: Array) -> Array:
        """The loss at these rates; those beyond the grid are read at its nearest end."""
        return np.asarray(self.curve(np.clip(np.log10(rate), *self.curve.x[[0, -1]])))


def read_noise(
    regrets: Sequence[float], curves: Sequence[RungCurve | None], predicted_DS: Array
) -> Array:
    """Regrets less what the rungs' own curves say at the predicted rates, where both are known."""
    noise_D = [
        regret - float(curve.read(np.atleast_1d(predicted_S)).mean()) + curve.lowest
        for regret, curve, predicted_S in zip(regrets, curves, predicted_DS, strict=True)
        if curve is not None and not math.isnan(regret)
    ]
    return np.array(noise_D)
