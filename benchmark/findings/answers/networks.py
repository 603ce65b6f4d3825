"""What the networks of a part are called in a sentence, and what their depths count."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from search_spaces.registry import find_unit

NETWORKS: Final[Mapping[str, str]] = {
    "nasbench201": "NAS-Bench-201 cells",
    "dag-mlp": "DAGs of linear layers",
    "dag-cnn": "DAGs of convolutions",
    "mlp": "MLPs",
    "cnn": "CNNs",
    "resnet": "residual nets",
    "vit": "vision transformers",
}
"""What the networks of a space are called in a sentence; those of another, by its name."""
FAMILIES: Final[Mapping[str, str]] = {
    "resnet": "ResNets",
    "wide_resnet": "Wide ResNets",
    "vit": "vision transformers",
    "densenet": "DenseNets",
    "convnext": "ConvNeXts",
}
"""What torchvision's families are called."""


def name_networks(space: str, options: Mapping[str, Any]) -> str:
    """What the networks of a part are called in a sentence."""
    if space == "torchvision":
        return f"torchvision's {FAMILIES[options.get('family', 'resnet')]}"
    if space == "module":
        return f"networks of {options['factory']}" if "factory" in options else "networks"
    return NETWORKS.get(space, f"{space} networks")


def count_rungs(part: Mapping[str, Any]) -> str:
    """The shallowest and the deepest rung of a part, and what their numbers count."""
    return tell_unit(part, f"{min(part['depths'])} to {max(part['depths'])}")


def list_rungs(part: Mapping[str, Any]) -> str:
    """All rungs of a part, and what their numbers count."""
    return tell_unit(part, ", ".join(map(str, part["depths"])))


def tell_unit(part: Mapping[str, Any], numbers: str) -> str:
    """Numbers of rungs with what they count."""
    unit = find_unit(part["space"], part.get("options", {}))
    return f"{numbers} {unit}" if unit else f"depth {numbers}"
