"""Tracing a built network gives back the graph that its space wrote by hand, for every space."""

import pytest
import torch
from support.networks import CASES, SHAPE, Options, space_of
from torch import Tensor, nn

from search_spaces.conventions import CONVENTIONS
from search_spaces.errors import InvalidInput
from search_spaces.graph import ArchGraph, Edge, Operation
from search_spaces.layers import Conv2d, Linear, Node, Weighted
from search_spaces.layers.norms import BatchNorm
from search_spaces.nasbench201.cell import Cell, cell_graph, read
from search_spaces.nasbench201.network import CellModule
from search_spaces.nasbench201.space import NasBench201
from search_spaces.paths import PathStatistics
from search_spaces.registry import create, names
from search_spaces.space import SearchSpace
from search_spaces.traced import TracedNetwork, graph_of


def traced(module: nn.Module, size: int = 8) -> TracedNetwork:
    return graph_of(module, (torch.zeros(2, SHAPE[0], size, size, device="meta"),))


def build(space: SearchSpace, architecture: str) -> nn.Module:
    with torch.device("meta"):
        return space.build(architecture, 1, SHAPE, classes=3)


def require_same(space: SearchSpace, architecture: str, module: nn.Module) -> None:
    """Path statistics, edges, in-degrees, flags, and what else rules read."""
    written = space.topology(architecture)
    found = require_same_graph(module, written.network)
    assert found.residual_blocks == written.residual_blocks
    assert found.topology.width == written.width


def require_same_graph(module: nn.Module, network: ArchGraph) -> TracedNetwork:
    found = traced(module)
    for convention in CONVENTIONS.values():
        assert convention.count(found.graph) == convention.count(network), convention.name
    assert operations(found.graph) == operations(network)
    layers = {name: m for name, m in module.named_modules() if isinstance(m, Weighted)}
    table = {layer.module: layer for layer in found.layers}
    run = {name for name, layer in layers.items() if layer.weight.requires_grad}
    assert set(table) == run
    for name in run:
        row, layer = table[name], layers[name]
        assert row.parameters == (f"{name}.weight",)
        assert row.fan_in == layer.fan_in
        if not row.uses:  # it reads what is left of a dead node, a norm's bias
            assert "on no path" in row.reason
            continue
        assert row.source_in_degree == layer.source_in_degree
        assert row.target_in_degree == layer.target_in_degree
        assert row.branch == layer.branch
        assert row.readout == layer.readout
        assert len(row.uses) == 1
    return found


def operations(graph: ArchGraph) -> list[tuple[int, int, bool, str, bool]]:
    """Live edges by their ends, live nodes numbered from 0, with all that a convention reads."""
    live = sorted({end for e in graph.live_edges for end in (e.source, e.target)})
    at = {node: position for position, node in enumerate(live)}
    return sorted(
        (at[e.source], at[e.target], o.weighted, o.role, o.activated) if o.weighted
        else (at[e.source], at[e.target], False, "", True)
        for e in graph.live_edges
        for o in (e.operation,)
    )  # fmt: skip


AS_WRITTEN = [case for case in CASES if case[1].get("form") != "released-code"]
"""The networks whose trace says what their space says. Those of a released code count dead edges in
in-degrees, and an activation behind the stem on paths that are all skips: a trace sees neither."""


@pytest.mark.parametrize(("name", "options", "architecture"), AS_WRITTEN)
def test_every_space_with_every_option(name: str, options: Options, architecture: str) -> None:
    space = space_of(name, options)
    architecture = space.parse(architecture)
    require_same(space, architecture, build(space, architecture))
    found = traced(build(space, architecture))
    topology = space.topology(architecture)
    if name != "nasbench201":  # whose topologies write every convolution as 3x3
        written = [e.operation for e in topology.network.live_edges if e.operation.weighted]
        read = [e.operation for e in found.graph.live_edges if e.operation.weighted]
        assert sorted(o.kind for o in read) == sorted(o.kind for o in written)
        if options.get("dimensions") != 1:
            assert sorted(o.kernel for o in read) == sorted(o.kernel for o in written)
        assert found.topology.kernel == topology.kernel


@pytest.mark.parametrize("depth", [1, 3, 20])
def test_the_example_of_the_space_module_has_the_graph_of_the_residual_ladder(depth: int) -> None:
    """The same network without anything of this package: blocks of one convolution, a stem, a
    readout. Only the ladder's graph is written by hand."""
    found = create("module").topology(f"module-{depth}")
    written = create("resnet").topology(f"resnet-{depth}")
    for convention in CONVENTIONS.values():
        assert convention.statistics(found) == convention.statistics(written), convention.name
    assert operations(found.network) == operations(written.network)
    assert found.network.in_degrees == written.network.in_degrees
    assert (found.residual_blocks, found.width) == (written.residual_blocks, written.width)


