"""Units too large for one device: several ranks of Ray Train train one, inside its Tune trial.

``benchmark.training.process_group`` gives the ranks the arithmetic of one process with the whole
batch, so they hold the same rows at the end, and agree on what diverged. Rank 0 stores them.
"""

from __future__ import annotations

import tempfile
import time
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import ray.train
from ray.train.torch import TorchConfig, TorchTrainer

from benchmark.engine import engine
from benchmark.store import provenance
from benchmark.store.reuse import recall_replicas
from benchmark.store.store import Store
from benchmark.study.unit import Unit
from benchmark.sweep.resources import Resources
from benchmark.training.process_group import ProcessGroup

EXCHANGE_TIMEOUT: Final = timedelta(minutes=10)
"""How long ranks wait for one another before they give up: a rank may have died."""


@dataclass(frozen=True)
class Assignment:
    """What every rank is told: the unit, the store, the driver's commit, what it may use, and which
    stored units hold replicas of this one."""

    unit: Unit
    uri: str
    source: str
    resources: Resources
    sources: tuple[str, ...] = ()


def train_on_ranks(assignment: Assignment) -> None:
    """Train a unit and store it; raises Ray Train's error with the traceback of a failed rank.

    Tune does not reserve what the ranks use: the caller keeps few enough trials at once.
    """
    resources = assignment.resources
    share = {"CPU": float(resources.cpus), "GPU": resources.gpus}
    with tempfile.TemporaryDirectory() as folder:
        TorchTrainer(
            train_rank,
            train_loop_config={"assignment": assignment},
            torch_config=TorchConfig(
                backend="nccl" if resources.gpus else "gloo",
                timeout_s=int(EXCHANGE_TIMEOUT.total_seconds()),
            ),
            scaling_config=ray.train.ScalingConfig(
                num_workers=resources.ranks,
                use_gpu=resources.gpus > 0,
                resources_per_worker={name: need for name, need in share.items() if need},
            ),
            run_config=ray.train.RunConfig(
                name=assignment.unit.id[:12],
                storage_path=folder,
                failure_config=ray.train.FailureConfig(max_failures=0),
            ),
        ).fit()


def train_rank(config: dict[str, Assignment]) -> None:
    """One rank."""
    assignment = config["assignment"]
    unit, resources = assignment.unit, assignment.resources
    store, ranks = Store.locate(assignment.uri), ProcessGroup()
    begin = time.perf_counter()
    recalled = recall_replicas(store, unit, assignment.sources)
    rows = engine.run_on_ranks(
        recalled.rest, ranks, device=resources.device, checkpoint=store.checkpoint(unit.id)
    )
    if ranks.rank == 0:
        seconds = time.perf_counter() - begin
        record = provenance.make_record(assignment.source, seconds, resources.record())
        store.write(unit, recalled.complete_rows(rows), recalled.credit(record))
