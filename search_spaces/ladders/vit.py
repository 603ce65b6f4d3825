"""The vision transformer ladder: vit-K is a patch embedding, K blocks and a readout.

A block is attention and then a two-layer feed-forward net, each with its own residual addition:
pre-LN x + a f(norm(x)), post-LN norm(x + a f(x)), with a the branch multiplier (Xiong et al.,
arXiv 2002.04745). LayerScale multiplies every branch by a trained vector (CaiT, arXiv 2103.17239).
Learned positions start at zero and the readout reads the mean token. Shapes: x_RBTC, T tokens.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn

from search_spaces.errors import InvalidInput
from search_spaces.graph import ArchGraph, Edge, Operation
from search_spaces.ladders.ladder import Ladder
from search_spaces.layers import Attention, BranchScale, Conv2d, Dropout, Linear, Node, SkipScale
from search_spaces.norms import LayerScale
from search_spaces.options import (
    Activation,
    CommonOptions,
    Normalization,
    activation,
    require_choice,
    require_positive,
    vector_norm,
)
from search_spaces.space import Topology


def _residual(first: Operation) -> ArchGraph:
    """Two weighted edges in a row with a nonlinearity between, and the shortcut past them."""
    return ArchGraph(
        3,
        (
            Edge(0, 1, first),
            Edge(0, 2, Operation("identity")),
            Edge(1, 2, Operation("linear")),
        ),
    )


@lru_cache(maxsize=4096)
def _topology(blocks: int, width: int, patch: int) -> Topology:
    attention = _residual(Operation("attention", activated=False))
    feed_forward = _residual(Operation("linear", activated=False))
    network = ArchGraph.series(
        [
            ArchGraph.single(Operation("conv", patch, role="stem", activated=False)),
            *[attention, feed_forward] * blocks,
            ArchGraph.single(Operation("linear", role="head", activated=False)),
        ]
    )
    shape = f"vit-{blocks} p{patch}"
    return Topology(network, network, network.additions, width, kernel=1, shape=shape)


@dataclass(frozen=True, kw_only=True)
class Vit(CommonOptions, Ladder):
    """``placement`` of the norm is "pre" or "post" the addition; ``expansion`` is the hidden width
    of the feed-forward net over ``width``; ``patch`` is the side of a patch in pixels."""

    heads: int = 4
    patch: int = 4
    expansion: int = 4
    placement: Literal["pre", "post"] = "pre"
    layer_scale: bool = False
    activation: Activation = "gelu"
    normalization: Normalization = "ln"

    name: ClassVar[str] = "vit"
    version: ClassVar[int] = 1
    rungs: ClassVar[tuple[int, ...]] = (1, 2, 3, 4, 6, 8, 12, 16, 24)
    published_rate: ClassVar[float] = 0.1

    def __post_init__(self) -> None:
        super().__post_init__()
        for field in ("heads", "patch", "expansion"):
            require_positive(field, getattr(self, field))
        require_choice("placement", self.placement, ("pre", "post"))
        require_choice("layer_scale", self.layer_scale, (False, True))
        if self.width % self.heads:
            raise InvalidInput(
                f"width={self.width} is not a multiple of heads={self.heads}; change one of them"
            )

    def topology(self, architecture: str) -> Topology:
        """Patch embedding, two residual additions per block, readout."""
        return _topology(self.depth(architecture), self.width, self.patch)

    def build(
        self,
        architecture: str,
        replicas: int,
        in_shape: tuple[int, int, int] = (3, 32, 32),
        classes: int = 10,
    ) -> nn.Module:
        """x_BKHW -> logits_RBC; raises ``InvalidInput`` where patches do not tile the image."""
        channels, height, width = in_shape
        if height % self.patch or width % self.patch:
            raise InvalidInput(
                f"patch={self.patch} does not tile images of {height}x{width}; "
                f"use a divisor of both sides"
            )
        tokens = (height // self.patch) * (width // self.patch)
        return _Network(self, self.depth(architecture), replicas, channels, tokens, classes)


class _FeedForward(nn.Module):
    def __init__(self, space: Vit, replicas: int, number: int, source: int):
        super().__init__()
        hidden = space.expansion * space.width
        self.first = Linear(replicas, space.width, hidden)
        self.node = Node(number, replica_axis=0)
        self.activation = activation(space.activation)
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
        self.norm = vector_norm(space.normalization, replicas, space.width)
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


class _Network(nn.Module):
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
        self.norm = vector_norm(final, R, C)
        self.readout = Linear(R, C, classes)
        self.readout.at(source_in_degree=2, readout=True)
        self.logits = Node(number, replica_axis=0)

    def forward(self, x_BKHW: Tensor) -> Tensor:
        """Class scores of every replica."""
        x_RBCT = self.embed(x_BKHW).flatten(2).unflatten(1, (self.replicas, -1)).transpose(0, 1)
        x_RBTC = self.embedded(x_RBCT.transpose(2, 3) + self.positions[:, None])
        features_RBC = self.norm(self.blocks(x_RBTC)).mean(2)
        return torch.as_tensor(self.logits(self.readout(features_RBC)))
