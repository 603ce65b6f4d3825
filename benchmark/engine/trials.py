"""Timing of chunks for a class of architectures: once per process, remembered for its run."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from itertools import islice
from typing import Any, Final

import torch

from benchmark.engine.build import Setting
from benchmark.engine.chunk_size import CACHED_ELEMENTS, SHARE, Trial, fastest, reference, sizes
from benchmark.engine.memory import exhausted
from benchmark.study.unit import Replica

STEPS: Final = 3
"""Timed steps, after one that warms up; the quickest counts."""

limits: dict[tuple[Any, ...], int] = {}
"""The limit of every class that was met: space, layers, images, recipe, device, replicas."""


def limit(setting: Setting, replicas: Sequence[Replica], steps: int) -> int:
    """How many replicas to train as one network, for a unit of so many steps."""
    on_gpu = setting.device.type == "cuda"
    by_rule = reference(setting.largest_activation, CACHED_ELEMENTS * (2**10 if on_gpu else 1))
    if setting.unit.measure == "updates" or setting.ranks.size > 1:
        return by_rule  # ranks must agree without asking one another
    unit = setting.unit
    key = (
        *(unit.space, unit.space_options, setting.layers, setting.data.checksum),
        *(unit.recipe, str(setting.device), len(replicas)),
    )
    if key not in limits:
        tried = (1 + STEPS) * sum(max(sizes(len(replicas), f)) for f in around(by_rule))
        if tried > SHARE * len(replicas) * steps:
            return by_rule
        limits[key] = fastest(
            len(replicas), by_rule, lambda size: trial(setting, replicas[0], size), not on_gpu
        )
    return limits[key]


def around(limit: int) -> tuple[int, int, int]:
    """The limits that are timed at least."""
    return limit, 2 * limit, max(1, limit // 2)


def trial(setting: Setting, replica: Replica, size: int) -> Trial | None:
    """A few steps of copies of a replica; None where they do not fit in memory.

    A CPU's time is the process's own, which neighbours on the machine do not lengthen.
    """
    try:
        training = setting.training([replica] * size)
        training.module.train()
        seconds = []
        for x_BKHW, y_RB in islice(training.batches.epoch(), 1 + STEPS):
            begin = clock(setting.device)
            training.advance(x_BKHW, y_RB)
            seconds.append((clock(setting.device) - begin) / size)
    except Exception as error:
        if exhausted(error):
            return None
        raise
    weights = [parameter.detach().cpu() for parameter in training.module.parameters()]
    digests = set()
    for index in range(size):
        digest = hashlib.sha256()
        for weight in weights:
            digest.update(weight[index].numpy().tobytes())
        digests.add(digest.digest())
    return Trial(min(seconds[1:] or seconds), frozenset(digests))


def clock(device: torch.device) -> float:
    """Seconds that count on this device, after all that was asked of it is done."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
        return time.perf_counter()
    return time.process_time()
