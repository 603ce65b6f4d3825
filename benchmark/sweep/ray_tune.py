"""Fans shards of units out over Ray Tune.

Ray only places work. Workers write finished units to the store themselves, so nothing is lost with
a trial, a worker or this driver, and Tune's own state is thrown away.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

import ray
from ray import tune
from ray.exceptions import GetTimeoutError, RayError
from ray.tune.experiment import Trial
from ray.tune.schedulers import FIFOScheduler

from benchmark.engine.costs import PricedUnit
from benchmark.progress import Progress
from benchmark.store.store import Store, StoreUnwritable
from benchmark.sweep.accelerators import PATIENCE, SharingTrial, time_sharing
from benchmark.sweep.driver.cluster import Cluster
from benchmark.sweep.shards import Run, calibrate
from benchmark.sweep.workers.worker import make_trainable

T = TypeVar("T")
CALIBRATION_PATIENCE: Final = 120.0
"""Seconds: a cluster may have to start a node first."""


def sweep(
    shards: Sequence[Sequence[PricedUnit]],
    store: Store,
    run: Run,
    cluster: Cluster,
    progress: Progress,
) -> dict[int, str]:
    """Run every shard once; returns the shards whose worker was lost, with the reason.

    Shards start in their order, as many at once as the cluster has room for. A unit that raises
    leaves a failure in the store and its shard goes on. Raises ``StoreUnwritable`` as soon as a
    worker cannot write.
    """
    watch = Watch(progress)
    if cluster.resources.ranks == 1:
        demand = {name.lower(): amount for name, amount in cluster.resources.demand.items()}
    else:  # Ray Train reserves cores for the ranks; a trial must reserve something: one byte
        demand = {"memory": 1.0}
    sent = [ray.put(list(shard)) for shard in shards]
    tuner = tune.Tuner(
        tune.with_resources(
            make_trainable(sent, store.uri, run, cluster.resources), demand or {"cpu": 0}
        ),
        param_space={"shard": tune.grid_search(list(range(len(shards))))},
        tune_config=tune.TuneConfig(
            reuse_actors=True,
            max_concurrent_trials=cluster.slots,
            scheduler=NewestFirst(),  # type: ignore[no-untyped-call]
        ),
        run_config=tune.RunConfig(
            name=f"round-{time.time_ns()}",
            storage_path=str(cluster.folder / "tune"),
            callbacks=[watch],
            verbose=0,
        ),
    )
    tuner.fit()
    return watch.lost


def calibrate_on_worker(units: Sequence[PricedUnit], run: Run, cluster: Cluster) -> float:
    """``shards.calibrate`` in a worker; 0 where the unit that it times hangs or ends the worker."""
    resources = cluster.resources
    return run_on_worker(
        cluster, CALIBRATION_PATIENCE, 0.0, calibrate, list(units), run, resources.device
    )


def time_sharing_on_worker(
    units: Sequence[PricedUnit], run: Run, cluster: Cluster, counts: Sequence[int]
) -> SharingTrial:
    """``accelerators.time_sharing`` on one GPU of the cluster; nothing timed where that fails."""
    resources, patience = cluster.resources, PATIENCE * len(counts)
    return run_on_worker(
        cluster, patience, SharingTrial(), time_sharing, list(units), run, resources.device, counts
    )


def run_on_worker(
    cluster: Cluster, patience: float, otherwise: T, work: Callable[..., T], *arguments: Any
) -> T:
    """What a function returns in a worker with a shard's resources; ``otherwise`` where it fails.

    ``patience`` is in seconds.
    """
    cpus, gpus = cluster.resources.cpus, cluster.resources.gpus
    remote: Any = ray.remote(num_cpus=cpus, num_gpus=gpus, max_retries=0, max_calls=1)(work)
    answer = remote.remote(*arguments)
    try:
        found: T = ray.get(answer, timeout=patience)
    except (RayError, GetTimeoutError):
        ray.cancel(answer, force=True)
        return otherwise
    return found


class NewestFirst(FIFOScheduler):
    """Of the shards that wait, the one that Tune made last is the next to get a worker.

    Tune makes as many as may run at once, in their order, and starts a worker for each. In its own
    order a worker that is done takes the oldest shard that waits, and the worker that is starting
    for that one is ended. Where starting takes longer than a shard, on a node that joins late or is
    busy, no worker ever comes to work there. The newest shard has no worker to lose.
    """

    def choose_trial_to_run(self, tune_controller: Any) -> Trial | None:
        """The last pending trial; none are paused."""
        trials: list[Trial] = tune_controller.get_trials()
        return next((each for each in reversed(trials) if each.status == Trial.PENDING), None)


class Watch(tune.Callback):
    """Hands what trials report to the progress display."""

    def __init__(self, progress: Progress) -> None:
        self.progress = progress
        self.lost: dict[int, str] = {}
        self.unwritable: str | None = None

    def __getstate__(self) -> dict[str, Any]:
        return {}  # Tune pickles its callbacks for a restore, which the store makes needless

    def on_trial_result(
        self, iteration: int, trials: list[Any], trial: Any, result: dict[str, Any], **info: Any
    ) -> None:
        """A worker reported."""
        if "unwritable" in result:
            self.unwritable = result["unwritable"]
        elif "units" in result:
            self.progress.update(trial.trial_id, result)

    def on_trial_complete(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
        """A shard came to its end."""
        self.progress.finish()

    def on_trial_error(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
        """A shard's worker was lost."""
        self.progress.finish(lost=True)
        file = trial.error_file
        text = Path(file).read_text() if file and Path(file).exists() else "the worker was lost"
        self.lost[trial.config["shard"]] = text

    def on_step_end(self, iteration: int, trials: list[Any], **info: Any) -> None:
        """Stop the round where the store cannot be written: an error here ends Tune's loop."""
        if self.unwritable is not None:
            raise StoreUnwritable(self.unwritable)
