"""Depth: a grid of rates on every rung, the neighbors of the best, each rule's prediction."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from math import inf, isfinite, nan, sqrt

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from benchmark.analysis.intervals import Array
from benchmark.analysis.ladders.optimum import Optimum, find_optima
from benchmark.plan.rungs import Rung, list_rungs, prescribe_rungs, probe_rungs
from benchmark.plan.stage import Read, plan_stage, read_stage, waiting_stage
from benchmark.plan.units import plan_grid, plan_predicted, plan_unit
from benchmark.rules import Bundle
from benchmark.study import Depth
from benchmark.study.rates import LAST_EPOCH, LOSS_COLUMNS, Criterion
from benchmark.study.stage import Stage
from benchmark.study.unit import Unit
from search_spaces.errors import InvalidInput

Given = Mapping[str, Sequence[Bundle | None]]
"""Each rule's bundles, rung by rung."""


def depth_stages(part: Depth, read: Read) -> list[Stage[Unit]]:
    """``probe`` where a rule is measured, ``grid``, ``neighbours`` and ``transfer``.

    The second round and the transfer are there where the part asks for them. A stage waits until
    all stages before it are measured.
    """
    rungs = list_rungs(part)
    probe, measured = probe_rungs(part, read)
    waiting = [waiting_stage(part, "grid", len(rungs))]
    if part.neighbours:
        waiting.append(waiting_stage(part, "neighbours", len(rungs)))
    if part.transfer:
        waiting.append(waiting_stage(part, "transfer", len(rungs) - 1))
    if probe.expected and not measured:
        return [probe, *waiting]
    given = {name: prescribe_rungs(name, rungs, measured) for name in part.rules}
    grid = plan_stage(part, "grid", grid_units(part, rungs, given))
    planned = [grid]
    rows = read_stage(grid, read)
    if rows is not None and part.neighbours:
        second = plan_stage(part, "neighbours", neighbor_units(part, rungs, given, rows))
        planned.append(second)
        more = read_stage(second, read)
        rows = None if more is None else pa.concat_tables([rows, more])
    if rows is not None and part.transfer:
        planned.append(plan_stage(part, "transfer", transfer_units(part, rungs, given, rows)))
    return [probe, *planned, *waiting[len(planned) :]]


def grid_units(part: Depth, rungs: Sequence[Rung], given: Given) -> list[Unit]:
    """Every rung at every rate of the grid, under each rule's own initialization."""
    return [
        plan_unit(
            rung.part,
            rung.architecture,
            [
                each
                for name in part.rules
                for each in plan_grid(rung.part, name, given[name][index], part.rates)
            ],
        )
        for index, rung in enumerate(rungs)
    ]


def neighbor_units(part: Depth, rungs: Sequence[Rung], given: Given, rows: pa.Table) -> list[Unit]:
    """Every rung at the rates beside the best of the grid, rule by rule."""
    return [
        plan_unit(
            rung.part,
            rung.architecture,
            [
                each
                for name in part.rules
                for each in plan_grid(
                    rung.part, name, given[name][index], neighbor_rates(part, rows, name, rung)
                )
            ],
        )
        for index, rung in enumerate(rungs)
    ]


def transfer_units(part: Depth, rungs: Sequence[Rung], given: Given, rows: pa.Table) -> list[Unit]:
    """Every other rung at the rate that each rule predicts from the base rung's optimum.

    A rule whose base rung has no optimum (untrained, or at the grid's edge) predicts nothing.
    """
    base = {name: find_rung_optima(rows, name, rungs, part.criterion)[0] for name in part.rules}
    names = [name for name in part.rules if base[name].usable]
    return [
        plan_unit(
            rung.part,
            rung.architecture,
            [
                each
                for name in names
                for each in plan_predicted(
                    rung.part, name, given[name][index], find_base_constant(base[name], given[name])
                )
            ],
        )
        for index, rung in enumerate(rungs)
        if index and names
    ]


def find_rung_optima(
    rows: pa.Table, rule: str, rungs: Sequence[Rung], criterion: Criterion = LAST_EPOCH
) -> tuple[Optimum, ...]:
    """The loss-minimizing rates of all rungs under a rule's own initialization.

    They are fitted together, as in a report: all of them share a window.
    """
    curves = [read_curve(rows, rule, rung, criterion) for rung in rungs]
    longest = max(len(rate_R) for rate_R, _ in curves)
    rate_DR = np.full((len(curves), longest), nan)
    loss_DRS = np.full((*rate_DR.shape, curves[0][1].shape[1]), nan)
    for place, (rate_R, loss_RS) in enumerate(curves):
        rate_DR[place, : len(rate_R)] = rate_R
        loss_DRS[place, : len(rate_R)] = loss_RS
    chance = rows["chance_loss"].drop_null()
    return find_optima(rate_DR, loss_DRS, chance[0].as_py() if len(chance) else inf)


def read_curve(rows: pa.Table, rule: str, rung: Rung, criterion: Criterion) -> tuple[Array, Array]:
    """A rung's rates, increasing, and its losses, rates x seeds; +inf where diverged.

    Raises ``InvalidInput`` for rows of an earlier version, which have no loss of that criterion.
    """
    column = LOSS_COLUMNS[criterion]
    losses: dict[float, dict[int, float]] = defaultdict(dict)
    own = rows.filter(
        (pc.field("rule") == rule)
        & (pc.field("architecture") == rung.network.architecture)
        & (pc.field("space_options") == rung.network.options)
    )
    for row in own.select(["lr", "seed", "status", column]).to_pylist():
        done = row["status"] == "done"
        if done and row[column] is None:
            raise InvalidInput(
                f"field criterion={criterion} needs {column}, which rows "
                "stored by an earlier version do not have; give another folder by --out"
            )
        losses[row["lr"]][row["seed"]] = row[column] if done else inf
    rates = sorted(losses)
    loss_RS = np.array([[losses[rate][seed] for seed in sorted(losses[rate])] for rate in rates])
    return np.array(rates), loss_RS


def neighbor_rates(part: Depth, rows: pa.Table, rule: str, rung: Rung) -> list[float]:
    """The rates of the second round: half-way (in log rate) to both neighbors of the best.

    Beyond the grid's edge the neighbor is one step of the grid away, so that a best rate at the
    edge gets a chance to be inside.
    """
    best = find_rung_optima(rows, rule, [rung], part.criterion)[0].grid_rate
    if not isfinite(best):  # every rate diverged: look below them
        best = part.rates[0]
    at = int(np.argmin(np.abs(np.log(np.array(part.rates) / best))))
    rates = part.rates
    low = sqrt(rates[at - 1] * best) if at else best * best / rates[1]
    high = sqrt(rates[at + 1] * best) if at + 1 < len(rates) else best * best / rates[-2]
    return [float(f"{low:.6g}"), float(f"{high:.6g}")]


def find_base_constant(base: Optimum, given: Sequence[Bundle | None]) -> float:
    """The rate at multiplier 1 for which the base rung trains at its optimum."""
    first = given[0]
    return base.rate / (first.lr_multiplier if first else 1.0)
