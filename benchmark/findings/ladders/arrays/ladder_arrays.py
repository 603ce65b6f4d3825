"""A depth part as arrays: what was trained together, its optima, its slopes, its predictions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from benchmark.analysis.intervals import Array
from benchmark.analysis.ladders.local_exponents import ExponentProfile
from benchmark.analysis.ladders.optimum import Optimum, find_optima
from benchmark.analysis.ladders.slope import (
    Slope,
    fit_depth_slope,
    fit_good_slope,
    fit_stable_slope,
)
from benchmark.analysis.regret.excess_loss import (
    ExcessLoss,
    OracleConstant,
    find_oracle_constant,
    measure_excess_losses,
)
from benchmark.analysis.regret.rechosen_rate import RechosenRegret
from benchmark.analysis.regret.transfer import RungTransfer, Transfer
from benchmark.findings.arrays import read_first
from benchmark.findings.ladders.arrays.carried import Carried, measure_transfers
from benchmark.findings.ladders.arrays.curves import has_losses, read_curves, replace_diverged
from benchmark.findings.ladders.arrays.group_schemes import group_schemes
from benchmark.findings.ladders.arrays.losses import (
    LadderLosses,
    RuleLosses,
    read_reached,
)
from benchmark.findings.ladders.laws import AM_MUP, BLOCKS, count_units, fit_profiles
from benchmark.study.rates import (
    LAST_EPOCH,
    LAST_TENTH,
    Criterion,
    other_criterion,
)
from benchmark.study.stage import GRID, NEIGHBORS, TRANSFER

BY_LOSS: Final[Mapping[Criterion, str]] = {
    LAST_EPOCH: "best rate by the mean loss of the last epoch",
    LAST_TENTH: "best rate by the loss of the last 10% of steps",
}
STABLE: Final = "largest stable rate"
GOOD: Final = "largest rate within one standard error"


@dataclass(frozen=True)
class Scheme:
    """An initialization: the rules that share it share their training, mean_DR over seeds.

    ``transfers`` are over every rung but the shallowest, where each rule gets its constant; there
    are none where that rung has no optimum. They are measured where every predicted rate was
    trained, else interpolated. ``slopes`` are the same exponent looked at otherwise, by what is
    different; ``profiles`` has them in every unit of depth, local ones too. ``losses`` are each
    rule's on all rungs, ``reached_DS`` those at the best rates, and ``rechosen`` a rule's regret
    with the base rate chosen anew; ``oracle`` is the best single rate in hindsight. In
    ``other_optima`` are those by the criterion that the part did not ask for, none where a row
    lacks its loss.
    """

    name: str
    rules: tuple[str, ...]
    mean_DR: Array
    optima: tuple[Optimum, ...]
    slope: Slope
    slopes: dict[str, Slope]
    profiles: dict[str, ExponentProfile]
    transfers: dict[str, Transfer]
    losses: dict[str, RuleLosses] = field(default_factory=dict)
    reached_DS: Array | None = None
    rechosen: dict[str, RechosenRegret] = field(default_factory=dict)
    oracle: OracleConstant | None = None
    other_optima: tuple[Optimum, ...] = ()


@dataclass(frozen=True)
class DepthArrays:
    """A depth part's rungs, shallowest first, and the grid on which each was trained."""

    name: str
    rungs: tuple[str, ...]
    depth_D: Array
    rate_R: Array
    chance: float
    schemes: tuple[Scheme, ...]
    units: dict[str, Array] = field(default_factory=dict)
    criterion: Criterion = LAST_EPOCH

    @classmethod
    def of(
        cls,
        part: Mapping[str, Any],
        table: pa.Table,
        *,
        rungs: Sequence[str] = (),
        transfers: bool = True,
    ) -> DepthArrays:
        """Optima, slopes and transfer of every rule; empty where no rung is done.

        ``rungs`` is their order where it is not that of depth, as over several widths (then no
        depth is counted in blocks); without ``transfers`` no rule is carried along the ladder.
        """
        grid = table.filter(pc.field("stage").isin([GRID, NEIGHBORS]))
        predicted = table.filter(pc.field("stage") == TRANSFER)
        depth = read_first(grid, "architecture", "effective_depth")
        chance = grid["chance_loss"].drop_null()
        if not depth or not len(chance) or not chance[0].as_py() > 0:
            return cls(part["name"], (), np.empty(0), np.empty(0), np.nan, ())
        given = [rung for rung in rungs if rung in depth]
        rungs = tuple(given or sorted(depth, key=depth.__getitem__))
        ladder = cls(
            part["name"],
            rungs,
            np.array([depth[rung] for rung in rungs], dtype=np.float64),
            np.unique(grid["lr"].to_numpy()),
            float(chance[0].as_py()),
            (),
            criterion=part.get("criterion", LAST_EPOCH),
        )
        if not given:
            ladder = replace(ladder, units=count_units(part, rungs, ladder.depth_D))
        predicted = predicted if transfers else None
        schemes = tuple(
            measure_scheme(ladder, name, rules, predicted, range(part["seeds"]))
            for name, rules in group_schemes(part["rules"], grid, rungs)
        )
        return replace(ladder, schemes=schemes)

    def optima(self) -> Iterator[tuple[Scheme, int, str, Optimum]]:
        """Scheme, rung's index, rung and its optimum."""
        for scheme in self.schemes:
            for d, (rung, optimum) in enumerate(zip(self.rungs, scheme.optima, strict=True)):
                yield scheme, d, rung, optimum

    @cached_property
    def excess(self) -> dict[str, ExcessLoss]:
        """The loss of every rule, and of each best single rate, above the lowest on each rung.

        Reached on a rung is what any rule has at its own rate, and what any initialization has at
        the best rate of the grid: a rule alone is no measure of itself.
        """
        own = {rule: each for scheme in self.schemes for rule, each in scheme.losses.items()}
        if not own or not self.trains:
            return {}
        tables = {rule: each.loss_DS for rule, each in own.items()}
        for scheme in self.schemes:
            if scheme.oracle:
                name = f"oracle-constant ({scheme.name}, {scheme.oracle.rate:.3g})"
                tables[name] = scheme.oracle.loss_DS
        return measure_excess_losses(
            tables,
            self.chance,
            reached=self.reached,
            moves={rule: each.moves for rule, each in own.items()},
        )

    @property
    def trains(self) -> bool:
        """Whether any rung has an optimum."""
        return any(optimum.usable for *_, optimum in self.optima())

    @property
    def reached(self) -> dict[str, Array]:
        """The losses at the best rates of every initialization's grid, rungs x seeds."""
        return {s.name: s.reached_DS for s in self.schemes if s.reached_DS is not None}

    def predictions(self) -> Iterator[tuple[str, str, float, Optimum, RungTransfer]]:
        """Rule, rung, effective depth, the rung's optimum and how the rule fares there."""
        for scheme in self.schemes:
            for rule, found in scheme.transfers.items():
                beyond = (self.rungs[1:], self.depth_D[1:].tolist(), scheme.optima[1:])
                for rung, depth, optimum, each in zip(*beyond, found.rungs, strict=True):
                    yield rule, rung, depth, optimum, each


