"""The named ways in which papers count depth.

A convention says what counts as length and over which scope: the repeated ``cell`` or the whole
``network`` (for ladders the two are one graph). No rule may hide which one it read. Source tags:
[P] the paper's text, [C] the authors' released code, [A] second-hand summaries of the paper.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from search_spaces.errors import InvalidInput
from search_spaces.graph import ArchGraph, Edge
from search_spaces.paths import PathStatistics
from search_spaces.space import Topology

Scope = Literal["cell", "network"]


@dataclass(frozen=True, eq=False)
class Convention:
    """A way to count depth: ``counts`` says what, ``source`` says who."""

    name: str
    scope: Scope
    counts: str
    source: str
    count: Callable[[ArchGraph], PathStatistics]

    def statistics(self, topology: Topology) -> PathStatistics:
        """The path statistics of a topology; remembered per topology object."""
        return _statistics(self, topology)


@lru_cache(maxsize=1 << 17)
def _statistics(convention: Convention, topology: Topology) -> PathStatistics:
    return convention.count(topology.cell if convention.scope == "cell" else topology.network)


CONVENTIONS: dict[str, Convention] = {}

_Count = Callable[[ArchGraph], PathStatistics]


def _named(name: str, scope: Scope, source: str) -> Callable[[_Count], _Count]:
    """Register a counting function; its docstring says what it counts."""

    def register(count: _Count) -> _Count:
        counts = " ".join((count.__doc__ or "").split())
        CONVENTIONS[name] = Convention(name, scope, counts, source, count)
        return count

    return register


def convention(name: str) -> Convention:
    """The convention of that name; raises ``InvalidInput`` listing the names there are."""
    if name not in CONVENTIONS:
        raise InvalidInput(f"unknown convention {name!r}; choose one of {', '.join(CONVENTIONS)}")
    return CONVENTIONS[name]


def _body_weights(edge: Edge) -> int:
    return int(edge.operation.weighted and edge.operation.role == "body")


@_named("chen2024-cell", "cell", "arXiv 2402.17440 [P], NAS-Bench-201 counting of the code [C]")
def chen2024_cell(graph: ArchGraph) -> PathStatistics:
    """1 + the weighted layers of the cell on the path; absent edges break it, skips and pooling
    are free, and the kernel side does not matter."""
    return PathStatistics.of(graph, _body_weights).shifted(1)


@_named("chen2024-dag-code", "cell", "arXiv 2402.17440, DAG counting of the released code [C]")
def chen2024_dag_code(graph: ArchGraph) -> PathStatistics:
    """3 + the weighted layers of the cell on the path, as the released code has it (its base, with
    one linear layer, gets 0.65 of its own rate); where no path holds a weighted layer, or there is
    no path, the code sees one path of length 3."""
    paths = PathStatistics.of(graph, _body_weights)
    return paths.shifted(3) if paths.moments[1] else PathStatistics.single(3)


@_named("chen2024-dag-paper", "network", "arXiv 2402.17440, section 3 [P]")
def chen2024_dag_paper(graph: ArchGraph) -> PathStatistics:
    """The nonlinearities on the path from image to logits, each standing before a weighted layer:
    D on a chain of D layers and a head, branches taken + 1 on a residual ladder, linears + 1 on a
    DAG. Attention counts its softmax once (our reading; the paper has no attention)."""
    return PathStatistics.of(
        graph, lambda edge: int(edge.operation.weighted and edge.operation.activated)
    )


@_named("wu2026-layers-and-additions", "network", "arXiv 2602.07494, first version's abstract [P]")
def wu2026_layers_and_additions(graph: ArchGraph) -> PathStatistics:
    """The weighted layers on the path, stem, reductions and head included, plus 1 for every
    addition it passes; the effective depth is the minimum."""
    return PathStatistics.of(graph, lambda edge: int(edge.operation.weighted), addition_length=1)


@_named("wu2026-update-units", "network", "arXiv 2602.07494, later abstract [P] and summaries [A]")
def wu2026_update_units(graph: ArchGraph) -> PathStatistics:
    """The sequential update-bearing units on the path: 1 for every addition, whatever its branch
    holds, and 1 for every body layer that all paths share; stem and head are not counted. 2 per
    transformer block [A]. The paper's full text was not at hand: this reading is ours."""
    bridges = graph.bridges
    return PathStatistics.of(
        graph,
        lambda edge: _body_weights(edge) if edge in bridges else 0,
        addition_length=1,
    )


@_named("am-mup-blocks", "network", "arXiv 2510.04327 [P] and its released scripts [C]")
def am_mup_blocks(graph: ArchGraph) -> PathStatistics:
    """1 for every layer of the path, and 1 for every shortcut into an addition, which stands for
    the block it passes by; stem and head are not counted. L is the minimum: the convolutions of a
    CNN, the residual blocks of a ResNet. On other graphs this reading is ours."""

    def length(edge: Edge) -> int:
        if edge.operation.weighted:
            return int(edge.operation.role in ("body", "reduction"))
        return int(graph.in_degrees[edge.target] >= 2)

    return PathStatistics.of(graph, length)
