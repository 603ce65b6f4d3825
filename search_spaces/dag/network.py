"""A network that runs any graph of skips and weighted edges, on vectors or on images."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from search_spaces.errors import InvalidInput
from search_spaces.graph import ArchGraph
from search_spaces.layers import (
    BranchScale,
    Conv2d,
    Dropout,
    Linear,
    Node,
    SkipScale,
    Weighted,
    unfold_replicas,
)
from search_spaces.layers.norms import build_activation, build_image_norm, build_vector_norm
from search_spaces.options import CommonOptions


class DagNetwork(nn.Module):
    """x_BKHW -> logits_RBC along ``graph``, the network's graph with its stem and head.

    Activations stand before every weighted edge and before the readout, whose layer alone has
    biases. ``kernel`` is the convolutions' side, or None for linear layers on flattened images.
    ``degrees`` are the in-degrees, by node (default: the graph's). Raises ``InvalidInput`` for a
    graph without a path.
    """

    def __init__(
        self,
        options: CommonOptions,
        graph: ArchGraph,
        kernel: int | None,
        replicas: int,
        inputs: int,
        classes: int,
        degrees: Sequence[int] | None = None,
    ):
        super().__init__()
        if not graph.connected:
            raise InvalidInput("the DAG has no input-output path and cannot be trained")
        self.options, self.replicas, self.kernel = options, replicas, kernel
        self.axis = int(kernel is not None)
        degree = graph.in_degrees if degrees is None else degrees
        _stem, *body, head = graph.live_edges
        shortcuts = {edge.target for edge in body if not edge.operation.weighted}
        self.stem = nn.Sequential(*self.build_stem(inputs), Node(1, self.axis))
        self.edges = nn.ModuleDict()
        self.sources: dict[int, list[int]] = {}
        for edge in body:
            name, joins = f"{edge.source}_{edge.target}", edge.target in shortcuts
            self.sources.setdefault(edge.target, []).append(edge.source)
            if not edge.operation.weighted:
                self.edges[name] = SkipScale(replicas, self.axis, degree[edge.target])
                continue
            weight = self.build_weight(options.width).at(
                source_in_degree=degree[edge.source],
                target_in_degree=degree[edge.target],
                branch=joins,
            )
            branch = BranchScale(replicas, self.axis) if joins else nn.Identity()
            self.edges[name] = nn.Sequential(*self.build_edge(weight), branch)
        self.order = sorted(self.sources)
        self.nodes = nn.ModuleDict({str(number): Node(number, self.axis) for number in self.order})
        self.activation = self.build_last_activation()
        self.readout = Linear(replicas, options.width, classes)
        self.readout.at(source_in_degree=degree[head.source], readout=True)
        self.logits = Node(head.target, replica_axis=0)

    def build_weight(self, inputs: int, bias: bool = False) -> Weighted:
        """Weights from so many inputs to a node's width."""
        if self.kernel is None:
            return Linear(self.replicas, inputs, self.options.width, bias=bias)
        return Conv2d(self.replicas, inputs, self.options.width, self.kernel, bias=bias)

    def build_norm(self) -> nn.Module:
        """What the options ask for behind weights."""
        build = build_vector_norm if self.kernel is None else build_image_norm
        return build(self.options.normalization, self.replicas, self.options.width)

    def build_stem(self, inputs: int) -> list[nn.Module]:
        """What stands before the first node."""
        return [self.build_weight(inputs), self.build_norm()]

    def build_edge(self, weight: Weighted) -> list[nn.Module]:
        """What a weighted edge does."""
        dropout = Dropout(self.replicas, self.options.dropout, self.axis)
        return [build_activation(self.options.activation), dropout, weight, self.build_norm()]

    def build_last_activation(self) -> nn.Module:
        """What stands before the readout."""
        return build_activation(self.options.activation)

    def forward(self, x_BKHW: Tensor) -> Tensor:
        """Class scores of every replica."""
        x = x_BKHW if self.kernel else unfold_replicas(x_BKHW.flatten(1), self.replicas)
        values: dict[int, Tensor] = {1: self.stem(x)}
        for target in self.order:
            terms = [self.edges[f"{s}_{target}"](values[s]) for s in self.sources[target]]
            values[target] = self.nodes[str(target)](sum(terms[1:], terms[0]))
        features = self.activation(values[max(values)])
        if self.kernel:
            features = unfold_replicas(features.mean((2, 3)), self.replicas)
        return torch.as_tensor(self.logits(self.readout(features)))
