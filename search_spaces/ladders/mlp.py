"""The plain MLP ladder: mlp-D is D hidden layers of one width, then a readout.

The networks of arXiv 2402.17440: z_1 = W x, z_(l+1) = W phi(z_l), logits = W phi(z_D) + b, so that
mlp-1 is the paper's base (input, one hidden layer, output). Hidden layers have no bias, as in the
theory. Normalization stands between a layer and its activation.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

import torch
from torch import Tensor, nn

from search_spaces.graph import ArchGraph, Operation
from search_spaces.ladders.ladder import Ladder
from search_spaces.layers import Dropout, Linear, Node, unfold_replicas
from search_spaces.options import (
    CommonOptions,
    activation,
    vector_norm,
)
from search_spaces.space import Topology


@lru_cache(maxsize=4096)
def _topology(depth: int, width: int) -> Topology:
    first = ArchGraph.single(Operation("linear", activated=False))
    later = ArchGraph.single(Operation("linear"))
    head = ArchGraph.single(Operation("linear", role="head"))
    network = ArchGraph.series([first, *[later] * (depth - 1), head])
    return Topology(network, network, 0, width, kernel=1, shape=f"mlp-{depth}")


@dataclass(frozen=True, kw_only=True)
class Mlp(CommonOptions, Ladder):
    """``width`` hidden units per layer."""

    width: int = 128

    name: ClassVar[str] = "mlp"
    version: ClassVar[int] = 1
    published_rate: ClassVar[float] = 0.1

    def topology(self, architecture: str) -> Topology:
        """A chain: D hidden layers and the readout."""
        return _topology(self.depth(architecture), self.width)

    def build(
        self,
        architecture: str,
        replicas: int,
        in_shape: tuple[int, int, int] = (3, 32, 32),
        classes: int = 10,
    ) -> nn.Module:
        """x_BKHW -> logits_RBC; images are flattened."""
        channels, height, width = in_shape
        inputs = channels * height * width
        return _Network(self, self.depth(architecture), replicas, inputs, classes)


class _Network(nn.Module):
    def __init__(self, space: Mlp, depth: int, replicas: int, inputs: int, classes: int):
        super().__init__()
        self.replicas = replicas
        self.body = nn.Sequential()
        for number in range(1, depth + 1):
            if number > 1:
                self.body.append(activation(space.activation))
                self.body.append(Dropout(replicas, space.dropout, replica_axis=0))
            self.body.append(Linear(replicas, inputs, space.width, bias=False))
            self.body.append(vector_norm(space.normalization, replicas, space.width))
            self.body.append(Node(number, replica_axis=0))
            inputs = space.width
        self.activation = activation(space.activation)
        self.readout = Linear(replicas, space.width, classes)
        self.readout.at(readout=True)
        self.logits = Node(depth + 1, replica_axis=0)

    def forward(self, x_BKHW: Tensor) -> Tensor:
        """Class scores of every replica."""
        features_RBC = self.activation(self.body(unfold_replicas(x_BKHW.flatten(1), self.replicas)))
        return torch.as_tensor(self.logits(self.readout(features_RBC)))
