"""Exact statistics of a graph's input-output paths, without enumerating them.

With L the length of a path, the moments M_k = sum over paths of L^k (k = 0..3) obey three laws:
an edge of length d maps M_k to sum_j C(k, j) d^(k-j) M_j; a node adds what its edges bring; and
graphs in series multiply, M_k(A then B) = sum_j C(k, j) M_j(A) M_(k-j)(B). So one pass over the
edges gives the number of paths (M_0) and the sum of cubed lengths (M_3) in exact integers, for
2^10,000 paths as for one.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from search_spaces.errors import InvalidInput
from search_spaces.graph import ArchGraph, Edge

_LONG = 256
"""Bits of a path count beyond which a graph is counted in pieces."""

Moments = tuple[int, int, int, int]
EdgeLength = Callable[[Edge], int]


@dataclass(frozen=True, slots=True)
class PathStatistics:
    """Number, range and moments of path lengths; ``min`` and ``max`` are None without a path."""

    min: int | None
    max: int | None
    moments: Moments

    @classmethod
    def empty(cls) -> PathStatistics:
        """No path at all."""
        return cls(None, None, (0, 0, 0, 0))

    @classmethod
    def single(cls, length: int = 0) -> PathStatistics:
        """One path of that length."""
        return cls(length, length, (1, length, length**2, length**3))

    @classmethod
    def of(
        cls, graph: ArchGraph, edge_length: EdgeLength, addition_length: int = 0
    ) -> PathStatistics:
        """The statistics of all paths from input to output, in time linear in the edges.

        A path's length is the sum of its edges' lengths, plus ``addition_length`` for every node
        on it where two or more live edges meet. Raises ``InvalidInput`` for a negative length.
        """
        if addition_length < 0:
            raise InvalidInput(f"addition_length={addition_length} is negative; give 0 or more")
        in_degrees = graph.in_degrees
        arrived = {0: cls.single()}
        source, here = 0, arrived[0]
        pieces: list[PathStatistics] = []
        for edge in graph.live_edges:
            if edge.source != source:
                # Live edges come sorted by source, so nothing leaves the old source again.
                del arrived[source]
                source, here = edge.source, arrived[edge.source]
                if len(arrived) == 1 and here.count.bit_length() > _LONG:
                    # All paths pass this node: count what follows apart, and multiply at the end.
                    pieces.append(here)
                    here = arrived[source] = cls.single()
            length = edge_length(edge)
            if length < 0:
                raise InvalidInput(
                    f"edge {edge.source}->{edge.target} has length {length}; lengths are 0 or more"
                )
            step = here.shifted(length + addition_length * (in_degrees[edge.target] >= 2))
            merged = arrived.get(edge.target)
            arrived[edge.target] = step if merged is None else merged.beside(step)
        return cls.series([*pieces, arrived.get(graph.output, cls.empty())])

    @classmethod
    def series(cls, parts: Sequence[PathStatistics]) -> PathStatistics:
        """Parts end to end, by products of equally many parts: fast for large counts."""
        while len(parts) > 1:
            pairs = [a.then(b) for a, b in zip(parts[::2], parts[1::2], strict=False)]
            parts = [*pairs, parts[-1]] if len(parts) % 2 else pairs
        return parts[0] if parts else cls.single()

    @property
    def count(self) -> int:
        """The number of paths, M_0."""
        return self.moments[0]

    @property
    def sum_cubes(self) -> int:
        """The sum of cubed path lengths, M_3."""
        return self.moments[3]

    @property
    def log2_sum_cubes(self) -> float:
        """log2 of ``sum_cubes``, finite however large; -inf where it is zero."""
        return math.log2(self.sum_cubes) if self.sum_cubes else -math.inf

    def shifted(self, length: int) -> PathStatistics:
        """Every path made longer by ``length``."""
        if length == 0 or self.min is None or self.max is None:
            return self
        m0, m1, m2, m3 = self.moments
        return PathStatistics(
            self.min + length,
            self.max + length,
            (
                m0,
                m1 + length * m0,
                m2 + length * (2 * m1 + length * m0),
                m3 + length * (3 * m2 + length * (3 * m1 + length * m0)),
            ),
        )

    def beside(self, other: PathStatistics) -> PathStatistics:
        """The paths of two graphs in parallel: moments add."""
        if self.min is None or self.max is None:
            return other
        if other.min is None or other.max is None:
            return self
        a0, a1, a2, a3 = self.moments
        b0, b1, b2, b3 = other.moments
        return PathStatistics(
            self.min if self.min < other.min else other.min,
            self.max if self.max > other.max else other.max,
            (a0 + b0, a1 + b1, a2 + b2, a3 + b3),
        )

    def then(self, other: PathStatistics) -> PathStatistics:
        """The paths of two graphs in series: every path of one joined to every path of the other.

        Exact where the lengths of the two do not interact. An addition belongs to the graph whose
        edges meet in it, so this composes ``of`` over any graphs that share only a cut node.
        """
        if self.min is None or self.max is None or other.min is None or other.max is None:
            return PathStatistics.empty()
        a, b = self.moments, other.moments
        return PathStatistics(
            self.min + other.min,
            self.max + other.max,
            (
                a[0] * b[0],
                a[0] * b[1] + a[1] * b[0],
                a[0] * b[2] + 2 * a[1] * b[1] + a[2] * b[0],
                a[0] * b[3] + 3 * a[1] * b[2] + 3 * a[2] * b[1] + a[3] * b[0],
            ),
        )
