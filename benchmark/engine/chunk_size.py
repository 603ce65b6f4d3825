"""How many replicas to train as one network.

Few replicas in company pay the cost of every call alone; many push one another out of the cache.
``limit_by_rule`` states from the sizes of activations and weights where the best number should lie;
``find_fastest_limit`` takes a larger or smaller power of two where that was timed and is faster.

The choice must not show in the results: the same unit gives the same bytes on the same machine,
whatever else was running while candidates were timed. What was measured (torch 2.15 with oneDNN on
AVX-512, float32): a replica's bytes depend on its company in no network of matrix products. In
convolutional ones they do: one replica alone is computed by another algorithm than several, and
where the replicas' channels do not fill whole vectors, bytes depend on how many there are and even
on a replica's place. In fours the channels of widths 4, 8, 16 and more fill them, and all multiples
of four give every replica the same bytes. So chunks are multiples of four, but for a last one whose
size follows from the number of replicas alone.

That is a property of libraries, so it is not relied upon: a candidate counts only if copies of a
replica come out of its first steps with the same bytes as out of the chunks by rule. Where none
does (width 6), the rule stands. On a GPU, where runs differ anyway, every candidate counts.
"""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import islice, pairwise

import torch

from benchmark.engine.build import Builder
from benchmark.engine.device import is_out_of_memory, wait_for_device
from benchmark.study.unit import Replica

CACHED_ELEMENTS = 2**18
"""Numbers in one layer's activations (1 MiB in float32) beyond which replicas leave the cache."""
WEIGHTS = 2**26
"""Weights of a chunk (256 MiB in float32, of which training and one-step measurements keep three to
eight times as many bytes): wide and deep networks have few in company, or memory ends."""
LARGEST = 64
GRAIN = 4
"""Chunks are multiples of this many replicas."""
FASTER = 0.95
"""A candidate must take less than this share of the time, or it is noise."""
SHARE = 0.05
"""Timing may cost this share of a unit's steps."""
TRIAL_STEPS = 3
"""Timed steps, after one that warms up; the quickest counts."""
CACHES_OF_A_GPU = 2**10
"""How many times the activations of a CPU's cache a GPU works on at once."""
WEIGHTS_OF_A_GPU = 2**4
"""How many times the weights of a CPU's chunk a GPU holds at once."""


@dataclass(frozen=True)
class SizeTrial:
    """A few steps of copies of one replica: seconds per replica-step, and what weights came out
    (one sha256, or several where copies differ by their place)."""

    seconds: float
    digests: frozenset[bytes]


