"""Weight normalization: a layer whose weight is a direction of unit norm times a magnitude.

w = g v / |v| (Salimans and Kingma, arXiv 1602.07868, eq. 2), the norm over all axes but one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrizations, parametrize
from torch.nn.utils.weight_norm import WeightNorm as WeightNormHook

if TYPE_CHECKING:
    from search_spaces.traced.network import Layer


@dataclass(frozen=True)
class WeightNorm:
    """Names of the parameters v (``direction``) and g (``magnitude``) of one weight.

    The norm is over all axes but ``dim``, and over all of them where that is -1.
    """

    direction: str
    magnitude: str
    dim: int

    def measure_magnitude(self, weight: Tensor) -> Tensor:
        """The g with which v = ``weight`` has the weight ``weight``."""
        return torch.norm_except_dim(weight, 2, self.dim)


def find_weight_norms(module: nn.Module) -> tuple[WeightNorm, ...]:
    """Every weight under weight normalization: torch's parametrization, alone on its tensor, and
    the older ``torch.nn.utils.weight_norm``."""
    found = []
    for path, each in module.named_modules():
        prefix = f"{path}." if path else ""
        if parametrize.is_parametrized(each):
            assert isinstance(each.parametrizations, nn.ModuleDict)
            for name, chain in each.parametrizations.items():
                first = next(iter(chain.children()))
                if (
                    isinstance(first, parametrizations._WeightNorm)
                    and len([*chain.children()]) == 1
                ):
                    held = f"{prefix}parametrizations.{name}.original"
                    found.append(WeightNorm(f"{held}1", f"{held}0", get_dim(first.dim)))
        for hook in each._forward_pre_hooks.values():
            if isinstance(hook, WeightNormHook):
                held = f"{prefix}{hook.name}_"
                found.append(WeightNorm(f"{held}v", f"{held}g", get_dim(hook.dim)))
    return tuple(found)


def get_dim(dim: int | None) -> int:
    """``dim`` as ``torch.norm_except_dim`` takes it."""
    return -1 if dim is None else dim


def explain_computed(layers: Iterable[Layer], norms: Iterable[WeightNorm]) -> str:
    """Why no initialization can be drawn for some layer: its weight is computed from parameters in
    another way than by weight normalization. Empty where none is."""
    known = {frozenset((norm.direction, norm.magnitude)) for norm in norms}
    for layer in layers:
        if layer.computed and frozenset(layer.parameters) not in known:
            return (
                f"the weight of {layer.module or layer.parameters[0]} is computed from "
                f"{', '.join(layer.parameters)}, so that no initialization can give it its "
                "variance; use a layer that holds its weight itself"
            )
    return ""
