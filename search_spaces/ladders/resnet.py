"""The residual ladder: resnet-K is a stem, K residual blocks and a readout.

z_1 = stem(x), z_(l+1) = shortcut(z_l) + a f(z_l), logits = W mean(phi(z_(K+1))) + b, with a the
branch multiplier and phi inside the branch f, before each convolution. ``one-conv`` is the block of
arXiv 2510.04327, ``basic`` has two 3x3 convolutions and ``bottleneck`` 1x1, 3x3, 1x1 with a quarter
of the width between (He et al., arXiv 1512.03385 and 1603.05027). Normalization follows each
convolution, so that the order along the network is Conv-BN-ReLU.

``post-activation`` is the block of the released code of arXiv 2510.04327, z_(l+1) = z_l + a
phi(conv(z_l)): there is no stem, the first block reads the image and has a 1x1 convolution as its
shortcut, and the readout, W mean(z) without a bias, has no activation before it.

``homogeneous`` keeps one width and image size. ``cifar`` has three stages of widths n, 2n, 4n; the
first block of the second and third halves the image, with a 1x1 convolution as its shortcut.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn

from search_spaces.errors import InvalidInput
from search_spaces.graph import ArchGraph, Edge, Operation
from search_spaces.ladders.ladder import Ladder
from search_spaces.layers import (
    BranchScale,
    Conv2d,
    Dropout,
    Linear,
    Node,
    SkipScale,
    unfold_replicas,
)
from search_spaces.options import (
    LATER,
    CommonOptions,
    Padding,
    activation,
    image_norm,
    require_choice,
)
from search_spaces.space import Topology

Block = Literal["one-conv", "basic", "bottleneck", "post-activation"]
_KERNELS: dict[str, tuple[int, ...]] = {
    "one-conv": (3,),
    "basic": (3, 3),
    "bottleneck": (1, 3, 1),
    "post-activation": (3,),
}


def _stage_starts(blocks: int, stages: str) -> set[int]:
    """The numbers (from 0) of the blocks that halve the image: stages as even as they can be."""
    if stages == "homogeneous":
        return set()
    return {-(-blocks // 3), -(-2 * blocks // 3)}


@lru_cache(maxsize=4096)
def _topology(blocks: int, width: int, block: Block, stages: str) -> Topology:
    if block == "post-activation":
        return _post_activation_topology(blocks, width)
    starts = _stage_starts(blocks, stages)
    plain, halving = _block_graph(block, False), _block_graph(block, True)
    network = ArchGraph.series(
        [
            ArchGraph.single(Operation("conv", 3, role="stem", activated=False)),
            *(halving if number in starts else plain for number in range(blocks)),
            ArchGraph.single(Operation("linear", role="head")),
        ]
    )
    shape = f"resnet-{blocks} {block} {stages}"
    return Topology(network, network, network.additions, width, shape=shape)


def _post_activation_topology(blocks: int, width: int) -> Topology:
    """The image into a block, blocks in a row, and a readout on the last sum as it is."""
    head = ArchGraph.single(Operation("linear", role="head", activated=False))
    first = Operation("conv", 1, role="reduction", activated=False)
    shortcuts = [first, *[Operation("identity")] * (blocks - 1)]
    body = [
        ArchGraph(2, (Edge(0, 1, Operation("conv", 3)), Edge(0, 1, shortcut)))
        for shortcut in shortcuts
    ]
    network = ArchGraph.series([*body, head])
    return Topology(network, network, blocks, width, shape=f"resnet-{blocks} post-activation")


def _block_graph(block: Block, halving: bool) -> ArchGraph:
    """The branch's nodes in a row, and the shortcut past them."""
    kernels = _KERNELS[block]
    shortcut = (
        Operation("conv", 1, role="reduction", activated=False)
        if halving
        else Operation("identity")
    )
    branch = [Edge(i, i + 1, Operation("conv", kernel)) for i, kernel in enumerate(kernels)]
    return ArchGraph(len(kernels) + 1, (*branch, Edge(0, len(kernels), shortcut)))


