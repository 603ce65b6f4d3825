"""The five-node networks of arXiv 2402.17440's released code, which differ from the paper's."""

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


class ReleasedDagNetwork(nn.Module):
    """x_BKHW -> logits_RBC along ``graph``, the network's graph with its stem and head.

    Activations stand after the stem and after every weighted edge, so that skips carry activated
    values, and none before the readout; all weighted layers have biases (models/mlp_dags.py and
    models/cnn_dags.py). ``degrees`` are the in-degrees of the five nodes, dead edges counted.
    ``kernel`` is the convolutions' side, or None for linear layers on flattened images.

    Edges on no input-output path are not built. In the code such an edge from a node that nothing
    reaches gives phi(b): nothing under ReLU, which never trains it, but a trained bias under GELU.
    Raises ``InvalidInput`` for a graph without a path.
    """

    def __init__(
        self,
        options: CommonOptions,
        graph: ArchGraph,
        degrees: Sequence[int],
        kernel: int | None,
        replicas: int,
        inputs: int,
        classes: int,
    ):
        super().__init__()
        if not graph.connected:
            raise InvalidInput("the DAG has no input-output path and cannot be trained")
        self.replicas, self.kernel = replicas, kernel
        axis = int(kernel is not None)
        degree = dict(enumerate(degrees, start=1))  # node 1 of the network is node 0 of the DAG

        def weigh(inputs: int) -> Weighted:
            if kernel is None:
                return Linear(replicas, inputs, options.width)
            return Conv2d(replicas, inputs, options.width, kernel, bias=True)

        def follow(weight: Weighted) -> list[nn.Module]:
            """What stands after weights; dropout is this suite's own."""
            norm = build_vector_norm if kernel is None else build_image_norm
            normalized = norm(options.normalization, replicas, options.width)
            return [weight, normalized, build_activation(options.activation)]

        _stem, *body, head = graph.live_edges
        shortcuts = {edge.target for edge in body if not edge.operation.weighted}
        self.stem = nn.Sequential(*follow(weigh(inputs)), Node(1, axis))
        self.edges = nn.ModuleDict()
        self.sources: dict[int, list[int]] = {}
        for edge in body:
            name = f"{edge.source}_{edge.target}"
            self.sources.setdefault(edge.target, []).append(edge.source)
            if not edge.operation.weighted:
                self.edges[name] = SkipScale(replicas, axis, degree[edge.target])
                continue
            weight = weigh(options.width).at(
                source_in_degree=degree[edge.source],
                target_in_degree=degree[edge.target],
                branch=edge.target in shortcuts,
            )
            self.edges[name] = nn.Sequential(
                *follow(weight),
                Dropout(replicas, options.dropout, axis),
                BranchScale(replicas, axis) if edge.target in shortcuts else nn.Identity(),
            )
        self.order = sorted(self.sources)
        self.nodes = nn.ModuleDict({str(number): Node(number, axis) for number in self.order})
        self.readout = Linear(replicas, options.width, classes)
        self.readout.at(source_in_degree=degree[head.source], readout=True)
        self.logits = Node(head.target, replica_axis=0)

    def forward(self, x_BKHW: Tensor) -> Tensor:
        """Class scores of every replica."""
        x = x_BKHW if self.kernel else unfold_replicas(x_BKHW.flatten(1), self.replicas)
        values: dict[int, Tensor] = {1: self.stem(x)}
        for target in self.order:
            terms = [self.edges[f"{s}_{target}"](values[s]) for s in self.sources[target]]
            values[target] = self.nodes[str(target)](sum(terms[1:], terms[0]))
        features = values[max(values)]
        if self.kernel:
            features = unfold_replicas(features.mean((2, 3)), self.replicas)
        return torch.as_tensor(self.logits(self.readout(features)))