def split_replicas(replicas: int, limit: int) -> list[int]:
    """The sizes of the chunks of so many replicas.

    One chunk of all, if they are not above ``limit`` (a power of two). Otherwise multiples of
    ``GRAIN`` (of ``limit`` where that is smaller), as even as they can be, and a last chunk with
    the remainder. That one may exceed ``limit``, by less than a grain.
    """
    grain = min(GRAIN, limit)
    if replicas <= limit or replicas < 2 * grain:
        return [replicas]
    remainder = replicas % grain
    last = [grain + remainder] if remainder else []
    blocks = (replicas - sum(last)) // grain
    count = math.ceil(blocks / (limit // grain))
    edges = [index * blocks // count for index in range(count + 1)]
    return [grain * (end - begin) for begin, end in pairwise(edges)] + last


def halve_chunk(size: int) -> list[int]:
    """The two chunks in the place of one of ``size`` (2 or more) that does not fit in memory."""
    return [size - size // 2, size // 2]


def limit_by_rule(elements: int, parameters: int, on_gpu: bool = False) -> int:
    """The limit, a power of two, for so many numbers in a replica's largest activation and weights.

    It follows from the unit alone, never from the memory that is free here: see above.
    """
    cached = CACHED_ELEMENTS * (CACHES_OF_A_GPU if on_gpu else 1)
    weights = WEIGHTS * (WEIGHTS_OF_A_GPU if on_gpu else 1)
    fitting = max(1, min(LARGEST, cached // elements, weights // parameters))
    return 1 << (fitting.bit_length() - 1)


@dataclass
class TimedSplits:
    """The time of one step of all replicas under a limit, from trials of the chunks' sizes.

    ``run_trial`` times a chunk of a size, or returns None where it does not fit in memory. With
    ``exact`` a split counts only if all its chunks give the one digest of all of the first's.
    """

    replicas: int
    run_trial: Callable[[int], SizeTrial | None]
    exact: bool
    trials: dict[int, SizeTrial | None] = field(default_factory=dict)
    digests: frozenset[bytes] = frozenset()

    def time_first(self, limit: int) -> float | None:
        """Seconds under the limit that others are compared with; None where it does not fit."""
        trials = self.try_sizes(limit)
        if trials is None:
            return None
        self.digests = frozenset[bytes]().union(*(trial.digests for trial in trials.values()))
        return self.sum_seconds(limit, trials)

    def time_candidate(self, limit: int) -> float:
        """Seconds under another limit; infinite where it does not fit or gives other bytes."""
        trials = self.try_sizes(limit)
        if trials is None:
            return math.inf
        digests = self.digests.union(*(trial.digests for trial in trials.values()))
        if self.exact and len(digests) > 1:
            return math.inf
        return self.sum_seconds(limit, trials)

    def try_sizes(self, limit: int) -> dict[int, SizeTrial] | None:
        """The trial of every size of chunk; None where one does not fit in memory."""
        found = {}
        for size in split_replicas(self.replicas, limit):
            if size not in self.trials:
                self.trials[size] = self.run_trial(size)
            trial = self.trials[size]
            if trial is None:
                return None
            found[size] = trial
        return found

    def sum_seconds(self, limit: int, trials: dict[int, SizeTrial]) -> float:
        """Seconds of one step of all replicas."""
        sizes = split_replicas(self.replicas, limit)
        return sum(size * trials[size].seconds for size in sizes)


def find_fastest_limit(
    replicas: int, start: int, run_trial: Callable[[int], SizeTrial | None], exact: bool = True
) -> int:
    """The fastest limit around ``start``: doubled while that is faster, else halved while it is.

    ``start`` is halved first until it fits in memory; 1 where nothing does.
    """
    splits = TimedSplits(replicas, run_trial, exact)
    everyone = 1 << (replicas - 1).bit_length()
    limit = min(start, everyone)
    seconds = splits.time_first(limit)
    while seconds is None:
        if limit == 1:
            return 1
        limit //= 2
        seconds = splits.time_first(limit)
    larger = double_while_faster(splits, limit, seconds, everyone)
    return larger if larger > limit else halve_while_faster(splits, limit, seconds)


def double_while_faster(splits: TimedSplits, limit: int, seconds: float, largest: int) -> int:
    """The last limit above ``limit`` that was faster than the one before it, or ``limit``."""
    while 2 * limit <= largest:
        doubled = splits.time_candidate(2 * limit)
        if doubled > FASTER * seconds:
            break
        limit, seconds = 2 * limit, doubled
    return limit


def halve_while_faster(splits: TimedSplits, limit: int, seconds: float) -> int:
    """The last limit below ``limit`` that was faster than the one before it, or ``limit``."""
    while limit > 1:
        halved = splits.time_candidate(limit // 2)
        if halved > FASTER * seconds:
            break
        limit, seconds = limit // 2, halved
    return limit


@dataclass
class ChunkLimits:
    """The limits of classes of architectures, each timed once and then remembered.

    A class is a space with its options, the kinds and sizes of layers, the images, the recipe, the
    device and the number of replicas: architectures that share them make the same calls.
    """

    known: dict[tuple[object, ...], int] = field(default_factory=dict)

    def choose(self, builder: Builder, replicas: Sequence[Replica], steps: int) -> int:
        """How many replicas to train as one network, for a unit of so many steps.

        Timed where it pays, by rule otherwise, and by rule where several ranks would have to agree.
        """
        on_gpu = builder.device.type == "cuda"
        by_rule = limit_by_rule(builder.largest_activation, builder.parameters, on_gpu)
        unit, count = builder.unit, len(replicas)
        if unit.measure == "updates" or builder.ranks.size > 1:
            return by_rule
        space = (unit.space, unit.space_options, builder.layers)
        key = (*space, builder.data.checksum, unit.recipe, str(builder.device), count)
        if key not in self.known:
            tried = (by_rule, 2 * by_rule, max(1, by_rule // 2))
            trials = sum(max(split_replicas(count, limit)) for limit in tried)
            if (1 + TRIAL_STEPS) * trials > SHARE * count * steps:
                return by_rule
            self.known[key] = find_fastest_limit(
                count, by_rule, lambda size: time_chunk(builder, replicas[0], size), not on_gpu
            )
        return self.known[key]


LIMITS = ChunkLimits()
"""Those that this process has timed."""


def time_chunk(builder: Builder, replica: Replica, size: int) -> SizeTrial | None:
    """A few steps of copies of a replica and one batch of evaluation; None where memory lacks."""
    try:
        training = builder.build_training([replica] * size)
        training.module.train()
        seconds = []
        for x_BKHW, y_RB in islice(training.batches.epoch(), 1 + TRIAL_STEPS):
            begin = read_clock(builder.device)
            training.advance(x_BKHW, y_RB)
            seconds.append((read_clock(builder.device) - begin) / size)
        weights = [parameter.detach().cpu() for parameter in training.module.parameters()]
        training.evaluate("test", islice(training.batches.test(), 1))
    except Exception as error:
        if is_out_of_memory(error):
            return None
        raise
    digests = set()
    for index in range(size):
        digest = hashlib.sha256()
        for weight in weights:
            digest.update(weight[index].numpy().tobytes())
        digests.add(digest.digest())
    return SizeTrial(min(seconds[1:] or seconds), frozenset(digests))


def read_clock(device: torch.device) -> float:
    """Seconds on this device, after all that was asked of it is done.

    A CPU's time is the process's own, which other work on the machine does not lengthen.
    """
    if device.type == "cuda":
        wait_for_device(device)
        return time.perf_counter()
    return time.process_time()
