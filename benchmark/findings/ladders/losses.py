"""What a rule's rates cost on every rung: its losses by seed, and with its base rate chosen anew.

Shapes: D rungs, R rates, S seeds.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from benchmark.analysis.intervals import Array
from benchmark.analysis.ladders.optimum import Optimum
from benchmark.analysis.regret.rechosen_rate import RechosenRegret, measure_rechosen_regret
from benchmark.analysis.regret.transfer import measure_transfer


class LadderLosses(NamedTuple):
    """The grid of every rung under one initialization, the base first, and its optima."""

    rate_DR: Array
    loss_DRS: Array
    optima: Sequence[Optimum]
    chance: float


def read_losses(
    ladder: LadderLosses, predicted_DS: Array, measured_DS: Array | None
) -> Array | None:
    """A rule's losses on all rungs, rungs x seeds; None where a rate was neither trained nor lies
    inside the grid.

    The base rung counts at the best rate of its grid, the others at the predicted rates: as
    trained, else interpolated seed by seed. Diverged replicas are infinite where they were trained.
    Rates of rungs x 1 are those of all seeds.
    """
    rate_DR, loss_DRS, optima, chance = ladder
    at = int(np.nanargmin(np.abs(rate_DR[0] - optima[0].grid_rate)))
    if measured_DS is None:
        beyond_DS = np.broadcast_to(predicted_DS[1:], (len(optima) - 1, loss_DRS.shape[2]))
        measured_DS = np.stack(
            [
                [
                    rung.loss
                    for rung in measure_transfer(
                        rate_DR[1:], loss_DRS[1:, :, [seed]], optima[1:], beyond_DS[:, seed], chance
                    ).rungs
                ]
                for seed in range(loss_DRS.shape[2])
            ],
            axis=1,
        )
    loss_DS = np.concatenate([loss_DRS[:1, at], measured_DS])
    return None if np.isnan(loss_DS).any() else loss_DS


def rechoose(
    ladder: LadderLosses, multiplier_DS: Array, measured_DS: Array | None
) -> RechosenRegret | None:
    """Regret with the base rate fixed and chosen anew; None with one seed, or one stable rate."""
    stable_R = np.isfinite(ladder.loss_DRS[0]).all(axis=1)
    if ladder.loss_DRS.shape[2] < 2 or stable_R.sum() < 2:
        return None
    curves = ladder.rate_DR, ladder.loss_DRS, ladder.optima
    return measure_rechosen_regret(*curves, multiplier_DS, ladder.chance, measured_DS=measured_DS)
