"""How much arithmetic a step is, and how much of it the device could do in that time."""

from __future__ import annotations

import time
from itertools import islice
from typing import Final

import torch
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode

from benchmark.speed.networks import TimedNetwork
from benchmark.training.batches import Batches

SIZE: Final = {"cpu": 1024, "cuda": 8192}
"""Rows and columns of the matrices whose product is timed."""
TRIES: Final = 8


def count_flops(network: TimedNetwork) -> int:
    """Floating-point operations of one replica-step, forward and backward.

    Products and convolutions are counted, a multiplication and an addition as two; what is left out
    (normalization, pooling, the optimizer) moves many bytes and computes little.
    """
    builder = network.create_builder("cpu")
    (replica,) = network.replicas(1)
    module = builder.build_network([replica], torch.float32).train()
    batches = Batches(builder.data, builder.unit.recipe, [0], torch.float32, builder.device)
    ((x_BCHW, y_RB),) = islice(batches.epoch(), 1)
    with FlopCounterMode(display=False) as counter:
        F.cross_entropy(module(x_BCHW)[0], y_RB[0]).backward()
    return int(counter.get_total_flops())


def time_matrix_product(device: str) -> float:
    """Operations per second of a float32 matrix product, the fastest of ``TRIES``.

    What the device reaches at best on the threads that it has; TF32 is off.
    """
    size = SIZE[torch.device(device).type]
    x = torch.randn(size, size, device=device)
    fastest = float("inf")
    for _ in range(TRIES):
        begin = time.perf_counter()
        _ = x @ x
        if device != "cpu":
            torch.cuda.synchronize()
        fastest = min(fastest, time.perf_counter() - begin)
    return 2 * size**3 / fastest


def describe_rate(steps_per_second: float, flops: int, peak: float) -> str:
    """``74.0 GFLOP/s, 76% of a matrix product's``."""
    reached = steps_per_second * flops
    return f"{reached / 1e9:.3g} GFLOP/s, {reached / peak:.0%} of a matrix product's"
