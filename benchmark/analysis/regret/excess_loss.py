"""What a rule loses against the best that any rule reached, and against one rate for all rungs.

Regret at a rule's rate is measured against the optimum of the rule's own initialization: an
initialization that ruins the network has no regret. Excess loss has one measure for all rules.

Shapes: D rungs, R rates, S seeds.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from benchmark.analysis.intervals import LEVEL, Array, Interval, check_level, student_interval
from benchmark.analysis.regret.base_error import Moves, widen_sides
from benchmark.analysis.regret.rung_curve import score_losses
from search_spaces.errors import InvalidInput


@dataclass(frozen=True)
class ExcessLoss:
    """One rule's loss above the best that any rule reached, over all rungs.

    `rungs` are in the order of depth, with intervals over seeds; `worst` is the index of the rung
    with the largest excess. `mean` is over these rungs, whose number is no sample: its interval
    holds the seeds and the error of the base rate. `seeds` has the mean over rungs, seed by seed.
    """

    mean: Interval
    rungs: tuple[Interval, ...]
    worst: int
    seeds: tuple[float, ...]


@dataclass(frozen=True)
class OracleConstant:
    """The best single rate in hindsight: its loss on every rung, divergence scored as guessing."""

    rate: float
    loss_DS: Array
    mean_loss: float
    at_edge: bool


def measure_excess_losses(
    loss: Mapping[str, Array],
    chance_loss: float,
    *,
    reached: Mapping[str, Array] | None = None,
    moves: Mapping[str, Moves] | None = None,
    level: float = LEVEL,
) -> dict[str, ExcessLoss]:
    """Every rule's loss above the lowest that any rule reached on that rung, on all rungs.

    A rung that a rule does not train counts with its measured loss, a diverged replica with that of
    guessing: nothing is left out, so all rules are compared on the same rungs. The reference of a
    rung is the rule (or entry of `reached`) with the lowest mean loss there; differences are paired
    by seed. Intervals are Student's t over seeds, their spread pooled over the rungs of a rule. The
    reference was chosen for its loss, so an excess is too large by a part of its own error.

    Args:
        loss: rule -> training losses at the rule's own rates, rungs x seeds, the same seeds for all
            rules; non-finite where diverged.
        chance_loss: the loss of guessing.
        reached: losses at the best rate of a grid, where that counts as reached; any name.
        moves: rule -> how far its mean loss may be off because its base rate is (`bound_moves`);
            added to the interval of the mean, in quadrature.
    """
    check_level(level)
    tables = {name: np.asarray(table, dtype=np.float64) for name, table in loss.items()}
    if not tables or len({table.shape for table in tables.values()}) != 1:
        raise InvalidInput("excess losses need one table of rungs x seeds for each rule")
    scored = {name: score_losses(table, chance_loss) for name, table in tables.items()}
    others = [score_losses(np.asarray(each), chance_loss) for each in (reached or {}).values()]
    loss_CDS = np.stack([*scored.values(), *others])
    rungs, seeds = loss_CDS.shape[1:]
    best_D = loss_CDS.mean(axis=2).argmin(axis=0)
    reference_DS = loss_CDS[best_D, np.arange(rungs)]
    found = {name: _excess(each - reference_DS, seeds, level) for name, each in scored.items()}
    for name, each in (moves or {}).items():
        if found[name].mean.determined:
            found[name] = replace(found[name], mean=widen_sides(found[name].mean, each))
    return found


def _excess(excess_DS: Array, seeds: int, level: float) -> ExcessLoss:
    mean_D = excess_DS.mean(axis=1)
    mean = float(mean_D.mean())
    mean_S = excess_DS.mean(axis=0)
    by_seed, worst = tuple(mean_S.tolist()), int(mean_D.argmax())
    if seeds < 2:
        single = [Interval.undetermined("one seed", estimate=x, n=1) for x in mean_D.tolist()]
        whole = Interval.undetermined("one seed", estimate=mean, n=1)
        return ExcessLoss(whole, tuple(single), worst, by_seed)
    varied_D = excess_DS.var(axis=1, ddof=1)
    # Rungs on which this rule is the best have no difference to pool.
    apart_D = varied_D > 0
    freedom = max(int(apart_D.sum()), 1) * (seeds - 1)
    pooled = float(varied_D[apart_D].mean()) if apart_D.any() else 0.0
    error = math.sqrt(pooled / seeds)
    intervals = tuple(
        student_interval(x, error if differs else 0.0, freedom, seeds, level=level)
        for x, differs in zip(mean_D.tolist(), apart_D.tolist(), strict=True)
    )
    own = float(mean_S.std(ddof=1)) / math.sqrt(seeds)
    whole = student_interval(mean, own, seeds - 1, seeds, level=level)
    return ExcessLoss(whole, intervals, worst, by_seed)


def find_oracle_constant(rate_R: Array, loss_DRS: Array, chance_loss: float) -> OracleConstant:
    """The one rate of a grid whose loss, averaged over all rungs and seeds, is lowest in hindsight.

    The strongest null model of a rule: what is won over it is won by changing the rate with depth.
    Of equal rates the larger.

    Args:
        rate_R: the grid that all rungs share, increasing.
        loss_DRS: training losses, rungs x rates x seeds; non-finite where diverged, NaN also where
            a rate was not trained on a rung, which scores as guessing.
        chance_loss: the loss of guessing.
    """
    rate_R = np.asarray(rate_R, dtype=np.float64)
    loss_DRS = np.asarray(loss_DRS, dtype=np.float64)
    if loss_DRS.ndim != 3 or loss_DRS.shape[1:2] != rate_R.shape:
        raise InvalidInput(f"rates of shape {rate_R.shape} do not fit losses {loss_DRS.shape}")
    scored_DRS = score_losses(loss_DRS, chance_loss)
    mean_R = scored_DRS.mean(axis=(0, 2))
    best = int(len(mean_R) - 1 - np.argmin(mean_R[::-1]))
    return OracleConstant(
        float(rate_R[best]), scored_DRS[:, best], float(mean_R[best]), best in (0, len(mean_R) - 1)
    )
