"""The NAS-Bench-201 network on the replica axis: stem, three stages of cells, reductions, head.

Every convolution is ReLU-Conv-BN with affine batch norm, average pooling leaves padding out of its
mean, and ``none`` adds nothing, as in the published networks. Shapes: x_BKHW with K = R x C.

Two kinds of edge need care. An edge whose value never reaches the cell's output is not run: its
parameters exist, so that counts equal the published ones, but are frozen. A convolution whose
source no input reaches sees zeros, and its batch norm then gives its bias, which does train: only
that bias is used and left unfrozen.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from search_spaces.graph import ArchGraph
from search_spaces.layers import BatchNorm, BranchScale, Conv2d, Linear, Node, unfold_replicas
from search_spaces.nasbench201_cell import EDGES, KERNEL, NONE, POOL, SKIP, Cell


class ReluConvBn(nn.Module):
    """ReLU, convolution, batch norm, and the branch multiplier where the edge is a branch."""

    def __init__(self, replicas: int, inputs: int, outputs: int, kernel: int, stride: int = 1):
        super().__init__()
        self.conv = Conv2d(replicas, inputs, outputs, kernel, stride)
        self.norm = BatchNorm(replicas, outputs)
        self.scale = BranchScale(replicas, replica_axis=1)

    def forward(self, x_BKHW: Tensor) -> Tensor:
        """One weighted edge."""
        return torch.as_tensor(self.scale(self.norm(self.conv(F.relu(x_BKHW)))))

    def of_zeros(self, like_BKHW: Tensor) -> Tensor:
        """The same edge at x = 0, where only the norm's bias is left."""
        bias_1K11 = self.norm.bias.view(1, -1, 1, 1)
        return torch.as_tensor(self.scale(bias_1K11.expand_as(like_BKHW)))


class AveragePool(nn.Module):
    """3x3 average pooling whose mean leaves the padding out."""

    def forward(self, x_BKHW: Tensor) -> Tensor:
        """Keep the size."""
        return F.avg_pool2d(x_BKHW, 3, stride=1, padding=1, count_include_pad=False)


def sources_of_signal(cell: Cell) -> set[int]:
    """The nodes whose value is not identically zero (fed by the input, or by a norm's bias)."""
    signal = {0}
    for op, (source, target) in zip(cell, EDGES, strict=True):
        if op in KERNEL or (op != NONE and source in signal):
            signal.add(target)
    return signal


def edges_run(cell: Cell) -> list[bool]:
    """For each edge whether its value is not identically zero and reaches the output."""
    signal = sources_of_signal(cell)
    needed = {3}
    run = [False] * len(EDGES)
    for position in reversed(range(len(EDGES))):
        (source, target), op = EDGES[position], cell[position]
        run[position] = target in needed and (op in KERNEL or (op != NONE and source in signal))
        if run[position] and source in signal:
            needed.add(source)
    return run


class CellModule(nn.Module):
    """One cell; node 0 of it is node ``first`` of the network's graph."""

    def __init__(self, cell: Cell, graph: ArchGraph, first: int, replicas: int, channels: int):
        super().__init__()
        degree = [max(1, d) for d in graph.in_degrees[first : first + 4]]
        run, signal = edges_run(cell), sources_of_signal(cell)
        live = {(e.source - first, e.target - first) for e in graph.live_edges}
        has_shortcut = {
            t
            for (s, t), op in zip(EDGES, cell, strict=True)
            if op in (SKIP, POOL) and (s, t) in live
        }
        self.edges = nn.ModuleDict()
        self.plan: list[tuple[int, int, str, bool]] = []
        for position, (op, (source, target)) in enumerate(zip(cell, EDGES, strict=True)):
            if op == NONE:
                continue
            name = f"{source}_{target}"
            zeros = source not in signal
            if op in KERNEL:
                edge = ReluConvBn(replicas, channels, channels, KERNEL[op])
                edge.conv.at(
                    source_in_degree=degree[source],
                    target_in_degree=degree[target],
                    branch=(source, target) in live and target in has_shortcut,
                )
                _freeze_unused(edge, run[position], zeros)
                self.edges[name] = edge
            else:
                self.edges[name] = nn.Identity() if op == SKIP else AveragePool()
            if run[position]:
                self.plan.append((source, target, name, zeros))
        self.nodes = nn.ModuleList([Node(first + number) for number in (1, 2, 3)])

    def forward(self, x_BKHW: Tensor) -> Tensor:
        """Node values in topological order; a node that nothing feeds is zero."""
        values = {0: x_BKHW}
        for target, node in zip((1, 2, 3), self.nodes, strict=True):
            terms = [
                edge.of_zeros(x_BKHW) if zeros else edge(values[source])
                for source, edge, zeros in self._into(target)
            ]
            if terms:
                values[target] = node(sum(terms[1:], terms[0]))
        return values[3] if 3 in values else x_BKHW * 0

    def _into(self, target: int) -> Iterator[tuple[int, ReluConvBn, bool]]:
        for source, into, name, zeros in self.plan:
            if into == target:
                yield source, cast("ReluConvBn", self.edges[name]), zeros


