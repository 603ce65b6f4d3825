"""How much arithmetic a step is, how many bytes it moves, and what the device could do at best."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import islice
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode

from benchmark.engine.device import wait_for_device
from benchmark.speed.networks import TimedNetwork
from benchmark.training.batches import Batches
from benchmark.training.step import autocast

SIZE: Final = {"cpu": 1024, "cuda": 8192}
"""Rows and columns of the matrices whose product is timed."""
TRIES: Final = 8
COPIED: Final = {"cpu": 2**26, "cuda": 2**30}
"""Bytes whose copy is timed: more than caches hold."""
WEIGHT_PASSES: Final = 7
"""Weights are read forward, backward and by the optimizer, which writes them; the gradient is
written and read, and so is the momentum's share that changes."""


def count_flops(network: TimedNetwork) -> int:
    """Floating-point operations of one replica-step, forward and backward.

    Products and convolutions are counted, a multiplication and an addition as two; what is left out
    (normalization, pooling, the optimizer) moves many bytes and computes little.
    """
    module, x_BCHW, y_B = prepare_step(network)
    with FlopCounterMode(display=False) as counter:
        F.cross_entropy(module(x_BCHW)[0], y_B).backward()
    return int(counter.get_total_flops())


def count_bytes(network: TimedNetwork) -> int:
    """Bytes that any implementation of one replica-step moves which computes nothing twice.

    What the backward pass needs of the forward pass is written once and read once; weights, their
    gradient and the momentum move ``WEIGHT_PASSES`` times.
    """
    module, x_BCHW, y_B = prepare_step(network)
    weights = {parameter.untyped_storage().data_ptr() for parameter in module.parameters()}
    kept: dict[int, int] = {}

    def keep(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in weights:
            kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        with autocast(network.recipe, x_BCHW.device):
            logits_BC = module(x_BCHW)[0]
        F.cross_entropy(logits_BC.float(), y_B)
    trained = sum(parameter.nbytes for parameter in module.parameters() if parameter.requires_grad)
    return 2 * sum(kept.values()) + WEIGHT_PASSES * trained


def prepare_step(network: TimedNetwork) -> tuple[nn.Module, Tensor, Tensor]:
    """One replica, and a batch of images x_BCHW with labels y_B, on the CPU."""
    builder = network.create_builder("cpu")
    (replica,) = network.replicas(1)
    module = builder.build_network([replica], torch.float32).train()
    batches = Batches(builder.data, builder.unit.recipe, [0], torch.float32, builder.device)
    ((x_BCHW, y_RB),) = islice(batches.epoch(), 1)
    return module, x_BCHW, y_RB[0]


def time_matrix_product(device: str) -> float:
    """Operations per second of a float32 matrix product, the fastest of ``TRIES``.

    What the device reaches at best on the threads that it has; TF32 is off.
    """
    size = SIZE[torch.device(device).type]
    x = torch.randn(size, size, device=device)
    return 2 * size**3 / find_shortest(lambda: x @ x, device)


def time_copy(device: str) -> float:
    """Bytes per second, read or written, of a copy; the fastest of ``TRIES``."""
    source = torch.zeros(COPIED[torch.device(device).type], dtype=torch.uint8, device=device)
    target = torch.empty_like(source)
    return 2 * source.nbytes / find_shortest(lambda: target.copy_(source), device)


def find_shortest(work: Callable[[], object], device: str) -> float:
    """Seconds of the shortest of ``TRIES``."""
    shortest = float("inf")
    for _ in range(TRIES):
        begin = time.perf_counter()
        work()
        wait_for_device(device)
        shortest = min(shortest, time.perf_counter() - begin)
    return shortest


@dataclass
class Peaks:
    """What the device does at best, a value per round: operations and bytes per second."""

    product: list[float] = field(default_factory=list)
    copy: list[float] = field(default_factory=list)

    def measure(self, device: str) -> None:
        """Time both once more."""
        self.product.append(time_matrix_product(device))
        self.copy.append(time_copy(device))


def describe_rate(steps_per_second: float, flops: int, peak: float) -> str:
    """``74.0 GFLOP/s, 76% of a matrix product's``."""
    reached = steps_per_second * flops
    return f"{reached / 1e9:.3g} GFLOP/s, {reached / peak:.0%} of a matrix product's"


def describe_floor(steps_per_second: float, moved: int, copy: float) -> str:
    """``1.8 times the byte floor``: the time of a step over that of a copy of its bytes."""
    return f"{copy / (steps_per_second * moved):.2g} times the byte floor"
