"""Ways to train a network at several rates in one process, each timed from its first line to last.

Every way gets the same images in the same order, the same weights, optimizer and precision, and one
thread. What the engine asks of the allocator holds for the whole process, for the loops as well.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from itertools import islice

import torch
from torch import Tensor
from torch.nn import functional as F

from benchmark.engine import chunk_size
from benchmark.engine.build import Builder
from benchmark.engine.freed_memory import keep_freed_memory
from benchmark.speed.networks import TimedNetwork
from benchmark.study.unit import Replica
from benchmark.training.batches import Batches

LOOP = "plain loop over rates"
CHANNELS_LAST = "plain loop, channels last"
COMPILED = "plain loop, torch.compile"
GRAPHS = "loop with CUDA graphs"
ENGINE = "engine"
BFLOAT16 = "engine, bfloat16"


def train_plainly(
    builder: Builder, replica: Replica, steps: int, channels_last: bool, compiler: str = ""
) -> float:
    """What one writes by hand: ``torch.optim``, one network, one rate; the last loss.

    ``compiler`` is a backend of ``torch.compile``, which is left out where none is named.
    """
    module = builder.build_network([replica], torch.float32).train()
    network: Callable[..., Tensor] = module
    if compiler:
        mode = "reduce-overhead" if compiler == "inductor" else None
        network = torch.compile(module, backend=compiler, mode=mode)
    recipe = builder.unit.recipe
    optimizer = torch.optim.SGD(
        module.parameters(),
        replica.lr,
        momentum=recipe.momentum,
        nesterov=recipe.nesterov,
        weight_decay=recipe.weight_decay,
    )
    batches = Batches(
        builder.data,
        recipe,
        [replica.seed],
        torch.float32,
        builder.device,
        channels_last=channels_last,
    )
    loss = torch.zeros(())
    for x_BCHW, y_RB in islice(batches.epoch(), steps):
        optimizer.zero_grad()
        loss = F.cross_entropy(network(x_BCHW)[0], y_RB[0])
        loss.backward()
        optimizer.step()
    return float(loss.detach())


@keep_freed_memory()
def train_together(builder: Builder, network: TimedNetwork, limit: int) -> list[float]:
    """The engine's steps, chunk by chunk; every replica's last loss."""
    losses: list[float] = []
    replicas = network.replicas(network.rates)
    for size in chunk_size.split_replicas(len(replicas), limit):
        training = builder.build_training(replicas[len(losses) : len(losses) + size])
        training.module.train()
        for x_BKHW, y_RB in islice(training.batches.epoch(), network.steps):
            training.advance(x_BKHW, y_RB)
        losses += training.loss_SR[training.step - 1].tolist()
    return losses


def train_at_best(network: TimedNetwork, device: str) -> Callable[[], list[float]]:
    """The engine's steps in chunks of the size that is fastest here, as in a long study: it is
    timed now, and known when the steps are taken."""
    builder = network.create_builder(device)
    replicas = network.replicas(network.rates)
    limit = chunk_size.LIMITS.choose(builder, replicas, steps=10**9)
    return lambda: train_together(builder, network, limit)


def list_contenders(network: TimedNetwork, device: str) -> dict[str, Callable[[], float]]:
    """Replica-steps per second of every way there is on the device, by name."""
    builder = network.create_builder(device)

    def loop(channels_last: bool, compiler: str = "") -> None:
        for replica in network.replicas(network.rates):
            train_plainly(builder, replica, network.steps, channels_last, compiler)

    found: dict[str, Callable[[], object]] = {
        LOOP: lambda: loop(False),
        CHANNELS_LAST: lambda: loop(True),
        COMPILED: lambda: loop(network.space != "mlp", "inductor"),
        GRAPHS: lambda: train_together(builder, network, 1),
        ENGINE: train_at_best(network, device),
        BFLOAT16: train_at_best(replace(network, precision="bfloat16"), device),
    }
    if device == "cpu":
        del found[GRAPHS], found[COMPILED]
    if network.space == "mlp":
        del found[CHANNELS_LAST]
    return {name: time_way(way, network, device) for name, way in found.items()}


def time_way(way: Callable[[], object], network: TimedNetwork, device: str) -> Callable[[], float]:
    """A way with a clock around it."""

    def speed() -> float:
        begin = time.perf_counter()
        way()
        if device != "cpu":
            torch.cuda.synchronize()
        return network.rates * network.steps / (time.perf_counter() - begin)

    return speed