def _freeze_unused(edge: ReluConvBn, run: bool, zeros: bool) -> None:
    for parameter in edge.parameters():
        parameter.requires_grad_(run and not zeros)
    if run and zeros:
        edge.norm.bias.requires_grad_(True)


class Reduction(nn.Module):
    """The residual block between stages: halves the image and doubles the channels."""

    def __init__(self, first: int, source_in_degree: int, replicas: int, channels: int):
        super().__init__()
        self.halve = ReluConvBn(replicas, channels, 2 * channels, 3, stride=2)
        self.refine = ReluConvBn(replicas, 2 * channels, 2 * channels, 3)
        self.shortcut = Conv2d(replicas, channels, 2 * channels, 1)
        self.halve.conv.at(source_in_degree=source_in_degree)
        self.refine.conv.at(target_in_degree=2, branch=True)
        self.shortcut.at(source_in_degree=source_in_degree, target_in_degree=2)
        self.middle, self.sum = Node(first + 1), Node(first + 2)

    def forward(self, x_BKHW: Tensor) -> Tensor:
        """x_BKHW -> x_B(2K)(H/2)(W/2), rounded up."""
        branch = self.refine(self.middle(self.halve(x_BKHW)))
        pooled = F.avg_pool2d(x_BKHW, 2, ceil_mode=True, count_include_pad=False)
        return torch.as_tensor(self.sum(branch + self.shortcut(pooled)))


class Nasbench201Network(nn.Module):
    """x_BKHW -> logits_RBC; the nodes are numbered as in the network's graph."""

    def __init__(
        self,
        cell: Cell,
        graph: ArchGraph,
        channels: int,
        cells: int,
        replicas: int,
        in_channels: int,
        classes: int,
    ):
        super().__init__()
        self.replicas = replicas
        self.stem = nn.Sequential(
            Conv2d(replicas, in_channels, channels), BatchNorm(replicas, channels), Node(1)
        )
        self.body = nn.Sequential()
        first = 1
        for stage in range(3):
            width = channels * 2**stage
            for _ in range(cells):
                self.body.append(CellModule(cell, graph, first, replicas, width))
                first += 3
            if stage < 2:
                degree = max(1, graph.in_degrees[first])
                self.body.append(Reduction(first, degree, replicas, width))
                first += 2
        self.norm = BatchNorm(replicas, 4 * channels)
        self.readout = Linear(replicas, 4 * channels, classes)
        self.readout.at(source_in_degree=max(1, graph.in_degrees[first]), readout=True)
        self.logits = Node(first + 1)

    def forward(self, x_BKHW: Tensor) -> Tensor:
        """Class scores of every replica."""
        features_BKHW = F.relu(self.norm(self.body(self.stem(x_BKHW))))
        features_RBC = unfold_replicas(features_BKHW.mean((2, 3)), self.replicas)
        return torch.as_tensor(self.logits(self.readout(features_RBC)))


@dataclass(frozen=True, slots=True)
class Cost:
    """Trained numbers, dead edges' included, and multiply-accumulates for one image."""

    parameters: int
    flops: int


def count_cost(
    cell: Cell, channels: int, cells: int, in_shape: tuple[int, int, int], classes: int
) -> Cost:
    """The counts of NATS-Bench: convolutions and the classifier (its bias too) do FLOPs; batch
    norms, pooling and additions do none. Every convolution counts, whether it is run or not."""
    taps = sum(KERNEL[op] ** 2 for op in cell if op in KERNEL)
    n_convs = sum(op in KERNEL for op in cell)
    in_channels, height, width = in_shape
    stem = 9 * in_channels * channels
    parameters, flops = stem + 2 * channels, stem * height * width
    C = channels
    for stage in range(3):
        parameters += cells * (taps * C * C + 2 * n_convs * C)
        flops += cells * taps * C * C * height * width
        if stage < 2:
            height, width = (height + 1) // 2, (width + 1) // 2
            weights = 9 * C * 2 * C + 9 * (2 * C) ** 2 + C * 2 * C
            parameters, flops = parameters + weights + 8 * C, flops + weights * height * width
            C *= 2
    readout = C * classes + classes
    return Cost(parameters + 2 * C + readout, flops + readout)
