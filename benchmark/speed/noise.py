"""How far runs of one unit differ on a GPU, where sums are taken in no fixed order."""

from __future__ import annotations

from itertools import islice
from statistics import stdev

from benchmark.speed.networks import list_networks
from benchmark.speed.table import SpeedRow

RUNS = 5
STEPS = 10


def measure_noise(device: str) -> list[SpeedRow]:
    """The standard deviation of the last loss over runs of the median cell; none on a CPU, where
    the bytes are the same."""
    subject = "median cell, the same unit run again"
    name, unit = f"SD of the loss after {STEPS} steps, {RUNS} runs", "nats"
    if device == "cpu":
        return [SpeedRow("noise", subject, name, unit, note="skipped: no GPU")]
    network = next(n for n in list_networks(quick=True, gpu=True) if "median" in n.name)
    builder = network.create_builder(device)
    losses = []
    for _ in range(RUNS):
        training = builder.build_training(network.replicas(network.rates))
        training.module.train()
        for batch in islice(training.batches.epoch(), STEPS):
            training.advance(*batch)
        losses.append(training.loss_SR[STEPS - 1].tolist())
    deviations = [stdev(of_replica) for of_replica in zip(*losses, strict=True)]
    return [SpeedRow("noise", subject, name, unit, deviations, note="one value per replica")]
