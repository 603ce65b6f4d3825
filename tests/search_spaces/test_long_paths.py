"""Graphs with more paths than 256 bits hold are counted in pieces: the numbers stay exact."""

import random

import pytest

from search_spaces.conventions import CONVENTIONS
from search_spaces.graph import ArchGraph, Edge, Operation
from search_spaces.paths import PathStatistics
from search_spaces.registry import create
from search_spaces.show.text_drawing import list_paths


def length(edge: Edge) -> int:
    return edge.operation.kernel * edge.operation.weighted


def block(generator: random.Random) -> ArchGraph:
    """A few nodes with random edges among them, each joined to the next."""
    nodes = generator.randint(2, 5)
    operations = (Operation("identity"), Operation("conv", 1), Operation("conv", 3))
    edges = [
        Edge(source, target, generator.choice(operations))
        for target in range(1, nodes)
        for source in range(target)
        if source == target - 1 or generator.random() < 0.6
    ]
    return ArchGraph(nodes, tuple(edges))


@pytest.mark.parametrize("seed", range(5))
def test_a_long_series_is_the_product_of_its_blocks(seed: int) -> None:
    generator = random.Random(seed)
    blocks = [block(generator) for _ in range(900)]
    expected = PathStatistics.single()
    for each in blocks:
        expected = expected.then(PathStatistics.of(each, length, addition_length=2))
    graph = ArchGraph.series(blocks)
    assert expected.count.bit_length() > 3 * 256
    assert PathStatistics.of(graph, length, addition_length=2) == expected


def test_a_long_graph_without_a_path_has_none() -> None:
    blocks = [create("resnet").topology("resnet-400").network, ArchGraph(2, ())]
    assert PathStatistics.of(ArchGraph.series(blocks), length) == PathStatistics.empty()


@pytest.mark.parametrize("rung", [255, 256, 257, 1000])
def test_residual_ladders_have_binomial_paths(rung: int) -> None:
    """2^K paths; K + 1 - k layers behind the stem where k blocks are passed by: mean K/2 + 1."""
    paths = CONVENTIONS["chen2024-dag-paper"].statistics(
        create("resnet").topology(f"resnet-{rung}")
    )
    assert paths.count == 2**rung
    assert (paths.min, paths.max) == (1, rung + 1)
    assert 2 * paths.moments[1] == (rung + 2) * 2**rung


def test_paths_are_listed_one_by_one() -> None:
    """All paths of a small graph, and the first of 2^5000 at once."""
    graph = create("resnet").graph("resnet-5")
    found = [tuple(edge.target for edge in path) for path in list_paths(graph)]
    kinds = {tuple(path) for path in list_paths(graph)}
    assert len(found) == len(kinds) == 2**5
    first = next(list_paths(create("resnet").graph("resnet-5000")))
    assert len(first) == 5002
