"""A network that runs any graph of skips and weighted edges, on vectors or on images."""

from __future__ import annotations

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

    ``kernel`` is the convolutions' side, or None for linear layers on flattened images. Raises
    ``InvalidInput`` for a graph without a path.
    """

    def __init__(
        self,
        options: CommonOptions,
        graph: ArchGraph,
        kernel: int | None,
        replicas: int,
        inputs: int,
        classes: int,
    ):
        super().__init__()
        if not graph.connected:
            raise InvalidInput("the DAG has no input-output path and cannot be trained")
        self.replicas, self.kernel = replicas, kernel
        axis, width = int(kernel is not None), options.width

        def weight(inputs: int) -> Weighted:
            if kernel is None:
                return Linear(replicas, inputs, width, bias=False)
            return Conv2d(replicas, inputs, width, kernel)

        norm = build_vector_norm if kernel is None else build_image_norm
        _stem, *body, head = graph.live_edges
        shortcuts = {edge.target for edge in body if not edge.operation.weighted}
        self.stem = nn.Sequential(
            weight(inputs), norm(options.normalization, replicas, width), Node(1, axis)
        )
        self.edges = nn.ModuleDict()
        self.sources: dict[int, list[int]] = {}
        for edge in body:
            self.sources.setdefault(edge.target, []).append(edge.source)
            if not edge.operation.weighted:
                self.edges[f"{edge.source}_{edge.target}"] = SkipScale(
                    replicas, axis, graph.in_degrees[edge.target]
                )
                continue
            self.edges[f"{edge.source}_{edge.target}"] = nn.Sequential(
                build_activation(options.activation),
                Dropout(replicas, options.dropout, axis),
                weight(width).at(
                    source_in_degree=graph.in_degrees[edge.source],
                    target_in_degree=graph.in_degrees[edge.target],
                    branch=edge.target in shortcuts,
                ),
                norm(options.normalization, replicas, width),
                BranchScale(replicas, axis) if edge.target in shortcuts else nn.Identity(),
            )
        self.order = sorted(self.sources)
        self.nodes = nn.ModuleDict({str(number): Node(number, axis) for number in self.order})
        self.activation = build_activation(options.activation)
        self.readout = Linear(replicas, width, classes)
        self.readout.at(source_in_degree=graph.in_degrees[head.source], readout=True)
        self.logits = Node(head.target, replica_axis=0)

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
