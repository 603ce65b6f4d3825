"""The modules of the residual ladder, as ``search_spaces.ladders.resnet`` states them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from search_spaces.ladders.resnet_graph import KERNELS, stage_starts
from search_spaces.layers import (
    BranchScale,
    Conv2d,
    Dropout,
    Linear,
    Node,
    SkipScale,
    unfold_replicas,
)
from search_spaces.layers.norms import build_activation, build_image_norm

if TYPE_CHECKING:
    from search_spaces.ladders.resnet import ResNet


class _Block(nn.Module):
    """Nodes first .. first + len(kernels) of the network's graph."""

    def __init__(
        self, space: ResNet, replicas: int, inputs: int, outputs: int, first: int, source: int
    ):
        super().__init__()
        kernels, circular = KERNELS[space.block], space.padding == "circular"
        inner = outputs // 4 if space.block == "bottleneck" else outputs
        stride = 1 if inputs == outputs else 2
        self.shortcut: nn.Module = SkipScale(replicas, 1, target_in_degree=2)
        if stride == 2:
            self.shortcut = Conv2d(replicas, inputs, outputs, 1, stride).at(
                source_in_degree=source, target_in_degree=2
            )
        self.branch = nn.Sequential()
        channels = inputs
        for number, kernel in enumerate(kernels, start=1):
            last = number == len(kernels)
            width = outputs if last else inner
            step = stride if number - 1 == kernels.index(3) else 1
            conv = Conv2d(replicas, channels, width, kernel, step, circular=circular)
            conv.at(
                source_in_degree=source if number == 1 else 1,
                target_in_degree=2 if last else 1,
                branch=last,
            )
            self.branch.append(build_activation(space.activation))
            self.branch.append(Dropout(replicas, space.dropout, replica_axis=1))
            self.branch.append(conv)
            self.branch.append(build_image_norm(space.normalization, replicas, width))
            self.branch.append(
                BranchScale(replicas, replica_axis=1) if last else Node(first + number)
            )
            channels = width
        self.sum = Node(first + len(kernels))

    def forward(self, x_BKHW: Tensor) -> Tensor:
        return torch.as_tensor(self.sum(self.shortcut(x_BKHW) + self.branch(x_BKHW)))


class ResNetNetwork(nn.Module):
    def __init__(self, space: ResNet, blocks: int, replicas: int, inputs: int, classes: int):
        super().__init__()
        self.replicas = replicas
        width = space.width
        self.stem = nn.Sequential(
            Conv2d(replicas, inputs, width, circular=space.padding == "circular"),
            build_image_norm(space.normalization, replicas, width),
            Node(1),
        )
        self.blocks = nn.Sequential()
        node, starts = 1, stage_starts(blocks, space.stages)
        for number in range(blocks):
            outputs = 2 * width if number in starts else width
            source = 1 if number == 0 else 2
            self.blocks.append(_Block(space, replicas, width, outputs, node, source))
            node, width = node + len(KERNELS[space.block]), outputs
        self.activation = build_activation(space.activation)
        self.readout = Linear(replicas, width, classes)
        self.readout.at(source_in_degree=2, readout=True)
        self.logits = Node(node + 1, replica_axis=0)

    def forward(self, x_BKHW: Tensor) -> Tensor:
        """Class scores of every replica."""
        features_BKHW = self.activation(self.blocks(self.stem(x_BKHW)))
        features_RBC = unfold_replicas(features_BKHW.mean((2, 3)), self.replicas)
        return torch.as_tensor(self.logits(self.readout(features_RBC)))


class _PostActivationBlock(nn.Module):
    """Node ``number`` of the network's graph: the sum of the shortcut and the branch."""

    def __init__(self, space: ResNet, replicas: int, inputs: int, number: int):
        super().__init__()
        first = number == 1
        self.shortcut: nn.Module = nn.Identity()
        if first:
            self.shortcut = Conv2d(replicas, inputs, space.width, 1).at(target_in_degree=2)
        conv = Conv2d(replicas, inputs, space.width, circular=space.padding == "circular")
        conv.at(
            source_in_degree=1 if first else 2,
            target_in_degree=2,
            branch=True,
            reads_images=first,
        )
        self.branch = nn.Sequential(
            conv,
            build_image_norm(space.normalization, replicas, space.width),
            build_activation(space.activation),
            Dropout(replicas, space.dropout, replica_axis=1),
            BranchScale(replicas, replica_axis=1),
        )
        self.sum = Node(number)

    def forward(self, x_BKHW: Tensor) -> Tensor:
        return torch.as_tensor(self.sum(self.shortcut(x_BKHW) + self.branch(x_BKHW)))


class PostActivationNetwork(nn.Module):
    def __init__(self, space: ResNet, blocks: int, replicas: int, inputs: int, classes: int):
        super().__init__()
        self.replicas = replicas
        self.blocks = nn.Sequential()
        for number in range(1, blocks + 1):
            channels = inputs if number == 1 else space.width
            self.blocks.append(_PostActivationBlock(space, replicas, channels, number))
        self.readout = Linear(replicas, space.width, classes, bias=False)
        self.readout.at(source_in_degree=2, readout=True)
        self.logits = Node(blocks + 1, replica_axis=0)

    def forward(self, x_BKHW: Tensor) -> Tensor:
        """Class scores of every replica."""
        features_RBC = unfold_replicas(self.blocks(x_BKHW).mean((2, 3)), self.replicas)
        return torch.as_tensor(self.logits(self.readout(features_RBC)))
