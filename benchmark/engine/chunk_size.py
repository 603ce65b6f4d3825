"""How many replicas to train as one network.

Few replicas in company pay the cost of every call alone; many push one another out of the cache.
``reference`` states from the size of the activations where the best number should lie. Its double
or half is taken instead where it was timed and found faster.

The choice must not show in the results: the same unit gives the same bytes on the same machine,
whatever else was running while candidates were timed. What was measured (torch 2.15 with oneDNN on
AVX-512, float32): a replica's bytes depend on its company in no network of matrix products. In
convolutional ones they do: one replica alone is computed by another algorithm than several, and
where the replicas' channels do not fill whole vectors, bytes depend on how many there are and even
on a replica's place. In fours the channels of widths 4, 8, 16 and more fill them, and all multiples
of four give every replica the same bytes. So chunks are multiples of four, but for a last one whose
size follows from the number of replicas alone.

That is a property of libraries, so it is not relied upon: a candidate counts only if copies of a
replica come out of its first steps with the same bytes as out of the reference's chunks. Where none
does (width 6), the reference stands. On a GPU, where runs differ anyway, every candidate counts.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

CACHED_ELEMENTS = 2**18
"""Numbers in one layer's activations (1 MiB in float32) beyond which replicas leave the cache."""
LARGEST = 64
GRAIN = 4
"""Chunks are multiples of this many replicas."""
FASTER = 0.95
"""A candidate must take less than this share of the time, or it is noise."""
SHARE = 0.05
"""Timing may cost this share of a unit's steps."""


@dataclass(frozen=True)
class Trial:
    """A few steps of copies of one replica: seconds per replica-step, and what weights came out
    (one sha256, or several where copies differ by their place)."""

    seconds: float
    digests: frozenset[bytes]


def sizes(replicas: int, limit: int) -> list[int]:
    """The chunks of so many replicas: one of all, if they are not above ``limit``, or multiples of
    ``GRAIN`` (of ``limit`` below it) as even as can be, and a last chunk with what is over.

    ``limit`` is a power of two. A chunk with what is over may exceed it, by less than a grain.
    """
    grain = min(GRAIN, limit)
    if replicas <= limit or replicas < 2 * grain:
        return [replicas]
    last = grain + replicas % grain if replicas % grain else 0
    blocks = (replicas - last) // grain
    count = math.ceil(blocks / (limit // grain))
    edges = [index * blocks // count for index in range(count + 1)]
    return [grain * (end - begin) for begin, end in pairwise(edges)] + [last] * bool(last)


def halves(size: int) -> list[int]:
    """The chunks in the place of one of ``size``, two or more, that does not fit in memory."""
    return [size - size // 2, size // 2]


def reference(elements: int, cached: int = CACHED_ELEMENTS) -> int:
    """The limit by rule, a power of two, for so many numbers in a replica's largest activation."""
    fitting = max(1, min(LARGEST, cached // elements))
    return 1 << (fitting.bit_length() - 1)


def fastest(
    replicas: int, start: int, trial: Callable[[int], Trial | None], exact: bool = True
) -> int:
    """The fastest limit around ``start``, found by doubling and halving while that pays.

    ``trial`` times a chunk of a size, or returns None where it does not fit in memory. With
    ``exact`` a candidate counts only if all its chunks give the one digest of all of the start's.
    """
    timed = cache(trial)
    start = min(start, 1 << (replicas - 1).bit_length())  # beyond, all are in one chunk anyway

    def tried(limit: int) -> tuple[float, frozenset[bytes]] | None:
        """Seconds for a step of all replicas, and the digests of all chunks."""
        found = [(size, timed(size)) for size in sizes(replicas, limit)]
        seconds, digests = 0.0, frozenset[bytes]()
        for size, each in found:
            if each is None:
                return None
            seconds, digests = seconds + size * each.seconds, digests | each.digests
        return seconds, digests

    first = tried(start)
    if first is None:
        return fastest(replicas, start // 2, trial, exact) if start > 1 else 1
    best, (least, digests) = start, first
    for factor in (2.0, 0.5):
        limit = start
        while best in (start, limit) and 1 <= limit * factor < 2 * replicas:
            limit = int(limit * factor)
            found = tried(limit)
            if found is None or (exact and len(digests | found[1]) > 1):
                break
            if found[0] > FASTER * least:
                break
            best, least = limit, found[0]
    return best
