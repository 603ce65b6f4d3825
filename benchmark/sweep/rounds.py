"""Carries a study out: plan, run what is missing, plan again, until there is nothing new to run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from rich.console import Console

from benchmark.engine.costs import PricedUnit, price_unit
from benchmark.plan.planner import plan
from benchmark.progress import Progress
from benchmark.store.formats.manifest import make_manifest
from benchmark.store.reuse import ReplicaIndex, compose_units
from benchmark.store.store import Store
from benchmark.study import Study
from benchmark.study.stage import Stage
from benchmark.study.unit import Unit
from benchmark.sweep.accelerators import describe_choice, list_sharers
from benchmark.sweep.former_units import adopt_former_units
from benchmark.sweep.rehearsal import assumed_plan
from benchmark.sweep.resources import Resources
from benchmark.sweep.shards import LIMIT, PER_CORE, Run, pack

if TYPE_CHECKING:
    from benchmark.sweep.driver.cluster import Cluster

ATTEMPTS: Final = 3
"""How often one command tries a unit; a unit that failed before is tried apart from others."""


@dataclass
class Rounds:
    """A study, its store, and what this command has tried so far."""

    study: Study
    store: Store
    workers: int | None
    resources: Resources
    run: Run
    console: Console
    command: str = ""
    attempts: Counter[str] = field(default_factory=Counter)
    known: set[str] = field(default_factory=set)
    planned: dict[str, Any] | None = None
    adopted: set[str] = field(default_factory=set)
    sources: dict[str, tuple[str, ...]] = field(default_factory=dict)
    prices: dict[str, PricedUnit] = field(default_factory=dict)
    seconds_per_cost: float | None = None

    def carry_out(self, announce: Callable[[list[Stage[Unit]], int], None]) -> None:
        """Run every unit that the store does not have; failed ones are tried ``ATTEMPTS`` times.

        ``announce`` is told the first plan and how many of its units are done. Ray is started once,
        and only if there is something to run. Raises ``StoreUnwritable``, and ``InvalidInput``
        where the cluster has no room for a shard.
        """
        stages, todo = self.plan_rest()
        announce(stages, len(self.known))
        if not todo:
            return
        from benchmark.sweep.driver.cluster import Cluster  # importing Ray takes seconds

        with ExitStack() as stack:
            with self.console.status("starting Ray"):
                cluster = stack.enter_context(Cluster(self.workers, self.resources))
            if cluster.asked.auto and (cluster.resources.gpus or cluster.joined):
                self.say(describe_choice(cluster.resources, cluster.nodes))
            progress = stack.enter_context(Progress(self.console))
            progress.say("planning")
            later = self.estimate_later(stages)
            self.resume(stages, later[1], progress)
            while todo:
                self.round(todo, cluster, progress, later=later, name=name_round(stages, todo))
                progress.say("planning")
                stages, todo = self.plan_rest()
                later = self.estimate_later(stages)

    def estimate_later(self, stages: list[Stage[Unit]]) -> tuple[int, int]:
        """About how many units of what cost the stages have that are not planned yet."""
        waiting = {(stage.part, stage.name) for stage in stages if stage.units is None}
        if not waiting:
            return 0, 0
        assumed = [
            unit
            for stage in assumed_plan(self.study, self.store)
            if (stage.part, stage.name) in waiting
            for unit in stage.units or ()
        ]
        return len(assumed), sum(price_unit(unit).cost for unit in assumed)

    def resume(self, stages: list[Stage[Unit]], later_cost: int, progress: Progress) -> None:
        """Tell the progress display what was stored before."""
        units = {unit.id: unit for stage in stages for unit in stage.units or ()}
        costs = {unit_id: self.price(unit).cost for unit_id, unit in units.items()}
        stored = sum(costs[unit_id] for unit_id in units.keys() & self.known)
        count = len(units.keys() & self.known)
        progress.resume(count, stored, sum(costs.values()) + later_cost)

    def plan_rest(self) -> tuple[list[Stage[Unit]], list[Unit]]:
        """Plan from what the store holds, say so in the manifest, and list what is to be run.

        Units that an earlier version stored under another id are taken over first, and units whose
        replicas units of other fields hold.
        """
        stages = plan(self.study, self.store.read)
        while self.take_over([unit for stage in stages for unit in stage.units or ()]):
            stages = plan(self.study, self.store.read)
        self.planned = make_manifest(self.study, stages, self.command)
        self.store.write_manifest(self.planned)
        units = {unit.id: unit for stage in stages for unit in stage.units or ()}
        self.known |= self.store.verified(units.keys() - self.known)
        return stages, [
            unit
            for unit_id, unit in units.items()
            if unit_id not in self.known and self.attempts[unit_id] < ATTEMPTS
        ]

    def take_over(self, units: list[Unit]) -> bool:
        """Store what other stored units hold of these; whether that completed any.

        Of units that are completed in part, ``sources`` has the units that hold their replicas.
        """
        adopted = adopt_former_units(
            self.store, [unit for unit in units if unit.id not in self.adopted]
        )
        if adopted:
            self.say(
                f"{len(adopted):,} units that were stored under another name of their data set "
                "are taken over"
            )
        self.sources = self.index.find_all_sources(units)
        whole = [
            unit
            for unit in units
            if unit.id in self.sources.keys() - self.adopted
            and not self.index.select_missing(unit, self.sources[unit.id]).replicas
        ]
        composed = compose_units(self.store, whole, self.sources)
        if composed:
            self.say(f"{len(composed):,} units are made of replicas that are stored already")
        self.adopted |= adopted | composed
        return bool(adopted or composed)

    @cached_property
    def index(self) -> ReplicaIndex:
        """The replicas of stored units."""
        return ReplicaIndex(self.store)

    def say(self, text: str) -> None:
        """Print a line."""
        self.console.print(text, highlight=False, markup=False, soft_wrap=True)

    def price(self, unit: Unit) -> PricedUnit:
        """The unit with its price, which is computed once: that of what is not stored yet."""
        if unit.id not in self.prices:
            sources = self.sources.get(unit.id, ())
            rest = price_unit(self.index.select_missing(unit, sources))
            self.prices[unit.id] = replace(rest, unit=unit, sources=sources)
        return self.prices[unit.id]

    def round(
        self,
        todo: list[Unit],
        cluster: Cluster,
        progress: Progress,
        *,
        later: tuple[int, int] = (0, 0),
        name: str = "",
    ) -> None:
        """Try every one of these units once."""
        from benchmark.sweep.ray_tune import sweep

        priced = [self.price(unit) for unit in todo]
        fresh = [each for each in priced if not self.attempts[each.unit.id]]
        again = [[each] for each in priced if self.attempts[each.unit.id]]
        if self.seconds_per_cost is None and len(fresh) > PER_CORE * cluster.slots:
            self.seconds_per_cost = self.time_units(fresh, cluster)
        shards = pack(fresh, cluster.slots, self.seconds_per_cost or 0.0)
        if len(shards) + len(again) <= LIMIT:
            shards += again
        else:
            shards = pack(priced, cluster.slots, self.seconds_per_cost or 0.0)
        given_up = sum(tries == ATTEMPTS for tries in self.attempts.values())
        cost = sum(each.cost for each in priced)
        progress.expect(len(todo), cost, len(shards), given_up, later=later, name=name)
        self.attempts.update(unit.id for unit in todo)
        logged = self.store.attempts()
        for shard, reason in sweep(shards, self.store, self.run, cluster, progress).items():
            self.record_loss([each.unit for each in shards[shard]], reason, logged)

    def time_units(self, fresh: Sequence[PricedUnit], cluster: Cluster) -> float:
        """Seconds per unit of cost, by a middling unit; and how many shards share a GPU, by it too,
        where that is open."""
        from benchmark.sweep.ray_tune import calibrate_on_worker, time_sharing_on_worker

        counts = list_sharers(cluster.asked, cluster.nodes)
        if len(counts) == 1 or not cluster.resources.gpus:
            return calibrate_on_worker(fresh, self.run, cluster)
        trial = time_sharing_on_worker(fresh, self.run, cluster, counts)
        cluster.settle(trial.sharers)
        self.say(describe_choice(cluster.resources, cluster.nodes, trial))
        return trial.seconds_per_cost

    def record_loss(self, shard: list[Unit], reason: str, logged: dict[str, list[int]]) -> None:
        """Blame the unit that a lost worker was at; those after it were not tried.

        A shard's units run in order and leave a file or a log each (``logged`` has those of before
        the round), so the first without either was running, unless the last log is a kill's.
        """
        finished, logs = self.store.verified(unit.id for unit in shard), self.store.attempts()
        ended = [
            unit.id in finished or len(logs.get(unit.id, ())) > len(logged.get(unit.id, ()))
            for unit in shard
        ]
        reached = ended.index(False) if False in ended else len(shard)
        rest = shard[reached:]
        before = shard[reached - 1].id if reached else ""
        if rest and (before in finished or not self.store.killed(before)):
            last = reason.strip().splitlines()[-1]
            error = f"the worker was lost: {last}"
            self.store.write_failure(rest.pop(0), error, reason, killed=True)
        self.attempts.subtract(unit.id for unit in rest)


def name_round(stages: Sequence[Stage[Unit]], todo: Sequence[Unit]) -> str:
    """The stages of the units that are tried: ``grid of rungs, base of cells``."""
    ids = {unit.id for unit in todo}
    parts: dict[str, list[str]] = {}
    for stage in stages:
        if any(unit.id in ids for unit in stage.units or ()):
            parts.setdefault(stage.name, []).append(stage.part)
    return "; ".join(f"{name} of {', '.join(of)}" for name, of in parts.items())
