"""The laws of path statistics: brute force, closed forms and composition."""

import time
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search_spaces.errors import InvalidInput
from search_spaces.graph import ArchGraph, Edge, Operation
from search_spaces.paths import PathStatistics

SKIP, CONV = Operation("identity"), Operation("conv", 3)


def is_weighted(edge: Edge) -> int:
    return int(edge.operation.weighted)


def edge_length(edge: Edge) -> int:
    """Any length will do: here the kernel's side, and 0 for skips."""
    return edge.operation.kernel if edge.operation.weighted else 0


@st.composite
def graphs(draw: st.DrawFn, most_nodes: int = 7) -> ArchGraph:
    """Multigraphs with dead ends, parallel edges and edges of length 0 to 3."""
    n_nodes = draw(st.integers(1, most_nodes))
    operations = st.sampled_from([SKIP, *(Operation("conv", kernel) for kernel in (1, 2, 3))])
    ends = st.lists(st.integers(0, n_nodes - 1), min_size=2, max_size=2, unique=True).map(sorted)
    edges = st.builds(lambda pair, operation: Edge(pair[0], pair[1], operation), ends, operations)
    return ArchGraph(n_nodes, tuple(draw(st.lists(edges, max_size=14))) if n_nodes > 1 else ())


def all_paths(graph: ArchGraph, node: int = 0) -> Iterator[list[Edge]]:
    """Every input-output path, by enumeration."""
    if node == graph.output:
        yield []
    for edge in graph.edges:
        if edge.source == node:
            for rest in all_paths(graph, edge.target):
                yield [edge, *rest]


def brute_force(graph: ArchGraph, addition_length: int) -> PathStatistics:
    paths = list(all_paths(graph))
    on_a_path = [edge for edge in graph.edges if any(edge is used for p in paths for used in p)]
    meeting = [sum(edge.target == node for edge in on_a_path) for node in range(graph.n_nodes)]
    lengths = [
        sum(edge_length(edge) + addition_length * (meeting[edge.target] >= 2) for edge in path)
        for path in paths
    ]
    m0, m1, m2, m3 = (sum(length**k for length in lengths) for k in range(4))
    return PathStatistics(min(lengths, default=None), max(lengths, default=None), (m0, m1, m2, m3))


@given(graphs(), st.integers(0, 2))
def test_moments_equal_enumeration(graph: ArchGraph, addition_length: int) -> None:
    found = PathStatistics.of(graph, edge_length, addition_length)
    assert found == brute_force(graph, addition_length)


@given(graphs(), graphs(), st.integers(0, 2))
def test_series_compose(first: ArchGraph, second: ArchGraph, addition_length: int) -> None:
    one, two = (PathStatistics.of(graph, edge_length, addition_length) for graph in (first, second))
    joined = PathStatistics.of(ArchGraph.series([first, second]), edge_length, addition_length)
    assert joined == one.then(two)


@given(graphs(), st.integers(0, 9))
def test_a_shift_is_one_more_edge(graph: ArchGraph, length: int) -> None:
    found = PathStatistics.of(graph, edge_length)
    assert found.shifted(length) == found.then(PathStatistics.single(length))


@given(graphs())
def test_bridges_are_the_edges_of_every_path(graph: ArchGraph) -> None:
    paths = list(all_paths(graph))
    shared = {e for e in graph.edges if paths and all(any(e is u for u in p) for p in paths)}
    assert graph.bridges == shared


@given(st.integers(1, 200))
def test_chain(depth: int) -> None:
    chain = ArchGraph.series([ArchGraph.single(CONV)] * depth)
    assert PathStatistics.of(chain, is_weighted) == PathStatistics.single(depth)


def residual(blocks: int) -> ArchGraph:
    block = ArchGraph(2, (Edge(0, 1, CONV), Edge(0, 1, SKIP)))
    return ArchGraph.series([block] * blocks)


@given(st.integers(1, 60))
def test_residual_blocks_have_the_closed_form(n: int) -> None:
    # sum over k of C(n, k) k^3 = n^2 (n + 3) 2^(n - 3)
    found = PathStatistics.of(residual(n), is_weighted)
    assert found.count == 2**n
    assert 8 * found.sum_cubes == n * n * (n + 3) * 2**n


def test_ten_thousand_blocks_stay_exact_and_quick() -> None:
    n = 10_000
    graph = residual(n)
    started = time.perf_counter()
    found = PathStatistics.of(graph, is_weighted)
    assert time.perf_counter() - started < 10
    assert 8 * found.sum_cubes == n * n * (n + 3) * 2**n
    assert found.log2_sum_cubes == pytest.approx(10_036.8640, abs=1e-3)


def test_no_path() -> None:
    empty = PathStatistics.of(ArchGraph(3, (Edge(0, 1, CONV),)), is_weighted)
    assert empty == PathStatistics.empty()
    assert (empty.count, empty.min, empty.log2_sum_cubes) == (0, None, float("-inf"))
    assert empty.then(PathStatistics.single(2)) == empty == empty.shifted(3)


def test_lengths_below_zero_are_refused() -> None:
    chain = ArchGraph.single(CONV)
    with pytest.raises(InvalidInput, match="edge 0->1 has length -1"):
        PathStatistics.of(chain, lambda edge: -1)
    with pytest.raises(InvalidInput, match="addition_length=-2"):
        PathStatistics.of(chain, is_weighted, addition_length=-2)


def test_a_cycle_is_refused() -> None:
    with pytest.raises(InvalidInput, match="edge 2->1 does not run forward"):
        ArchGraph(3, (Edge(0, 1, CONV), Edge(2, 1, SKIP)))
