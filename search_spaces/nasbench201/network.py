"""The NAS-Bench-201 network on the replica axis: stem, three stages of cells, reductions, head.

Every convolution is ReLU-Conv-BN with affine batch norm, average pooling leaves padding out of its
mean, and ``none`` adds nothing, as in the published networks. Shapes: x_BKHW with K = R x C.

Two kinds of edge need care. An edge whose value never reaches the cell's output is not run: its
parameters exist, so that counts equal the published ones, but are frozen. A convolution whose
source no input reaches sees zeros, and its batch norm then gives its bias, which does train: only
that bias is used and left unfrozen.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from search_spaces.graph import ArchGraph
from search_spaces.layers import BranchScale, Conv2d, Linear, Node, SkipScale, unfold_replicas
from search_spaces.layers.norms import BatchNorm
from search_spaces.nasbench201.canonical import edges_run, sources_of_signal
from search_spaces.nasbench201.cell import EDGES, KERNEL, NONE, SKIP, Cell


class ReluConvBn(nn.Module):
    """ReLU, convolution, batch norm; times the branch multiplier where the edge is a branch."""

    def __init__(
        self,
        replicas: int,
        inputs: int,
        outputs: int,
        kernel: int,
        stride: int = 1,
        branch: bool = False,
    ):
        super().__init__()
        self.conv = Conv2d(replicas, inputs, outputs, kernel, stride)
        self.norm = BatchNorm(replicas, outputs)
        self.scale = BranchScale(replicas, replica_axis=1) if branch else nn.Identity()

    def forward(self, x_BKHW: Tensor) -> Tensor:
        """One weighted edge."""
        return torch.as_tensor(self.scale(self.norm(self.conv(F.relu(x_BKHW)))))


class NormBias(nn.Module):
    """The same edge at x = 0, where only its norm's bias is left."""

    def __init__(self, edge: ReluConvBn):
        super().__init__()
        self.edge = edge
        for parameter in edge.parameters():
            parameter.requires_grad_(parameter is edge.norm.bias)

    def forward(self, like_BKHW: Tensor) -> Tensor:
        """The bias at every position of every image."""
        return self.edge.norm.bias.view(1, -1, 1, 1).expand_as(like_BKHW)


class AveragePool(nn.Module):
    """3x3 average pooling whose mean leaves the padding out."""

    def forward(self, x_BKHW: Tensor) -> Tensor:
        """Keep the size."""
        return F.avg_pool2d(x_BKHW, 3, stride=1, padding=1, count_include_pad=False)


class CellModule(nn.Module):
    """One cell; node 0 of it is node ``first`` of the network's graph."""

    def __init__(self, cell: Cell, graph: ArchGraph, first: int, replicas: int, channels: int):
        super().__init__()
        degree = [max(1, d) for d in graph.in_degrees[first : first + 4]]
        # The released code of arXiv 2402.17440 counts within the cell, dead edges too.
        fed = [ends[1] for op, ends in zip(cell, EDGES, strict=True) if op != NONE]
        released = [1, *(max(1, fed.count(node)) for node in (1, 2, 3))]
        live = [e for e in graph.live_edges if first <= e.source and e.target <= first + 3]
        shortcuts = {e.target - first for e in live if not e.operation.weighted}
        branches = {
            (e.source - first, e.target - first)
            for e in live
            if e.operation.weighted and e.target - first in shortcuts
        }
        signal = sources_of_signal(cell)
        self.edges = nn.ModuleDict()
        self.into: dict[int, list[tuple[int, str]]] = {1: [], 2: [], 3: []}
        for op, ends, runs in zip(cell, EDGES, edges_run(cell), strict=True):
            if op == NONE:
                continue
            source, target = ends
            scale = SkipScale(replicas, 1, degree[target])
            edge: nn.Module = scale if op == SKIP else nn.Sequential(AveragePool(), scale)
            if op in KERNEL:
                branch = ends in branches
                edge = ReluConvBn(replicas, channels, channels, KERNEL[op], branch=branch)
                edge.conv.at(
                    source_in_degree=degree[source],
                    target_in_degree=degree[target],
                    released_in_degree=released[source],
                    branch=branch,
                )
                edge.requires_grad_(runs)
                if runs and source not in signal:
                    edge = NormBias(edge)
            self.edges[f"{source}_{target}"] = edge
            if runs:
                # Of a source of zeros only the shape is read, which is the cell input's.
                read = source if source in signal else 0
                self.into[target].append((read, f"{source}_{target}"))
        reached = {e.target - first for e in live}
        self.nodes = nn.ModuleList(
            [Node(first + n) if n in reached else nn.Identity() for n in (1, 2, 3)]
        )

    def forward(self, x_BKHW: Tensor) -> Tensor:
        """Node values in topological order; a node that nothing feeds is zero."""
        values = {0: x_BKHW}
        for target, node in zip((1, 2, 3), self.nodes, strict=True):
            terms = [self.edges[name](values[source]) for source, name in self.into[target]]
            if terms:
                values[target] = node(sum(terms[1:], terms[0]))
        return values[3] if 3 in values else x_BKHW * 0


class Reduction(nn.Module):
    """The residual block between stages: halves the image and doubles the channels."""

    def __init__(self, first: int, source_in_degree: int, replicas: int, channels: int):
        super().__init__()
        self.halve = ReluConvBn(replicas, channels, 2 * channels, 3, stride=2)
        self.refine = ReluConvBn(replicas, 2 * channels, 2 * channels, 3, branch=True)
        self.shortcut = Conv2d(replicas, channels, 2 * channels, 1)
        self.halve.conv.at(source_in_degree=source_in_degree, released_in_degree=2)
        self.refine.conv.at(target_in_degree=2, branch=True)
        self.shortcut.at(
            source_in_degree=source_in_degree, target_in_degree=2, released_in_degree=2
        )
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
        self.logits = Node(first + 1, replica_axis=0)

    def forward(self, x_BKHW: Tensor) -> Tensor:
        """Class scores of every replica."""
        features_BKHW = F.relu(self.norm(self.body(self.stem(x_BKHW))))
        features_RBC = unfold_replicas(features_BKHW.mean((2, 3)), self.replicas)
        return torch.as_tensor(self.logits(self.readout(features_RBC)))
