"""The directed acyclic graph that every learning-rate rule reads.

Node 0 is the input, the last node is the output, and edges run from lower to higher node numbers,
so that the node order is a topological order. A node with in-degree two or more is an addition.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from typing import Literal

from search_spaces.errors import InvalidInput

Kind = Literal["identity", "pool", "linear", "conv", "attention"]
Role = Literal["stem", "body", "reduction", "head"]


@dataclass(frozen=True, slots=True)
class Operation:
    """What an edge does.

    ``kind`` names the operation, ``kernel`` is the kernel side q (1 where there is none), and
    ``role`` says which part of the network the edge belongs to: conventions differ on whether
    stem, reductions and head count as depth. ``activated`` says whether a nonlinearity stands
    right before the weights (a stem, for one, reads the bare image), or right behind them, before
    an addition.
    """

    kind: Kind
    kernel: int = 1
    role: Role = "body"
    activated: bool = True

    @property
    def weighted(self) -> bool:
        """Whether the operation multiplies by trained weights."""
        return self.kind in ("linear", "conv", "attention")


@dataclass(frozen=True, slots=True)
class Edge:
    """An operation from node ``source`` to node ``target``."""

    source: int
    target: int
    operation: Operation


@dataclass(frozen=True)
class ArchGraph:
    """A directed acyclic multigraph with one input (node 0) and one output (the last node).

    Raises ``InvalidInput`` for an edge that leaves the nodes or does not run forward (a cycle).
    """

    n_nodes: int
    edges: tuple[Edge, ...]

    def __post_init__(self) -> None:
        if self.n_nodes < 1:
            raise InvalidInput(f"a graph needs at least one node, got n_nodes={self.n_nodes}")
        for edge in self.edges:
            if not 0 <= edge.source < edge.target < self.n_nodes:
                raise InvalidInput(
                    f"edge {edge.source}->{edge.target} does not run forward among nodes "
                    f"0..{self.n_nodes - 1}; number the nodes in topological order"
                )

    @property
    def output(self) -> int:
        """The output node's number."""
        return self.n_nodes - 1

    @cached_property
    def live_edges(self) -> tuple[Edge, ...]:
        """The edges that lie on some input-output path, by source then target."""
        ordered = sorted(self.edges, key=lambda edge: (edge.source, edge.target))
        from_input = {0}
        for edge in ordered:
            if edge.source in from_input:
                from_input.add(edge.target)
        to_output = {self.output}
        for edge in sorted(ordered, key=lambda edge: edge.source, reverse=True):
            if edge.target in to_output:
                to_output.add(edge.source)
        return tuple(
            edge for edge in ordered if edge.source in from_input and edge.target in to_output
        )

    @property
    def connected(self) -> bool:
        """Whether any path joins the input to the output."""
        return self.n_nodes == 1 or bool(self.live_edges)

    @cached_property
    def in_degrees(self) -> tuple[int, ...]:
        """The number of live edges into each node (shape: ``n_nodes``)."""
        degrees = [0] * self.n_nodes
        for edge in self.live_edges:
            degrees[edge.target] += 1
        return tuple(degrees)

    @cached_property
    def bridges(self) -> frozenset[Edge]:
        """The edges that every input-output path takes: a live edge that alone crosses a gap."""
        change = [0] * (self.n_nodes + 1)
        for edge in self.live_edges:
            change[edge.source] += 1
            change[edge.target] -= 1
        crossing = list(accumulate(change))
        return frozenset(edge for edge in self.live_edges if crossing[edge.source] == 1)

    @property
    def additions(self) -> int:
        """How many nodes add two or more live edges."""
        return sum(degree >= 2 for degree in self.in_degrees)

    def __iter__(self) -> Iterator[Edge]:
        return iter(self.edges)

    @staticmethod
    def series(parts: Iterable[ArchGraph]) -> ArchGraph:
        """Compose graphs end to end: each part's output is the next part's input."""
        edges: list[Edge] = []
        offset = 0
        for part in parts:
            edges += [Edge(e.source + offset, e.target + offset, e.operation) for e in part.edges]
            offset += part.output
        return ArchGraph(offset + 1, tuple(edges))

    @staticmethod
    def single(operation: Operation) -> ArchGraph:
        """The graph of one edge, a building block for ``series``."""
        return ArchGraph(2, (Edge(0, 1, operation),))
