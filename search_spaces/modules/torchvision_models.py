"""The space ``torchvision``: published networks by their names, as torchvision builds them."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final, Literal

from search_spaces.errors import InvalidInput
from search_spaces.graph import ArchGraph
from search_spaces.options import draw, require_choice
from search_spaces.space import Topology

if TYPE_CHECKING:
    from torch import nn

Family = Literal["resnet", "wide_resnet", "vit", "densenet", "convnext"]
RUNGS: Final[dict[str, dict[str, int]]] = {
    "resnet": {f"resnet{depth}": depth for depth in (18, 34, 50, 101, 152)},
    "wide_resnet": {"wide_resnet50_2": 50, "wide_resnet101_2": 101},
    "vit": {"vit_b_32": 0, "vit_b_16": 12, "vit_l_32": 0, "vit_l_16": 24, "vit_h_14": 32},
    "densenet": {"densenet121": 121, "densenet161": 161, "densenet169": 169, "densenet201": 201},
    "convnext": {
        "convnext_tiny": 18,
        "convnext_small": 36,
        "convnext_base": 0,
        "convnext_large": 0,
    },
}
"""Names of each family, shallow to deep, and the number that stands for each as a depth: layers in
the name, or blocks of transformers and ConvNeXts (0: of several as deep, another one stands)."""

RATES: Final = {"vit": 3e-3, "convnext": 1e-3}
"""Rates of torchvision's training recipes (AdamW), where it is not SGD's 0.1."""


@dataclass(frozen=True, kw_only=True)
class TorchvisionModels:
    """Untrained networks of one ``family`` (torchvision.models), with the data set's channels and
    classes; stochastic depth and dropout are off.

    A rung is written by its name (``resnet34``) or as ``torchvision-34``. The graph is traced for
    images of 3 x 224 x 224.
    """

    family: Family = "resnet"

    name: ClassVar[str] = "torchvision"
    version: ClassVar[int] = 1

    def __post_init__(self) -> None:
        require_choice("family", self.family, tuple(RUNGS))

    @property
    def unit(self) -> str:
        """What the numbers of the family's rungs count."""
        return "blocks" if self.family in ("vit", "convnext") else "layers"

    @property
    def published_rate(self) -> float:
        """The rate of torchvision's recipe for the family (references/classification)."""
        return RATES.get(self.family, 0.1)

    @property
    def base_architecture(self) -> str:
        """The shallowest of the family that a depth names."""
        return next(name for name, depth in RUNGS[self.family].items() if depth)

    def architectures(self, sample: int | None = None, seed: int = 0) -> list[str]:
        """The names of the family, or a seeded sample of them."""
        return draw([*RUNGS[self.family]], sample, seed)

    def parse(self, text: str) -> str:
        """The name of a network; raises ``InvalidInput`` with those there are."""
        rungs, word = RUNGS[self.family], text.strip()
        if word in rungs:
            return word
        prefix, _, number = word.rpartition("-")
        for name, depth in rungs.items():
            if prefix == self.name and depth and number == str(depth):
                return name
        depths = ", ".join(str(depth) for depth in rungs.values() if depth)
        raise InvalidInput(
            f"{text!r} is no network of torchvision's family {self.family}; write one of "
            f"{', '.join(rungs)}, or a depth of {depths}"
        )

    def canonical(self, architecture: str) -> str:
        """The network itself: no two are the same function."""
        return self.parse(architecture)

    def graph(self, architecture: str) -> ArchGraph:
        """The whole network."""
        return self.topology(architecture).network

    def topology(self, architecture: str) -> Topology:
        """The traced graph."""
        from search_spaces.modules.building import trace_architecture

        return trace_architecture(self, self.parse(architecture), (3, 224, 224), 1000).topology

    def make(self, architecture: str, in_shape: tuple[int, int, int], classes: int) -> nn.Module:
        """torchvision's module, its first layer for as many channels as the images have."""
        models = importlib.import_module("torchvision.models")
        options: dict[str, object] = {"num_classes": classes}
        channels, height, width = in_shape
        if self.family == "vit":
            if height != width:
                raise InvalidInput(f"transformers take square images, not {height} x {width}")
            options["image_size"] = height
        if self.family == "convnext":
            options["stochastic_depth_prob"] = 0.0
        module: nn.Module = models.get_model(architecture, weights=None, **options)
        if channels != 3:
            replace_first_layer(module, channels)
        return module

    def build(
        self,
        architecture: str,
        replicas: int,
        in_shape: tuple[int, int, int] = (3, 32, 32),
        classes: int = 10,
    ) -> nn.Module:
        """x_BKHW -> logits_RBC; copies run one after the other."""
        from search_spaces.modules.building import build_replicated

        return build_replicated(self, self.parse(architecture), replicas, in_shape, classes)


def replace_first_layer(module: nn.Module, channels: int) -> None:
    """Give the first convolution so many input channels."""
    from torch import nn

    for path, layer in module.named_modules():
        if isinstance(layer, nn.Conv2d):
            fresh = nn.Conv2d(
                channels,
                layer.out_channels,
                layer.kernel_size,  # type: ignore[arg-type]
                layer.stride,  # type: ignore[arg-type]
                layer.padding,  # type: ignore[arg-type]
                bias=layer.bias is not None,
            )
            module.set_submodule(path, fresh)
            return
