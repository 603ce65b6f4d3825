"""NAS-Bench-201: 15,625 cells in the macro skeleton of NATS-Bench.

Dong and Yang, arXiv 2001.00326; Dong, Liu, Musial and Gabrys, arXiv 2009.00437.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, lru_cache
from typing import TYPE_CHECKING, ClassVar

from search_spaces.conventions import convention
from search_spaces.graph import ArchGraph, Edge, Operation
from search_spaces.nasbench201.canonical import canonical_cell
from search_spaces.nasbench201.cell import (
    CONV_3X3,
    EDGES,
    EXAMPLE,
    N_CELLS,
    NONE,
    SKIP,
    Cell,
    cell_graph,
    index_cells,
    official_order,
    read,
    write,
    write_code,
)
from search_spaces.nasbench201.cost import Cost, count_cost
from search_spaces.nasbench201.stratify import by_class
from search_spaces.options import draw, require_positive
from search_spaces.space import Topology

if TYPE_CHECKING:
    from torch import nn

_STEM = ArchGraph.single(Operation("conv", 3, role="stem", activated=False))
_HEAD = ArchGraph.single(Operation("linear", role="head"))
_REDUCTION = ArchGraph(
    3,
    (
        Edge(0, 1, Operation("conv", 3, role="reduction")),
        Edge(0, 2, Operation("conv", 1, role="reduction", activated=False)),
        Edge(1, 2, Operation("conv", 3, role="reduction")),
    ),
)


def network_graph(cell: ArchGraph, cells: int) -> ArchGraph:
    """Stem, three stages of ``cells`` cells with a residual reduction block between, head."""
    stage = [cell] * cells
    return ArchGraph.series([_STEM, *stage, _REDUCTION, *stage, _REDUCTION, *stage, _HEAD])


# No convention tells a 1x1 convolution from a 3x3 one, pooling from a skip, or a dead edge from an
# absent one.
_PATTERN = (NONE, SKIP, CONV_3X3, CONV_3X3, SKIP)


@cache
def _live(pattern: Cell) -> Cell:
    live = {(edge.source, edge.target) for edge in cell_graph(pattern).live_edges}
    return tuple(op if ends in live else NONE for op, ends in zip(pattern, EDGES, strict=True))


@lru_cache(maxsize=N_CELLS)
def _live_pattern(cell: Cell) -> Cell:
    return _live(tuple(_PATTERN[op] for op in cell))


@cache
def _topology(pattern: Cell, channels: int, cells: int) -> Topology:
    cell = cell_graph(pattern)
    network = network_graph(cell, cells)
    shape = f"nasbench201 {write_code(pattern)} x{cells}"
    return Topology(cell, network, network.additions, channels, shape=shape)


@dataclass(frozen=True, kw_only=True)
class NasBench201:
    """The 15,625 cells; ``channels`` is C of the first stage and ``cells`` is N per stage."""

    channels: int = 16
    cells: int = 5

    name: ClassVar[str] = "nasbench201"
    version: ClassVar[int] = 1
    base_architecture: ClassVar[str] = EXAMPLE
    published_rate: ClassVar[float] = 0.1
    """The rate of every published 200-epoch record (arXiv 2009.00437)."""

    def __post_init__(self) -> None:
        require_positive("channels", self.channels)
        require_positive("cells", self.cells)

    def architectures(self, sample: int | None = None, seed: int = 0) -> list[str]:
        """All cells in official order (untrainable ones among them), or a uniform sample."""
        return [write(cell) for cell in draw(official_order(), sample, seed)]

    def stratified(self, sample: int, seed: int = 0) -> list[str]:
        """A sample of trainable cells, spread evenly over the 46 rate classes (equal sums of cubed
        path lengths under ``chen2024-cell``); in official order."""
        order = official_order()
        topologies = [self._topology_of(cell) for cell in order]
        sums = {
            index: _rate_class(found) for index, found in enumerate(topologies) if found.trainable
        }
        return [write(order[index]) for index in sorted(by_class(sums, sample, seed))]

    def parse(self, text: str) -> str:
        """The official string of a string, an index or a short code."""
        return write(read(text))

    def index(self, architecture: str) -> int:
        """The official index, 0 to 15,624."""
        return index_cells()[read(architecture)]

    def canonical(self, architecture: str) -> str:
        """The official string of the class's representative; see ``canonical_cell``."""
        return write(canonical_cell(read(architecture)))

    def graph(self, architecture: str) -> ArchGraph:
        """The cell's own graph, kernel sides and pooling as they are."""
        return cell_graph(read(architecture))

    def topology(self, architecture: str) -> Topology:
        """The graphs that rules read: one object per pattern of live free and weighted edges.

        These graphs leave dead edges out, and write every convolution as 3x3 and pooling as a
        skip, which no convention can tell apart; ``graph`` keeps the difference.
        """
        return self._topology_of(read(architecture))

    def _topology_of(self, cell: Cell) -> Topology:
        return _topology(_live_pattern(cell), self.channels, self.cells)

    def cost(
        self, architecture: str, in_shape: tuple[int, int, int] = (3, 32, 32), classes: int = 10
    ) -> Cost:
        """Parameters and multiply-accumulates as NATS-Bench counts them."""
        return count_cost(read(architecture), self.channels, self.cells, in_shape, classes)

    def build(
        self,
        architecture: str,
        replicas: int,
        in_shape: tuple[int, int, int] = (3, 32, 32),
        classes: int = 10,
    ) -> nn.Module:
        """The network of NATS-Bench; dead edges keep their parameters, frozen, and are not run."""
        from search_spaces.nasbench201.network import Nasbench201Network

        cell = read(architecture)
        network = network_graph(cell_graph(cell), self.cells)
        return Nasbench201Network(
            cell, network, self.channels, self.cells, replicas, in_shape[0], classes
        )


def _rate_class(topology: Topology) -> int:
    return convention("chen2024-cell").statistics(topology).sum_cubes
