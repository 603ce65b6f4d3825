"""What the machinery costs besides training, on units that train nothing.

The units are packed as if each took a second, so that Ray Tune carries as many shards as it would,
and go the whole way: shard, worker, watchdog, file, progress. Starting Ray is left out.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from rich.console import Console

from benchmark.engine.costs import price_unit
from benchmark.progress import Progress
from benchmark.speed.growth.memory import read_peak_memory
from benchmark.speed.growth.nodes import DeclaredResources, simulate_nodes
from benchmark.store.formats import schema
from benchmark.store.store import Store
from benchmark.study.recipe import Recipe
from benchmark.study.unit import Replica, Unit
from benchmark.sweep.driver.cluster import Cluster
from benchmark.sweep.ray_tune import sweep
from benchmark.sweep.resources import Resources, count_cores
from benchmark.sweep.shards import pack
from search_spaces.errors import InvalidInput

SHARE: Final = 0.02
"""Of a one-second unit's time, at most."""
MEMORY: Final = 1e9
"""Bytes of the driver, at most."""


def trivial_units(count: int) -> list[Unit]:
    """Units that differ in their rate alone."""
    return [
        Unit(
            measure="training",
            space="mlp",
            space_version=1,
            space_options=(),
            architecture="mlp-2",
            replicas=(Replica.plain(1.0 + number, 0),),
            recipe=Recipe(),
            dataset="digits",
            dataset_checksum="0" * 64,
        )
        for number in range(count)
    ]


def train_nothing(
    unit: Unit,
    on_progress: Callable[[int], None] | None = None,
    *,
    device: str | None = None,
    checkpoint: Path | None = None,
) -> list[dict[str, Any]]:
    """Rows that say ``done`` of replicas that were not trained."""
    return [schema.make_row(unit, replica, {"status": "done"}) for replica in unit.replicas]


@dataclass(frozen=True)
class Overhead:
    """Seconds of the sweep and of reading its results again; bytes of the driver at its peak."""

    units: int
    shards: int
    slots: int
    seconds: float
    reading: float
    memory: int
    first: float = 0.0
    """Seconds from the sweep's begin to its first stored unit."""
    driver: float = 0.0
    """Seconds of a core that the driver's process itself took for the sweep."""
    cores: int = 0
    """Real cores, where the slots are those of simulated nodes that share them."""

    @property
    def share(self) -> float:
        """What a unit costs, as a share of a one-second unit's time on its core."""
        return self.seconds * (self.cores or self.slots) / self.units

    @property
    def within(self) -> bool:
        """Whether it is as little as was promised."""
        return self.share <= SHARE and self.memory < MEMORY


def measure_overhead(count: int, workers: int | None, console: Console, nodes: int = 0) -> Overhead:
    """Sweep ``count`` trivial units into a temporary folder.

    With ``nodes`` on a simulated cluster of so many nodes, of a declared GPU each.
    """
    units = [price_unit(unit) for unit in trivial_units(count)]
    resources = DeclaredResources() if nodes else Resources()
    with (
        simulate_nodes(nodes) if nodes else nullcontext(),
        tempfile.TemporaryDirectory() as folder,
        Cluster(workers, resources) as cluster,
    ):
        store = Store.open(folder, create=True)
        begin, began, taken = time.perf_counter(), time.time(), time.process_time()
        shards = pack(units, cluster.slots, 1.0 / units[0].cost)
        with Progress(console) as progress:
            progress.expect(count, sum(each.cost for each in units), len(shards))
            sweep(shards, store, train_nothing, cluster, progress)
        swept, taken = time.perf_counter(), time.process_time() - taken
        done = len(store.verified(each.unit.id for each in units))
        ended = time.perf_counter()
        if done != count:
            raise InvalidInput(f"{count - done:,} of {count:,} units are missing; see the failures")
        memory = read_peak_memory()
        written = min(file.stat().st_mtime for file in Path(folder).rglob("*.arrow"))
        return Overhead(
            count,
            len(shards),
            cluster.slots,
            swept - begin,
            ended - swept,
            memory,
            written - began,
            taken,
            count_cores() if nodes else 0,
        )
