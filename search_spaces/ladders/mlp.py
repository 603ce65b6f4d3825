"""The plain MLP ladder: mlp-D is D hidden layers of one width, then a readout.

The networks of arXiv 2402.17440: z_1 = W x, z_(l+1) = W phi(z_l), logits = W phi(z_D) + b, so that
mlp-1 is the paper's base (input, one hidden layer, output). Hidden layers have no bias, as in the
theory. Normalization stands between a layer and its activation.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, ClassVar

from search_spaces.graph import ArchGraph, Operation
from search_spaces.ladders.ladder import Ladder
from search_spaces.options import CommonOptions
from search_spaces.space import Topology

if TYPE_CHECKING:
    from torch import nn


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
    unit: ClassVar[str] = "hidden layers"
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
        from search_spaces.ladders.mlp_network import MlpNetwork

        channels, height, width = in_shape
        inputs = channels * height * width
        return MlpNetwork(self, self.depth(architecture), replicas, inputs, classes)
