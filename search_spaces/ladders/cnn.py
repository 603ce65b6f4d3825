"""The plain CNN ladder: cnn-D is D equal convolutions, then a readout.

The homogeneous networks of arXiv 2510.04327, in one or two dimensions (an image is read row by row
in one). z_1 = conv(x), z_(l+1) = conv(phi(z_l)), logits = W mean(phi(z_D)) + b. Normalization
stands between a convolution and its activation.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, ClassVar, Literal

from search_spaces.graph import ArchGraph, Operation
from search_spaces.ladders.ladder import Ladder
from search_spaces.options import (
    LATER,
    CommonOptions,
    Padding,
    require_choice,
    require_odd,
)
from search_spaces.space import Topology

if TYPE_CHECKING:
    from torch import nn


@lru_cache(maxsize=4096)
def _topology(depth: int, width: int, kernel: int) -> Topology:
    first = ArchGraph.single(Operation("conv", kernel, activated=False))
    later = ArchGraph.single(Operation("conv", kernel))
    head = ArchGraph.single(Operation("linear", role="head"))
    network = ArchGraph.series([first, *[later] * (depth - 1), head])
    return Topology(network, network, 0, width, kernel, shape=f"cnn-{depth} q{kernel}")


@dataclass(frozen=True, kw_only=True)
class Cnn(CommonOptions, Ladder):
    """``dimensions`` is 2 (images) or 1 (their pixels in a row); ``kernel`` is odd. ``padding`` is
    zeros or, as in the released code of arXiv 2510.04327, circular."""

    kernel: int = 3
    dimensions: Literal[1, 2] = 2
    padding: Padding = field(default="zeros", metadata=LATER)

    name: ClassVar[str] = "cnn"
    unit: ClassVar[str] = "convolutions"
    version: ClassVar[int] = 1
    published_rate: ClassVar[float] = 0.1

    def __post_init__(self) -> None:
        super().__post_init__()
        require_odd("kernel", self.kernel)
        require_choice("dimensions", self.dimensions, (1, 2))
        require_choice("padding", self.padding, ("zeros", "circular"))

    def topology(self, architecture: str) -> Topology:
        """A chain: D convolutions and the readout."""
        return _topology(self.depth(architecture), self.width, self.kernel)

    def build(
        self,
        architecture: str,
        replicas: int,
        in_shape: tuple[int, int, int] = (3, 32, 32),
        classes: int = 10,
    ) -> nn.Module:
        """x_BKHW -> logits_RBC."""
        from search_spaces.ladders.cnn_network import CnnNetwork

        return CnnNetwork(self, self.depth(architecture), replicas, in_shape[0], classes)
