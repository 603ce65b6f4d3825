"""``--dry-run``: what a study would run and about how long it would take; writes nothing."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from zlib import crc32

import pyarrow as pa
from rich.console import Console

from benchmark.engine.costs import PricedUnit, price_unit
from benchmark.plan.planner import plan
from benchmark.progress import clock
from benchmark.stage_table import print_stage_counts
from benchmark.store.field_changes import list_field_changes
from benchmark.store.formats import schema
from benchmark.store.formats.manifest import make_manifest
from benchmark.store.reuse import ReplicaIndex
from benchmark.store.store import Store
from benchmark.study import Study
from benchmark.study.rates import LOSS_COLUMNS
from benchmark.study.stage import Stage
from benchmark.study.unit import Unit
from benchmark.sweep.accelerators import (
    SharingTrial,
    describe_gpus,
    list_sharers,
    time_sharing,
)
from benchmark.sweep.former_units import find_stored_id
from benchmark.sweep.resources import NodeResources, Resources
from benchmark.sweep.shards import PER_CORE, Run, calibrate
from search_spaces.errors import InvalidInput


@dataclass(frozen=True)
class Machine:
    """This machine, where a dry run times a unit, and what the command line asks of it."""

    asked: Resources
    workers: int | None
    cores: int
    gpus: tuple[str, ...] = ()

    @property
    def nodes(self) -> list[NodeResources]:
        """What Ray would count here."""
        return [{"CPU": float(self.cores), "GPU": float(len(self.gpus))}]

    @property
    def settled(self) -> Resources:
        """What a shard has here, one to a GPU where that is open."""
        return self.asked.settle(self.nodes)

    def count_slots(self, resources: Resources) -> int:
        """How many shards of these resources run at once; 1 where there is no room for any."""
        room = max(1, resources.count_room(self.nodes))
        return min(room, self.workers) if self.workers and resources.gpus else self.workers or room

    def estimate(self, units: Sequence[PricedUnit], run: Run) -> str:
        """``about 0:10:00 on 2 cores``: the time of these units, of which one is timed."""
        cost, resources = sum(each.cost for each in units), self.settled
        if not resources.gpus:
            slots = self.count_slots(resources)
            seconds = cost * calibrate(units, run, resources.device) / slots
            return f"about {clock(seconds)} on {slots} cores"
        trial = self.time_shards(units, run, resources)
        resources = self.asked.settle(self.nodes, trial.sharers)
        slots = self.count_slots(resources)
        seconds = cost * trial.seconds_per_cost / slots
        held = min(len(self.gpus), math.ceil(slots * resources.demand["GPU"] - 1e-9))
        return (
            f"about {clock(seconds)} ({seconds / 3600:.2g} hours) on "
            f"{describe_gpus(held, self.gpus)}, {trial}: {held * seconds / 3600:.2g} GPU-hours"
        )

    def time_shards(
        self, units: Sequence[PricedUnit], run: Run, resources: Resources
    ) -> SharingTrial:
        """What shards on one GPU train together; one alone is timed in this process."""
        counts = list_sharers(self.asked, self.nodes)
        if len(units) <= PER_CORE * self.count_slots(resources):
            counts = counts[:1]
        if counts != [1]:
            return time_sharing(units, run, resources.device, counts)
        seconds = calibrate(units, run, resources.device)
        return SharingTrial({1: 1 / seconds} if seconds else {})


def rehearse(study: Study, store: Store, machine: Machine, run: Run, console: Console) -> None:
    """Print units, replicas and replica-steps per stage, and the time by a short calibration."""
    stages = assumed_plan(study, store)
    units = {unit.id: unit for stage in stages for unit in stage.units or ()}
    stored = store.done()
    done = {unit_id for unit_id, unit in units.items() if find_stored_id(unit, stored)}
    index = ReplicaIndex(store)
    sources = index.find_all_sources([*units.values()])
    rest = {
        unit_id: index.select_missing(unit, sources.get(unit_id, ()))
        for unit_id, unit in units.items()
    }
    prices = {unit_id: price_unit(unit) for unit_id, unit in rest.items()}
    todo = [prices[unit_id] for unit_id in units.keys() - done if rest[unit_id].replicas]
    console.print(f"study {study.name}: nothing is run", highlight=False, markup=False)
    counts = {}
    for stage in stages:
        ids = [unit.id for unit in stage.units or ()]
        counts[f"{stage.part} / {stage.name}"] = (
            len(ids),
            sum(unit_id in done for unit_id in ids),
            sum(len(unit.replicas) for unit in stage.units or ()),
            sum(prices[unit_id].replica_steps for unit_id in ids),
        )
    print_stage_counts(console, ("units", "done", "replicas", "replica-steps"), counts)
    for line in describe_reuse(study, store, stages, list(rest.values()), units):
        console.print(line, soft_wrap=True, highlight=False, markup=False)
    try:
        estimate = machine.estimate(todo, run)
    except InvalidInput:
        raise
    except Exception as error:  # what a worker would store as a failed attempt
        reason = " ".join(str(error).splitlines()[:1]) or type(error).__name__
        raise InvalidInput(f"the unit that was to be timed cannot be trained ({reason})") from error
    console.print(
        f"{len(todo):,} units to run, {estimate} "
        "(one unit was timed for a second; rates still to be tuned are assumed)",
        soft_wrap=True,
        highlight=False,
        markup=False,
    )
    if os.environ.get("RAY_ADDRESS", "local") not in ("", "local"):
        console.print(
            "this is an estimate for this machine; the cluster of RAY_ADDRESS was not asked",
            soft_wrap=True,
        )


def describe_reuse(
    study: Study,
    store: Store,
    stages: Sequence[Stage[Unit]],
    rest: Sequence[Unit],
    units: Mapping[str, Unit],
) -> list[str]:
    """What differs from the fields of the stored results, and how many replicas they still give."""
    lines = []
    if store.exists():
        changes = list_field_changes(
            store.manifest()["study"], make_manifest(study, stages)["study"]
        )
        lines += [f"changed since the stored results: {line}" for line in changes]
    kept = sum(len(unit.replicas) for unit in units.values())
    kept -= sum(len(unit.replicas) for unit in rest)
    if kept:
        lines.append(f"{kept:,} replicas are stored with units of other fields and are reused")
    return lines


def assume_rows(unit: Unit) -> list[dict[str, Any]]:
    """Rows as if the middle of a grid of rates had the least loss, and accuracies were chance.

    So a rank part is counted with several likely constants of every rule, where it trains them.
    """
    logs = [math.log(replica.lr) for replica in unit.replicas]
    middle = (min(logs) + max(logs)) / 2
    return [
        schema.make_row(
            unit,
            replica,
            {
                "status": "done",
                "valid_accuracy": crc32(repr((replica.lr, replica.seed)).encode()) / 2**32,
                **dict.fromkeys(LOSS_COLUMNS.values(), (log - middle) ** 2),
                "chance_loss": math.inf,
                "update_moments": [1.0],
            },
        )
        for replica, log in zip(unit.replicas, logs, strict=True)
    ]


def assumed_plan(study: Study, store: Store) -> list[Stage[Unit]]:
    """The whole plan, as if every unit that later stages wait for had come out even."""
    seen: dict[str, Unit] = {}
    done = store.done()

    def read(ids: Sequence[str]) -> pa.Table | None:
        units = [seen[unit_id] for unit_id in ids if unit_id in seen]
        former = {unit.id: find_stored_id(unit, done) or unit.id for unit in units}
        stored = store.read([former.get(unit_id, unit_id) for unit_id in ids])
        if stored is not None or not all(unit_id in seen for unit_id in ids):
            return stored
        return schema.make_table([row for unit_id in ids for row in assume_rows(seen[unit_id])])

    stages = plan(study, read)
    while any(stage.units is None for stage in stages):
        before = len(seen)
        seen |= {unit.id: unit for stage in stages for unit in stage.units or ()}
        if len(seen) == before:
            break
        stages = plan(study, read)
    return stages
