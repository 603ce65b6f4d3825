"""The module of the plain CNN ladder, as ``search_spaces.ladders.cnn`` states it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from search_spaces.layers import Conv1d, Conv2d, Dropout, Linear, Node, unfold_replicas
from search_spaces.layers.norms import build_activation, build_image_norm

if TYPE_CHECKING:
    from search_spaces.ladders.cnn import Cnn


class CnnNetwork(nn.Module):
    def __init__(self, space: Cnn, depth: int, replicas: int, inputs: int, classes: int):
        super().__init__()
        self.replicas, self.dimensions = replicas, space.dimensions
        conv = Conv2d if space.dimensions == 2 else Conv1d
        self.body = nn.Sequential()
        for number in range(1, depth + 1):
            if number > 1:
                self.body.append(build_activation(space.activation))
                self.body.append(Dropout(replicas, space.dropout, replica_axis=1))
            circular = space.padding == "circular"
            self.body.append(conv(replicas, inputs, space.width, space.kernel, circular=circular))
            self.body.append(build_image_norm(space.normalization, replicas, space.width))
            self.body.append(Node(number))
            inputs = space.width
        self.activation = build_activation(space.activation)
        self.readout = Linear(replicas, space.width, classes)
        self.readout.at(readout=True)
        self.logits = Node(depth + 1, replica_axis=0)

    def forward(self, x_BKHW: Tensor) -> Tensor:
        """Class scores of every replica."""
        x = x_BKHW if self.dimensions == 2 else x_BKHW.flatten(2)
        features_BK = self.activation(self.body(x)).flatten(2).mean(2)
        features_RBC = unfold_replicas(features_BK, self.replicas)
        return torch.as_tensor(self.logits(self.readout(features_RBC)))
