"""The peers: one Ray Tune trial per rate, one worker with one thread."""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import partial
from itertools import pairwise
from typing import Any

import torch
from ray import tune

from benchmark.engine import device as devices
from benchmark.speed.networks import TimedNetwork
from benchmark.speed.ways.contenders import train_plainly
from benchmark.sweep.driver.cluster import Cluster

TUNE = "a Ray Tune trial per rate"
REUSE = "the same, reuse_actors"


def measure_speeds(
    cluster: Cluster, networks: Sequence[TimedNetwork], reuse: bool, device: str, rates: int
) -> dict[TimedNetwork, float]:
    """Replica-steps per second of one round over all networks, each at so many rates.

    A trial takes from the end of the one before to its own: what Tune does between trials counts,
    its start and that of the first worker do not (a first trial, not counted, takes them).
    """
    order = [networks[0], *(network for network in networks for _ in range(rates))]
    tuner = tune.Tuner(
        tune.with_resources(
            partial(train_trial, networks=order, device=device),
            {"cpu": 1, "gpu": 0 if device == "cpu" else 1},
        ),
        param_space={"number": tune.grid_search(list(range(len(order))))},
        tune_config=tune.TuneConfig(reuse_actors=reuse, max_concurrent_trials=1),
        run_config=tune.RunConfig(
            name=f"speed-{time.time_ns()}", storage_path=str(cluster.folder / "tune"), verbose=0
        ),
    )
    fitted = tuner.fit()
    if fitted.num_errors:
        raise fitted.errors[0]
    metrics = [fitted[index].metrics or {} for index in range(len(fitted))]
    results = sorted(metrics, key=lambda metric: float(metric["end"]))
    taken: dict[TimedNetwork, float] = dict.fromkeys(networks, 0.0)
    for before, result in pairwise(results):
        taken[order[result["number"]]] += result["end"] - before["end"]
    return {network: rates * network.steps / seconds for network, seconds in taken.items()}


def train_trial(
    config: dict[str, Any], networks: Sequence[TimedNetwork], device: str
) -> dict[str, Any]:
    """One rate, as a user's training function has it."""
    devices.prepare_device(torch.device(device))
    number: int = config["number"]
    network = networks[number]
    replica = network.replicas(network.rates)[number % network.rates]
    train_plainly(network.create_builder(device), replica, network.steps, channels_last=False)
    return {"number": number, "end": time.time()}
