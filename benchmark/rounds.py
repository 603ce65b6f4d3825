"""Carries a study out: plan, run what is missing, plan again, until there is nothing new to run."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from rich.console import Console

from benchmark import engine
from benchmark.manifest import manifest
from benchmark.plan import plan
from benchmark.progress import Progress
from benchmark.shards import LIMIT, PER_CORE, Run, calibrate, pack
from benchmark.stage import Stage
from benchmark.store import Store
from benchmark.study import Study
from benchmark.unit import Unit

if TYPE_CHECKING:
    from benchmark.sweep import Sweep

ATTEMPTS: Final = 3
"""How often one command tries a unit; a unit that failed before is tried apart from others."""


@dataclass
class Rounds:
    """A study, its store, and what this command has tried so far."""

    study: Study
    store: Store
    workers: int | None
    run: Run
    console: Console
    attempts: Counter[str] = field(default_factory=Counter)
    known: set[str] = field(default_factory=set)
    seconds_per_cost: float | None = None

    def carry_out(self, announce: Callable[[list[Stage], int], None]) -> None:
        """Run every unit that the store does not have; failed ones are tried ``ATTEMPTS`` times.

        ``announce`` is told the first plan and how many of its units are done. Ray is started once,
        and only if there is something to run. Raises ``StoreUnwritable``.
        """
        stages, todo = self.look()
        announce(stages, len(self.known))
        if not todo:
            return
        from benchmark.sweep import Sweep  # importing Ray takes seconds

        with ExitStack() as stack:
            with self.console.status("starting Ray"):
                sweep = stack.enter_context(Sweep(self.workers, self.run))
            progress = stack.enter_context(Progress(self.console))
            while todo:
                self.round(todo, sweep, progress)
                _, todo = self.look()

    def look(self) -> tuple[list[Stage], list[Unit]]:
        """Plan from what the store holds, say so in the manifest, and list what is to be run."""
        stages = plan(self.study, self.store.read)
        self.store.write_manifest(manifest(self.study, stages))
        units = {unit.id: unit for stage in stages for unit in stage.units or ()}
        self.known |= self.store.verified(units.keys() - self.known)
        return stages, [
            unit
            for unit_id, unit in units.items()
            if unit_id not in self.known and self.attempts[unit_id] < ATTEMPTS
        ]

    def round(self, todo: list[Unit], sweep: Sweep, progress: Progress) -> None:
        """Try every one of these units once."""
        fresh = [unit for unit in todo if not self.attempts[unit.id]]
        again = [[unit] for unit in todo if self.attempts[unit.id]]
        if self.seconds_per_cost is None and len(fresh) > PER_CORE * sweep.cores:
            self.seconds_per_cost = calibrate(fresh, self.run, engine.cost, engine.replica_steps)
        shards = pack(fresh, engine.cost, sweep.cores, self.seconds_per_cost or 0.0)
        if len(shards) + len(again) <= LIMIT:
            shards += again
        else:
            shards = pack(todo, engine.cost, sweep.cores, self.seconds_per_cost or 0.0)
        self.attempts.update(unit.id for unit in todo)
        steps = sum(map(engine.replica_steps, todo))
        progress.expect(len(todo), steps, len(shards), retried=len(again))
        for shard, reason in sweep.train(shards, self.store, progress).items():
            self.lost(shards[shard], reason)

    def lost(self, shard: list[Unit], reason: str) -> None:
        """Blame a unit for its worker's death if it was alone there; others are tried again."""
        if len(shard) == 1 and not self.store.verified([shard[0].id]):
            last = reason.strip().splitlines()[-1]
            self.store.write_failure(shard[0], f"the worker was lost: {last}", reason)


def cores(workers: int | None) -> int:
    """How many shards a Ray of our own runs at once."""
    return workers or os.cpu_count() or 1
