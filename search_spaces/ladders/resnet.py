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
from typing import TYPE_CHECKING, ClassVar, Literal

from search_spaces.errors import InvalidInput
from search_spaces.ladders.ladder import Ladder
from search_spaces.ladders.resnet_graph import KERNELS, BlockName, make_resnet_topology
from search_spaces.options import LATER, CommonOptions, Padding, require_choice
from search_spaces.space import Topology

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True, kw_only=True)
class ResNet(CommonOptions, Ladder):
    """``width`` is n, of the first stage where there are stages."""

    block: BlockName = "one-conv"
    stages: Literal["homogeneous", "cifar"] = "homogeneous"
    padding: Padding = field(default="zeros", metadata=LATER)

    name: ClassVar[str] = "resnet"
    version: ClassVar[int] = 1
    published_rate: ClassVar[float] = 0.1

    def __post_init__(self) -> None:
        super().__post_init__()
        require_choice("block", self.block, tuple(KERNELS))
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
        return make_resnet_topology(self.depth(architecture), self.width, self.block, self.stages)

    def build(
        self,
        architecture: str,
        replicas: int,
        in_shape: tuple[int, int, int] = (3, 32, 32),
        classes: int = 10,
    ) -> nn.Module:
        """x_BKHW -> logits_RBC."""
        from search_spaces.ladders.resnet_network import PostActivationNetwork, ResNetNetwork

        blocks, inputs = self.depth(architecture), in_shape[0]
        if self.block == "post-activation":
            return PostActivationNetwork(self, blocks, replicas, inputs, classes)
        return ResNetNetwork(self, blocks, replicas, inputs, classes)
