"""The NAS-Bench-201 network is the published function, and classes of cells are one function."""

import random
from collections import defaultdict
from typing import cast

import pytest
import torch
from support.networks import fill
from torch import Tensor, nn
from torch.nn import functional as F

from search_spaces.conventions import CONVENTIONS
from search_spaces.nasbench201.canonical import swap_middle_nodes
from search_spaces.nasbench201.cell import (
    EDGES,
    KERNEL,
    NONE,
    SKIP,
    cell_graph,
    official_order,
    read,
    write,
)
from search_spaces.nasbench201.network import CellModule, NormBias, ReluConvBn
from search_spaces.nasbench201.space import NasBench201

SPACE = NasBench201(channels=3, cells=1)
CELLS = random.Random(0).sample(official_order(), 60)


def cell_module(architecture: str) -> CellModule:
    """The first cell of a network, in float64."""
    network = fill(SPACE.build(architecture, replicas=1).double())
    return next(module for module in network.modules() if isinstance(module, CellModule))


def as_published(cell: tuple[int, ...], module: CellModule, x_BKHW: Tensor) -> Tensor:
    """Every edge run, on zeros too, as the published networks do."""
    values = [x_BKHW]
    for target in (1, 2, 3):
        total = x_BKHW * 0
        for op, ends in zip(cell, EDGES, strict=True):
            if ends[1] != target or op == NONE:
                continue
            z = values[ends[0]]
            if op in KERNEL:
                edge = module.edges[f"{ends[0]}_{ends[1]}"]
                edge = cast(ReluConvBn, edge.edge if isinstance(edge, NormBias) else edge)
                y = F.conv2d(F.relu(z), edge.conv.weight[0], padding=KERNEL[op] // 2)
                norm = edge.norm
                z = F.batch_norm(y, None, None, norm.weight[0], norm.bias[0], training=True)
            elif op != SKIP:
                z = nn.AvgPool2d(3, stride=1, padding=1, count_include_pad=False)(z)
            total = total + z
        values.append(total)
    return values[3]


@pytest.mark.parametrize("cell", CELLS, ids=str)
def test_a_cell_is_the_published_function(cell: tuple[int, ...]) -> None:
    module = cell_module(write(cell))
    x = torch.randn(5, 3, 6, 6, dtype=torch.float64, requires_grad=True)
    ours, theirs = module(x), as_published(cell, module, x)
    torch.testing.assert_close(ours, theirs, rtol=1e-9, atol=1e-9)
    weights = [p for p in module.parameters() if p.requires_grad]
    direction = torch.randn_like(ours)
    for one, two in zip(
        torch.autograd.grad((ours * direction).sum(), [x, *weights], materialize_grads=True),
        torch.autograd.grad((theirs * direction).sum(), [x, *weights], materialize_grads=True),
        strict=True,
    ):
        torch.testing.assert_close(one, two, rtol=1e-7, atol=1e-9)


def classes() -> dict[str, list[str]]:
    found = defaultdict(list)
    for name in SPACE.architectures():
        found[SPACE.canonical(name)].append(name)
    return found


def test_classes() -> None:
    found = classes()
    assert len(found) == 9_055
    assert sum(SPACE.topology(representative).trainable for representative in found) == 9_044
    for representative in found:
        assert SPACE.canonical(representative) == representative


def test_without_the_norms_biases_there_would_be_fewer_classes() -> None:
    def live(cell: tuple[int, ...]) -> tuple[int, ...]:
        ends = {(edge.source, edge.target) for edge in cell_graph(cell).live_edges}
        return tuple(op * (edge in ends) for op, edge in zip(cell, EDGES, strict=True))

    kept = {live(cell) for cell in official_order()}
    assert len({cell if cell[2] else min(cell, swap_middle_nodes(cell)) for cell in kept}) == 8_765


def test_members_of_a_class_have_one_depth_under_every_convention() -> None:
    for representative, members in classes().items():
        topologies = {id(t): t for t in map(SPACE.topology, members)}.values()
        expected = SPACE.topology(representative)
        for topology in topologies:
            assert sorted(topology.cell.in_degrees) == sorted(expected.cell.in_degrees)
            for convention in CONVENTIONS.values():
                assert convention.statistics(topology) == convention.statistics(expected)


def live_weights(module: CellModule, swap: bool) -> dict[str, Tensor]:
    """The parameters that act, by edge; with the middle nodes' numbers exchanged on demand."""
    renamed = str.maketrans("12", "21") if swap else {}
    found: dict[str, Tensor] = {}
    for name, edge in module.edges.items():
        key = name.translate(renamed)
        for parameter, value in edge.named_parameters():
            if value.requires_grad:
                found[f"{key}.{parameter.removeprefix('edge.')}"] = value
    return found


def pairs() -> list[tuple[str, str]]:
    """One member that is not its own representative from each of 60 classes."""
    chosen = [
        (representative, next(name for name in members if name != representative))
        for representative, members in classes().items()
        if len(members) > 1
    ]
    return random.Random(1).sample(chosen, 60)


@pytest.mark.parametrize(("one", "other"), pairs())
def test_two_cells_of_a_class_are_one_function_of_the_same_parameters(one: str, other: str) -> None:
    a, b = cell_module(one), cell_module(other)
    x = torch.randn(4, 3, 6, 6, dtype=torch.float64)
    expected = a(x)
    agree = []
    for swap in (False, True):
        theirs, ours = live_weights(a, False), live_weights(b, swap)
        shapes = {name: value.shape for name, value in theirs.items()}
        if shapes != {name: value.shape for name, value in ours.items()}:
            continue
        with torch.no_grad():
            for name, value in ours.items():
                value.copy_(theirs[name])
        agree.append(torch.allclose(b(x), expected, rtol=1e-9, atol=1e-9))
    assert any(agree)


def test_dropping_a_norms_bias_would_change_the_function() -> None:
    """Why a convolution on zeros is kept: its batch norm's bias acts, and trains."""
    cell = "0_33_421"
    module = cell_module(SPACE.parse(cell))
    x = torch.randn(4, 3, 6, 6, dtype=torch.float64)
    before = module(x)
    edge = cast(NormBias, module.edges["1_3"])
    with torch.no_grad():
        edge.edge.norm.bias.add_(1.0)
    torch.testing.assert_close(module(x), before + 1)
    assert SPACE.canonical(SPACE.parse(cell)) != SPACE.canonical(SPACE.parse("0_30_401"))
    assert read(cell)[4] in KERNEL
