"""The vision transformer ladder: vit-K is a patch embedding, K blocks and a readout.

A block is attention and then a two-layer feed-forward net, each with its own residual addition:
pre-LN x + a f(norm(x)), post-LN norm(x + a f(x)), with a the branch multiplier (Xiong et al.,
arXiv 2002.04745). LayerScale multiplies every branch by a trained vector (CaiT, arXiv 2103.17239).
Learned positions start at zero and the readout reads the mean token. Shapes: x_RBTC, T tokens.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, ClassVar, Literal

from search_spaces.errors import InvalidInput
from search_spaces.graph import ArchGraph, Edge, Operation
from search_spaces.ladders.ladder import Ladder
from search_spaces.options import (
    Activation,
    CommonOptions,
    Normalization,
    require_choice,
    require_positive,
)
from search_spaces.space import Topology

if TYPE_CHECKING:
    from torch import nn


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
        from search_spaces.ladders.vit_network import VitNetwork

        channels, height, width = in_shape
        if height % self.patch or width % self.patch:
            raise InvalidInput(
                f"patch={self.patch} does not tile images of {height}x{width}; "
                f"use a divisor of both sides"
            )
        tokens = (height // self.patch) * (width // self.patch)
        return VitNetwork(self, self.depth(architecture), replicas, channels, tokens, classes)
