"""The module of the vision transformer ladder, as ``search_spaces.ladders.vit`` states it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from search_spaces.layers import Attention, BranchScale, Conv2d, Dropout, Linear, Node, SkipScale
from search_spaces.layers.norms import LayerScale, build_activation, build_vector_norm

if TYPE_CHECKING:
    from search_spaces.ladders.vit import Vit


class _FeedForward(nn.Module):
    def __init__(self, space: Vit, replicas: int, number: int, source: int):
        super().__init__()
        hidden = space.expansion * space.width
        self.first = Linear(replicas, space.width, hidden)
        self.node = Node(number, replica_axis=0)
        self.activation = build_activation(space.activation)
        self.dropout = Dropout(replicas, space.dropout, replica_axis=0)
        self.second = Linear(replicas, hidden, space.width)
        self.first.at(source_in_degree=source)
        self.second.at(target_in_degree=2, branch=True)

    def forward(self, x_RBTC: Tensor) -> Tensor:
        hidden_RNC = self.node(self.first(x_RBTC.flatten(1, 2)))
        y_RNC = self.second(self.dropout(self.activation(hidden_RNC)))
        return torch.as_tensor(y_RNC).view(x_RBTC.shape)


class _Residual(nn.Module):
    """Nodes ``number`` (inside the branch) and ``number`` + 1 (the addition)."""

    def __init__(self, space: Vit, branch: nn.Module, replicas: int, blocks: int, number: int):
        super().__init__()
        self.placement = space.placement
        self.norm = build_vector_norm(space.normalization, replicas, space.width)
        self.branch = nn.Sequential(branch)
        if space.layer_scale:
            self.branch.append(LayerScale(replicas, space.width, layer_scale_start(blocks)))
        self.branch.append(Dropout(replicas, space.dropout, replica_axis=0))
        self.branch.append(BranchScale(replicas, replica_axis=0))
        self.skip = SkipScale(replicas, 0, target_in_degree=2)
        self.sum = Node(number + 1, replica_axis=0)

    def forward(self, x_RBTC: Tensor) -> Tensor:
        skip_RBTC = self.skip(x_RBTC)
        if self.placement == "pre":
            return torch.as_tensor(self.sum(skip_RBTC + self.branch(self.norm(x_RBTC))))
        return torch.as_tensor(self.norm(self.sum(skip_RBTC + self.branch(x_RBTC))))


def layer_scale_start(blocks: int) -> float:
    """Where LayerScale's vectors start, by depth (arXiv 2103.17239, section 3)."""
    return 0.1 if blocks <= 18 else 1e-5 if blocks <= 24 else 1e-6


class VitNetwork(nn.Module):
    def __init__(
        self, space: Vit, blocks: int, replicas: int, inputs: int, tokens: int, classes: int
    ):
        super().__init__()
        R, C = replicas, space.width
        self.replicas = R
        self.embed = Conv2d(R, inputs, C, space.patch, space.patch, bias=True, padding=0)
        self.positions = nn.Parameter(torch.zeros(R, tokens, C))
        self.embedded = Node(1, replica_axis=0)
        self.blocks = nn.Sequential()
        number = 2
        for _ in range(blocks):
            source = 1 if number == 2 else 2
            attention = Attention(R, C, space.heads, number)
            attention.qkv.at(source_in_degree=source)
            attention.projection.at(target_in_degree=2, branch=True)
            self.blocks.append(_Residual(space, attention, R, blocks, number))
            feed_forward = _FeedForward(space, R, number + 2, source=2)
            self.blocks.append(_Residual(space, feed_forward, R, blocks, number + 2))
            number += 4
        final = space.normalization if space.placement == "pre" else "none"
        self.norm = build_vector_norm(final, R, C)
        self.readout = Linear(R, C, classes)
        self.readout.at(source_in_degree=2, readout=True)
        self.logits = Node(number, replica_axis=0)

    def forward(self, x_BKHW: Tensor) -> Tensor:
        """Class scores of every replica."""
        x_RBCT = self.embed(x_BKHW).flatten(2).unflatten(1, (self.replicas, -1)).transpose(0, 1)
        x_RBTC = self.embedded(x_RBCT.transpose(2, 3) + self.positions[:, None])
        features_RBC = self.norm(self.blocks(x_RBTC)).mean(2)
        return torch.as_tensor(self.logits(self.readout(features_RBC)))
