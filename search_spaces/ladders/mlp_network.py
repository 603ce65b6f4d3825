"""The module of the plain MLP ladder, as ``search_spaces.ladders.mlp`` states it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from search_spaces.layers import Dropout, Linear, Node, unfold_replicas
from search_spaces.layers.norms import build_activation, build_vector_norm

if TYPE_CHECKING:
    from search_spaces.ladders.mlp import Mlp


class MlpNetwork(nn.Module):
    def __init__(self, space: Mlp, depth: int, replicas: int, inputs: int, classes: int):
        super().__init__()
        self.replicas = replicas
        self.body = nn.Sequential()
        for number in range(1, depth + 1):
            if number > 1:
                self.body.append(build_activation(space.activation))
                self.body.append(Dropout(replicas, space.dropout, replica_axis=0))
            self.body.append(Linear(replicas, inputs, space.width, bias=False))
            self.body.append(build_vector_norm(space.normalization, replicas, space.width))
            self.body.append(Node(number, replica_axis=0))
            inputs = space.width
        self.activation = build_activation(space.activation)
        self.readout = Linear(replicas, space.width, classes)
        self.readout.at(readout=True)
        self.logits = Node(depth + 1, replica_axis=0)

    def forward(self, x_BKHW: Tensor) -> Tensor:
        """Class scores of every replica."""
        features_RBC = self.activation(self.body(unfold_replicas(x_BKHW.flatten(1), self.replicas)))
        return torch.as_tensor(self.logits(self.readout(features_RBC)))
