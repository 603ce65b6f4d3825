"""Depth: a grid of rates on every rung, the neighbours of the best, each rule's prediction."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from math import inf, isfinite, sqrt

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from benchmark.analysis.ladders.optimum import Optimum, find_optima
from benchmark.plan.stage import Read, Stage, probe_stage, stage
from benchmark.plan.units import gridded, prescribed, seeded, unit
from benchmark.rules import Bundle
from benchmark.study import Depth, Updates
from benchmark.study.unit import Unit

Given = Mapping[str, Sequence[Bundle | None]]
"""Each rule's bundles, rung by rung."""


def depth_stages(part: Depth, read: Read) -> list[Stage]:
    """``probe`` where a rule is measured, ``grid``, ``neighbours`` and ``transfer``.

    The second round and the transfer are there where the part asks for them.
    """
    rungs = part.architectures()
    probing, measured = probe_stage(part, rungs, read)
    waits = bool(probing.expected) and not measured
    given = {name: prescribed(part, name, rungs, rungs[0], measured) for name in part.rules}

    def units(rates: Callable[[str, str], Sequence[float]]) -> list[Unit]:
        return [
            unit(
                part,
                rung,
                [
                    each
                    for name in part.rules
                    for each in gridded(part, name, given[name][index], rates(name, rung))
                ],
            )
            for index, rung in enumerate(rungs)
        ]

    grid = stage(part, "grid", None if waits else units(lambda *_: part.rates), len(rungs))
    stages, rows = [probing, grid], grid.rows(read)
    if part.neighbours:
        coarse = rows
        near = None if coarse is None else units(lambda *at: neighbours(part, coarse, *at))
        second = stage(part, "neighbours", near, len(rungs))
        stages.append(second)
        more = second.rows(read)
        rows = None if coarse is None or more is None else pa.concat_tables([coarse, more])
    if part.transfer:
        predicted = None if rows is None else transferred(part, rungs, given, rows)
        stages.append(stage(part, "transfer", predicted, len(rungs) - 1))
    return stages


def optimum(rows: pa.Table, rule: str, rung: str) -> Optimum:
    """The loss-minimising rate of a rung under a rule's own initialisation."""
    losses: dict[float, dict[int, float]] = defaultdict(dict)
    chance = inf
    own = rows.filter((pc.field("rule") == rule) & (pc.field("architecture") == rung))
    for row in own.select(["lr", "seed", "status", "train_loss", "chance_loss"]).to_pylist():
        losses[row["lr"]][row["seed"]] = row["train_loss"] if row["status"] == "done" else inf
        chance = row["chance_loss"]
    rates = sorted(losses)
    loss_RS = np.array([[losses[rate][seed] for seed in sorted(losses[rate])] for rate in rates])
    return find_optima(np.array(rates), loss_RS[None], chance)[0]


def neighbours(part: Depth, rows: pa.Table, rule: str, rung: str) -> list[float]:
    """The rates of the second round: half-way (in log rate) to both neighbours of the best.

    Beyond the grid's edge the neighbour is one step of the grid away, so that a best rate at the
    edge gets a chance to be inside.
    """
    best = optimum(rows, rule, rung).grid_rate
    if not isfinite(best):  # every rate diverged: look below them
        best = part.rates[0]
    at = int(np.argmin(np.abs(np.log(np.array(part.rates) / best))))
    rates = part.rates
    low = sqrt(rates[at - 1] * best) if at else best * best / rates[1]
    high = sqrt(rates[at + 1] * best) if at + 1 < len(rates) else best * best / rates[-2]
    return [float(f"{low:.6g}"), float(f"{high:.6g}")]


def transferred(part: Depth, rungs: Sequence[str], given: Given, rows: pa.Table) -> list[Unit]:
    """Every deeper rung at the rate that each rule predicts from the shallowest's optimum.

    A rule whose shallowest rung has no optimum (untrained, or at the grid's edge) predicts nothing.
    """
    base = {name: optimum(rows, name, rungs[0]) for name in part.rules}
    names = [name for name in part.rules if base[name].usable]
    return [
        unit(
            part,
            rung,
            [
                each
                for name in names
                for each in seeded(
                    part, name, given[name][index], constant(base[name], given[name])
                )
            ],
        )
        for index, rung in enumerate(rungs)
        if index and names
    ]


def constant(base: Optimum, given: Sequence[Bundle | None]) -> float:
    """The rate at multiplier 1 for which the shallowest rung trains at its optimum."""
    shallowest = given[0]
    return base.rate / (shallowest.lr_multiplier if shallowest else 1.0)


def updates_stage(part: Updates) -> Stage:
    """One step on every rung, each rule at its multiplier (constant 1)."""
    rungs = part.architectures()
    given = {name: prescribed(part, name, rungs, rungs[0]) for name in part.rules}
    units = [
        unit(
            part,
            rung,
            [each for name in part.rules for each in seeded(part, name, given[name][index], 1.0)],
            "updates",
        )
        for index, rung in enumerate(rungs)
    ]
    return stage(part, "step", units)
