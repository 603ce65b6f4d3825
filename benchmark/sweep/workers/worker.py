"""What a Ray worker does with a shard: trains its units one by one and stores each."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import lru_cache
from socket import gethostname
from typing import Any, Final

import ray
import torch
from ray import tune

from benchmark.engine.costs import PricedUnit
from benchmark.engine.device import require_gpu
from benchmark.progress import COUNTED
from benchmark.store import provenance
from benchmark.store.folder.errors import StoreError, StoreUnwritable
from benchmark.store.formats.unit_file import UnitFile
from benchmark.store.reuse import recall_replicas
from benchmark.store.store import Store, describe_error
from benchmark.sweep.resources import Resources
from benchmark.sweep.shards import Run
from benchmark.sweep.workers.watchdog import Watchdog

REPORT_EVERY: Final = 1.0
"""Seconds between a worker's reports."""


@lru_cache(maxsize=1)
def get_watchdog(uri: str, seconds: float) -> Watchdog:
    """This process's watchdog: workers are used again, and a job has one store and one limit."""
    return Watchdog(uri, seconds)


def make_trainable(
    shards: Sequence[Any], uri: str, run: Run, resources: Resources
) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """The function that Tune runs in a worker: the shard of a number, from Ray's object store."""
    source = provenance.find_commit()

    def shard(config: dict[str, Any]) -> dict[str, Any]:
        torch.set_num_threads(1)
        torch.set_flush_denormal(True)
        store = Store.locate(uri)
        worker = Worker(store, run, resources, source)
        try:
            if not store.visible:
                raise StoreUnwritable(
                    f"the node {gethostname()} sees no results at {store.files.name}; give --out "
                    "storage that every node sees: a shared folder, or a URI"
                )
            for priced in ray.get(shards[config["shard"]]):
                with get_watchdog(uri, resources.unit_timeout).watching(priced.unit):
                    worker.attempt(priced)
                worker.report()
        except StoreError as error:
            return {"unwritable": str(error)}
        return worker.counts

    return shard


class Worker:
    """The counts of one shard, and what its units need."""

    def __init__(self, store: Store, run: Run, resources: Resources, source: str) -> None:
        self.store, self.run, self.resources, self.source = store, run, resources, source
        self.counts = dict.fromkeys(COUNTED, 0)
        self.reported = time.monotonic()

    def report(self) -> None:
        """Tell the driver, now and then."""
        if time.monotonic() - self.reported > REPORT_EVERY:
            self.reported = time.monotonic()
            tune.report(dict(self.counts))

    def attempt(self, priced: PricedUnit) -> None:
        """Train one unit and store its rows, or the log of why that failed.

        A unit that another driver has finished meanwhile is left as it is. Running out of memory
        is a failure like others, as long as it is an exception.
        """
        unit, whole = priced.unit, self.counts["cost"] + priced.cost

        def on_progress(count: int) -> None:
            self.counts["steps"] += count
            part = count * priced.cost // max(1, priced.replica_steps)
            # Steps that are made again, as where memory ran out, are no more than the unit's cost.
            self.counts["cost"] = min(whole, self.counts["cost"] + part)
            self.report()

        try:
            known = self.store.find_unit(unit.id)
            statuses = statuses_of(known) if known else self.train(priced, on_progress)
        except StoreError:
            raise
        except Exception as error:
            self.store.write_failure(unit, *describe_error(error))
            self.counts["failed"] += 1
            return
        self.counts["units"] += 1
        self.counts["cost"] = whole
        self.counts["diverged"] += statuses.count("diverged")

    def train(self, priced: PricedUnit, on_progress: Callable[[int], None]) -> list[str]:
        """Store a unit's rows, those of ``sources`` among them; returns their statuses."""
        unit = priced.unit
        require_gpu(self.resources.gpus, "this unit's node")  # no host name: failures are published
        if self.resources.ranks > 1 and unit.measure == "training":
            from benchmark.sweep.workers import ray_train

            ray_train.train_on_ranks(
                ray_train.Assignment(
                    unit, self.store.uri, self.source, self.resources, priced.sources
                )
            )
            stored = self.store.find_unit(unit.id)
            if stored is None:
                raise RuntimeError("the ranks ended, and the unit's file is missing or damaged")
            on_progress(priced.replica_steps)
            return statuses_of(stored)
        begin = time.perf_counter()
        device, checkpoint = self.resources.device, self.store.checkpoint(unit.id)
        recalled = recall_replicas(self.store, unit, priced.sources)
        rest = recalled.rest
        trained = (
            self.run(rest, on_progress, device=device, checkpoint=checkpoint)
            if rest.replicas
            else []
        )
        rows = recalled.complete_rows(trained)
        seconds = time.perf_counter() - begin
        record = provenance.make_record(self.source, seconds, self.resources.record())
        self.store.write(unit, rows, recalled.credit(record))
        return [row["status"] for row in rows]


def statuses_of(file: UnitFile) -> list[str]:
    """What became of a stored unit's replicas."""
    statuses: list[str] = file.rows["status"].to_pylist()
    return statuses