@dataclass(frozen=True, kw_only=True)
class ResNet(CommonOptions, Ladder):
    """``width`` is n, of the first stage where there are stages."""

    block: Block = "one-conv"
    stages: Literal["homogeneous", "cifar"] = "homogeneous"
    padding: Padding = field(default="zeros", metadata=LATER)

    name: ClassVar[str] = "resnet"
    version: ClassVar[int] = 1
    published_rate: ClassVar[float] = 0.1

    def __post_init__(self) -> None:
        super().__post_init__()
        require_choice("block", self.block, tuple(_KERNELS))
        require_choice("stages", self.stages, ("homogeneous", "cifar"))
        require_choice("padding", self.padding, ("zeros", "circular"))
        if self.block == "post-activation" and self.stages != "homogeneous":
            raise InvalidInput(
                f"block='post-activation' has one width and image size, not "
                f"stages={self.stages!r}; use stages='homogeneous'"
            )
        if self.block == "bottleneck" and self.width % 4:
            raise InvalidInput(
                f"width={self.width} is not a multiple of 4, which bottleneck blocks need; "
                f"use {4 * (self.width // 4 + 1)}"
            )

    @property
    def shallowest(self) -> int:
        """One block, or one per stage."""
        return 1 if self.stages == "homogeneous" else 3

    def topology(self, architecture: str) -> Topology:
        """Stem, blocks with their shortcuts, readout."""
        return _topology(self.depth(architecture), self.width, self.block, self.stages)

    def build(
        self,
        architecture: str,
        replicas: int,
        in_shape: tuple[int, int, int] = (3, 32, 32),
        classes: int = 10,
    ) -> nn.Module:
        """x_BKHW -> logits_RBC."""
        blocks, inputs = self.depth(architecture), in_shape[0]
        if self.block == "post-activation":
            return _PostActivationNetwork(self, blocks, replicas, inputs, classes)
        return _Network(self, blocks, replicas, inputs, classes)


class _Block(nn.Module):
    """Nodes first .. first + len(kernels) of the network's graph."""

    def __init__(
        self, space: ResNet, replicas: int, inputs: int, outputs: int, first: int, source: int
    ):
        super().__init__()
        kernels, circular = _KERNELS[space.block], space.padding == "circular"
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
            self.branch.append(activation(space.activation))
            self.branch.append(Dropout(replicas, space.dropout, replica_axis=1))
            self.branch.append(conv)
            self.branch.append(image_norm(space.normalization, replicas, width))
            self.branch.append(
                BranchScale(replicas, replica_axis=1) if last else Node(first + number)
            )
            channels = width
        self.sum = Node(first + len(kernels))

    def forward(self, x_BKHW: Tensor) -> Tensor:
        return torch.as_tensor(self.sum(self.shortcut(x_BKHW) + self.branch(x_BKHW)))


class _Network(nn.Module):
    def __init__(self, space: ResNet, blocks: int, replicas: int, inputs: int, classes: int):
        super().__init__()
        self.replicas = replicas
        width = space.width
        self.stem = nn.Sequential(
            Conv2d(replicas, inputs, width, circular=space.padding == "circular"),
            image_norm(space.normalization, replicas, width),
            Node(1),
        )
        self.blocks = nn.Sequential()
        node, starts = 1, _stage_starts(blocks, space.stages)
        for number in range(blocks):
            outputs = 2 * width if number in starts else width
            source = 1 if number == 0 else 2
            self.blocks.append(_Block(space, replicas, width, outputs, node, source))
            node, width = node + len(_KERNELS[space.block]), outputs
        self.activation = activation(space.activation)
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
            image_norm(space.normalization, replicas, space.width),
            activation(space.activation),
            Dropout(replicas, space.dropout, replica_axis=1),
            BranchScale(replicas, replica_axis=1),
        )
        self.sum = Node(number)

    def forward(self, x_BKHW: Tensor) -> Tensor:
        return torch.as_tensor(self.sum(self.shortcut(x_BKHW) + self.branch(x_BKHW)))


class _PostActivationNetwork(nn.Module):
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