def test_every_space_of_the_registry_is_compared() -> None:
    """torchvision's networks against counts by hand, in ``test_traced_torchvision.py``."""
    assert {name for name, _, _ in CASES} | {"module", "torchvision"} == set(names())


@pytest.mark.parametrize("name", ["dag-mlp", "dag-cnn"])
def test_a_sample_of_dags(name: str) -> None:
    space = space_of(name, {"width": 4})
    for architecture in space.architectures(sample=25, seed=7):
        if space.topology(architecture).trainable:
            require_same(space, architecture, build(space, architecture))


def skips_meet(graph: ArchGraph) -> bool:
    """Whether two paths of skips alone join the same two nodes: x + x, which is no merge."""
    reach: dict[int, list[int]] = {}
    for edge in sorted(graph.live_edges, key=lambda edge: edge.target):
        reach.setdefault(edge.source, [edge.source])
        if not edge.operation.weighted:
            reach.setdefault(edge.target, [edge.target]).extend(reach[edge.source])
    return any(len(found) != len(set(found)) for found in reach.values())


def test_paths_hold_as_many_layers_where_no_node_is_marked() -> None:
    """Networks as people write them: sums may run together, but no path gains or loses a layer."""
    space = space_of("dag-mlp", {"width": 4})
    compared = 0
    for architecture in space.architectures(sample=40, seed=3):
        written = space.topology(architecture)
        if not written.trainable or skips_meet(written.network):
            continue
        module = build(space, architecture)
        for parent in list(module.modules()):
            for name, child in list(parent.named_children()):
                if isinstance(child, Node):
                    setattr(parent, name, nn.Identity())
        found = traced(module)
        for counted in ("weighted", "activated"):

            def length(edge: Edge, counted: str = counted) -> int:
                return edge.operation.weighted and getattr(edge.operation, counted)

            assert PathStatistics.of(found.graph, length) == PathStatistics.of(
                written.network, length
            )
        assert len(found.graph.edges) <= len(written.network.live_edges)
        compared += 1
    assert compared >= 12


class OneCell(nn.Module):
    """A stem, one cell and a readout, as ``Nasbench201Network`` puts them together."""

    def __init__(self, cell: Cell, graph: ArchGraph):
        super().__init__()
        self.stem = nn.Sequential(Conv2d(1, SHAPE[0], 2), BatchNorm(1, 2), Node(1))
        self.cell = CellModule(cell, graph, 1, 1, 2)
        self.readout = Linear(1, 2, 3)
        self.readout.at(source_in_degree=max(1, graph.in_degrees[4]), readout=True)
        self.logits = Node(5, replica_axis=0)

    def forward(self, x_BKHW: Tensor) -> Tensor:
        features_RBC = self.cell(self.stem(x_BKHW)).mean((2, 3))[None]
        return torch.as_tensor(self.logits(self.readout(features_RBC)))


STEM = ArchGraph.single(Operation("conv", 3, role="stem", activated=False))
HEAD = ArchGraph.single(Operation("linear", role="head", activated=False))


@pytest.mark.slow
def test_a_sample_of_cells() -> None:
    """60 cells of the 15,625; those with a dead output are refused, as their graphs say."""
    outcomes = []
    for architecture in NasBench201().architectures(sample=60, seed=11):
        cell = read(architecture)
        graph = ArchGraph.series([STEM, cell_graph(cell), HEAD])
        with torch.device("meta"):
            module = OneCell(cell, graph)
        outcomes.append(graph.connected)
        if graph.connected:
            require_same_graph(module, graph)
        else:
            with pytest.raises(InvalidInput, match="does not depend on the input"):
                traced(module)
    assert len(outcomes) == 60
    assert False in outcomes


def test_whole_networks_of_cells() -> None:
    """With reductions between the stages."""
    space = NasBench201(channels=2, cells=1)
    for architecture in space.architectures(sample=12, seed=5):
        if space.topology(architecture).trainable:
            require_same(space, architecture, build(space, architecture))


@pytest.mark.parametrize(
    "operation", ["none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3"]
)
def test_every_operation_of_the_cells(operation: str) -> None:
    into_2 = f"nor_conv_3x3~0|{operation}~1"
    cell = f"|{operation}~0|+|{into_2}|+|skip_connect~0|{operation}~1|nor_conv_1x1~2|"
    space = NasBench201(channels=2, cells=2)
    require_same(space, cell, build(space, cell))
    graph = space.graph(cell)
    found = traced(build(space, cell)).graph
    pools = sum(e.operation.kind == "pool" for e in graph.live_edges)
    assert sum(e.operation.kind == "pool" for e in found.live_edges) == 6 * pools
