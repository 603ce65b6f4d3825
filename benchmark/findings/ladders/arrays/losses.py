"""What a rule's rates cost on every rung: its losses by seed, and with its base rate chosen anew.

Shapes: D rungs, R rates, S seeds, N shifts of the base rate.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from benchmark.analysis.intervals import Array
from benchmark.analysis.ladders.optimum import Optimum
from benchmark.analysis.regret.base_error import Moves, bound_moves
from benchmark.analysis.regret.rechosen_rate import RechosenRegret, measure_rechosen_regret
from benchmark.analysis.regret.rung_curve import RungCurve, score_losses


class LadderLosses(NamedTuple):
    """The grid of every rung under one initialization, the base first, and its optima."""

    rate_DR: Array
    loss_DRS: Array
    optima: Sequence[Optimum]
    chance: float


def gives_constant(optimum: Optimum, rate_R: Array) -> bool:
    """Whether the base rung's grid tells what a rule's constant is, or that there is none.

    Not where the best rate lies at an end of the grid: the study looked at other rates.
    """
    ends = np.nanmin(rate_R), np.nanmax(rate_R)
    return optimum.usable or optimum.status == "diverged" or optimum.grid_rate not in ends


class RuleLosses(NamedTuple):
    """A rule's losses on all rungs, rungs x seeds, and how far their mean may be off because the
    base rate is."""

    loss_DS: Array
    moves: Moves


def read_seeds(rate_R: Array, loss_RS: Array, rate_S: Array, chance: float) -> Array:
    """Each seed's own curve, read at its rate; a rate beyond the grid is read at its end."""
    seeds = loss_RS.shape[1]
    return np.array(
        [
            float(RungCurve.of(rate_R, loss_RS[:, [seed]], chance).read(rate))
            for seed, rate in enumerate(np.broadcast_to(rate_S, seeds))
        ]
    )


def read_reached(ladder: LadderLosses) -> Array:
    """The losses at the best rate of every rung, rungs x seeds.

    Read at the fitted optimum, not at the lowest measured loss, which is low by luck as well.
    """
    rate_DR, loss_DRS, optima, chance = ladder
    seeds = loss_DRS.shape[2]
    return np.array(
        [
            read_seeds(rate_R, loss_RS, np.array(optimum.rate), chance)
            if np.isfinite(optimum.rate)
            else np.full(seeds, chance)
            for rate_R, loss_RS, optimum in zip(rate_DR, loss_DRS, optima, strict=True)
        ]
    )


def read_losses(
    ladder: LadderLosses, multiplier_DS: Array, measured_DS: Array | None
) -> RuleLosses | None:
    """A rule's losses on all rungs; None where a rate was neither trained nor lies inside the grid.

    The base rung counts at its best rate, the others at the predicted rates: as trained, else read
    on each seed's curve; divergence is scored as guessing. A base rung that no rate trains gives no
    constant: then its best measured rate stands for one, and rates beyond a grid are read at its
    end; where all of its rates diverge, so does the rule on all rungs. Rates of rungs x 1 are those
    of all seeds.
    """
    rate_DR, loss_DRS, optima, chance = ladder
    rungs, _, seeds = loss_DRS.shape
    base = optima[0]
    if base.status == "diverged":
        return RuleLosses(np.full((rungs, seeds), chance), Moves.none())
    predicted_DS = np.broadcast_to(multiplier_DS * base.rate, (rungs, seeds))
    if measured_DS is None:
        inside_D = [
            bool((np.nanmin(rate_R) <= rate_S).all() and (rate_S <= np.nanmax(rate_R)).all())
            for rate_R, rate_S in zip(rate_DR, predicted_DS, strict=True)
        ]
        if base.usable and not all(inside_D):
            return None
        measured_DS = np.array(
            [
                read_seeds(rate_R, loss_RS, rate_S, chance)
                for rate_R, loss_RS, rate_S in zip(
                    rate_DR[1:], loss_DRS[1:], predicted_DS[1:], strict=True
                )
            ]
        ).reshape(rungs - 1, seeds)
    first_S = read_seeds(rate_DR[0], loss_DRS[0], predicted_DS[0], chance)
    curves = [RungCurve.of(*curve, chance) for curve in zip(rate_DR, loss_DRS, strict=True)]

    def read(shift_N: Array) -> Array:
        moved_DN = [
            curve.read(rate_S[:, None] * 10**shift_N).mean(axis=0)
            for curve, rate_S in zip(curves, predicted_DS, strict=True)
        ]
        return np.asarray(np.mean(moved_DN, axis=0))

    loss_DS = np.concatenate([first_S[None], score_losses(measured_DS, chance)])
    return RuleLosses(loss_DS, bound_moves(read, base))


def rechoose(
    ladder: LadderLosses, multiplier_DS: Array, measured_DS: Array | None
) -> RechosenRegret | None:
    """Regret with the base rate fixed and chosen anew; None with one seed, or one stable rate."""
    stable_R = np.isfinite(ladder.loss_DRS[0]).all(axis=1)
    if ladder.loss_DRS.shape[2] < 2 or stable_R.sum() < 2 or not ladder.optima[0].usable:
        return None
    curves = ladder.rate_DR, ladder.loss_DRS, ladder.optima
    return measure_rechosen_regret(*curves, multiplier_DS, ladder.chance, measured_DS=measured_DS)
