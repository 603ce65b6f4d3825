"""What tracing knows of a value, and the graph of points that it builds on the way.

A point is a place where a value is made anew: by the network's input, by weights, or by a merge.
Operations without weights leave a value at its point and only change what is known of it.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

from search_spaces.graph import Kind

Merge = Literal["", "add", "cat"]


@dataclass(frozen=True)
class Signal:
    """A value that depends on the network's input, ``point`` and what it met since.

    ``activated``: a nonlinearity; ``pooled``: an operation that mixes positions; ``bounded``: its
    numbers lie in a fixed range; ``direct``: nothing but views; ``integer``: token numbers, which
    carry a signal into an embedding alone. ``product`` names a product of two values that no rule
    covers, unless it comes to gate a third (attention's scores do, through their softmax).
    """

    point: int
    activated: bool = False
    pooled: bool = False
    bounded: bool = False
    direct: bool = True
    integer: bool = False
    product: str = ""

    def beside(self, other: Signal) -> Signal:
        """The two halves of one point's value put together again."""
        return replace(
            self,
            activated=self.activated or other.activated,
            pooled=self.pooled or other.pooled,
            bounded=self.bounded and other.bounded,
            direct=False,
            product=self.product or other.product,
        )


Value = Signal | frozenset[str]
"""A signal, or the names of the parameters behind a value that no input reaches."""


@dataclass(frozen=True)
class Weights:
    """One use of trained weights: names of their parameters, sizes, and where they stand.

    ``inputs`` and ``outputs`` are channels or features; ``shrinks`` says that a convolution's
    image is smaller than the image it reads, ``order`` tells which weights act earlier, and
    ``computed`` that their numbers are made of the parameters' and are not these themselves.
    """

    parameters: tuple[str, ...]
    kind: Kind
    kernel: int
    fan_in: int
    fan_out: int
    inputs: int
    outputs: int
    shrinks: bool
    place: str = ""
    classes: tuple[str, ...] = ()
    order: int = 0
    computed: bool = False


@dataclass
class Arrow:
    """From point to point: by ``weights``, several where projections of one value act as one
    (queries, keys and values), or by none. ``end`` is the module whose output is the operand."""

    source: int
    target: int
    weights: tuple[Weights, ...] = ()
    activated: bool = False
    pooled: bool = False
    direct: bool = True
    end: str = ""


@dataclass
class Point:
    """``pinned`` points were marked by a ``Node`` and are never contracted."""

    merge: Merge = ""
    pinned: bool = False
    attention: bool = False
    into: list[Arrow] = field(default_factory=list)


class Points:
    """The graph while it grows; point 0 is the input. ``idle`` weights read no input, and
    ``gates`` are points that only weigh the values of others."""

    def __init__(self) -> None:
        self.points = [Point(pinned=True)]
        self.idle: list[Weights] = []
        self.gates: set[int] = set()
        self._same = [0]

    def find(self, point: int) -> int:
        """The point that stands for ``point`` since points were fused."""
        while self._same[point] != point:
            point = self._same[point]
        return point

    def add(self, merge: Merge = "", pinned: bool = False) -> int:
        """A new point's number."""
        self.points.append(Point(merge, pinned))
        self._same.append(len(self._same))
        return len(self._same) - 1

    def weigh(self, signal: Signal, weights: Weights) -> int:
        """The point that weights make of a signal."""
        target = self.add()
        source = self.find(signal.point)
        arrow = Arrow(source, target, (weights,), signal.activated, signal.pooled, signal.direct)
        self.points[target].into.append(arrow)
        return target

    def join(self, merge: Merge, signals: list[Signal], ends: list[str]) -> int:
        """The point where signals are added or put beside each other."""
        target = self.add(merge)
        self.points[target].into += [
            Arrow(self.find(s.point), target, (), s.activated, s.pooled, s.direct, end)
            for s, end in zip(signals, ends, strict=True)
        ]
        return target

    def mark(self, signal: Signal) -> Signal:
        """The signal at a ``Node``: its point is pinned, or a pinned point follows a pinned one."""
        point = self.find(signal.point)
        if not self.points[point].pinned:
            self.points[point].pinned = True
            return signal
        target = self.join("", [signal], [""])
        self.points[target].pinned = True
        return replace(signal, point=target, direct=True)

    def fuse(self, first: int, second: int) -> bool:
        """Make projections of one value one point: queries, keys and values, or a gated pair.

        They are where each was made by weights alone from points that are one, or can be so.
        """
        pairs = []
        while (first := self.find(first)) != (second := self.find(second)):
            low, high = min(first, second), max(first, second)
            a, b = self.points[low], self.points[high]
            if not (self._projection(a) and self._projection(b)):
                return False
            pairs.append((low, high))
            first, second = a.into[0].source, b.into[0].source
        for low, high in reversed(pairs):
            self._unite(low, high)
        return True

    def _unite(self, low: int, high: int) -> None:
        a, b = self.points[low], self.points[high]
        a.into[0].weights += b.into[0].weights
        a.into[0].activated |= b.into[0].activated
        a.attention |= b.attention
        b.into.clear()
        self._same[high] = low

    @staticmethod
    def _projection(point: Point) -> bool:
        return not point.pinned and len(point.into) == 1 and bool(point.into[0].weights)