def measure_scheme(
    ladder: DepthArrays,
    name: str,
    rules: Mapping[str, pa.Table],
    predicted: pa.Table | None,
    seeds: Sequence[int],
) -> Scheme:
    """The optima of an initialization, its slopes, and how each of its rules transfers."""
    axes: dict[str, Any] = {"architecture": ladder.rungs, "lr": ladder.rate_R, "seed": seeds}
    trained = next(iter(rules.values()))
    rate_DR, loss_DRS = read_curves(trained, axes, ladder.criterion)
    optima = find_optima(rate_DR, loss_DRS, ladder.chance)
    other, slopes = other_criterion(ladder.criterion), {}
    other_optima: tuple[Optimum, ...] = ()
    if has_losses(trained, other):
        other_optima = find_optima(*read_curves(trained, axes, other), ladder.chance)
        slopes[BY_LOSS[other]] = fit_depth_slope(ladder.depth_D, other_optima)
    if BLOCKS in ladder.units:
        slopes[f"against {AM_MUP}"] = fit_depth_slope(ladder.units[BLOCKS], optima)
    slopes[STABLE] = fit_stable_slope(ladder.depth_D, optima)
    slopes[GOOD] = fit_good_slope(ladder.depth_D, optima)
    if np.isinf(loss_DRS).any():
        kept = find_optima(rate_DR, replace_diverged(loss_DRS), ladder.chance)
        slopes["without diverged replicas"] = fit_depth_slope(ladder.depth_D, kept)
    curves = rate_DR, loss_DRS, optima
    found: list[tuple[str, Carried]] = []
    oracle = reached_DS = None
    if predicted is not None:
        reached_DS = read_reached(LadderLosses(*curves, ladder.chance))
        found = list(measure_transfers(ladder, curves, rules, predicted, seeds))
        oracle = find_oracle_constant(ladder.rate_R, loss_DRS, ladder.chance)
    slope = fit_depth_slope(ladder.depth_D, optima)
    profiles = fit_profiles(ladder.units, optima)
    mean_DR = loss_DRS.mean(axis=2)
    return Scheme(
        *(name, tuple(rules), mean_DR, optima, slope, slopes, profiles),
        transfers={rule: each.transfer for rule, each in found if each.transfer},
        losses={rule: each.losses for rule, each in found if each.losses},
        reached_DS=reached_DS,
        rechosen={rule: each.rechosen for rule, each in found if each.rechosen},
        oracle=oracle,
        other_optima=other_optima,
    )
