"""The parameters of R copies of a module, with what initializations need to know of layers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from search_spaces.layers import Weighted
from search_spaces.traced.weight_norm import WeightNorm, find_weight_norms

if TYPE_CHECKING:
    from search_spaces.traced import Layer, TracedNetwork


class TracedWeight(Weighted):
    """The weights of one traced layer, R first; ``Weighted`` without a forward pass of its own.

    Weights and biases are zeros, as those of every ``Weighted``: the factory's numbers are random.
    """

    def __init__(self, replicas: int, weight: Tensor, bias: Tensor | None, layer: Layer) -> None:
        with torch.device(weight.device):
            super().__init__(replicas, tuple(weight.shape), bias=False)
        self.weight.requires_grad_(weight.requires_grad)
        self.bias = None if bias is None else repeat_parameter(zero(bias), replicas)
        self.layer, self.fan_in = layer, layer.fan_in
        self.scaled: tuple[WeightNorm, Held] | None = None  # the magnitude is no part of this
        self.at(
            source_in_degree=layer.source_in_degree,
            target_in_degree=layer.target_in_degree,
            branch=layer.branch,
            readout=layer.readout,
            reads_images=any(use.source == 0 for use in layer.uses),
        )

    @property
    def fan_out(self) -> int:
        """As the trace counts it."""
        return self.layer.fan_out

    def set_weight(self, index: int, value: Tensor) -> None:
        """Give one replica this weight; under weight normalization, by direction and magnitude."""
        super().set_weight(index, value)
        if self.scaled is not None:
            norm, magnitude = self.scaled
            magnitude.weight[index] = norm.measure_magnitude(self.weight[index])


class Held(nn.Module):
    """A parameter of no layer (of a norm, a scale, positions), R first; no initialization draws it,
    so it starts as the module's factory made it."""

    def __init__(self, replicas: int, weight: Tensor) -> None:
        super().__init__()
        self.weight = repeat_parameter(weight, replicas)


class HeldParameters(nn.ModuleList):
    """Weights of layers and all other parameters of ``module``, in the module's order.

    ``places`` has, by a parameter's name, the number of what holds it and the name there. A layer's
    bias stands beside its weight; a bias that belongs to no single weight is held as zeros.
    """

    def __init__(self, module: nn.Module, traced: TracedNetwork, replicas: int) -> None:
        super().__init__()
        self.places: dict[str, tuple[int, str]] = {}
        found = dict(module.named_parameters())
        norms = find_weight_norms(module)
        layers = find_layers(module, traced)
        for norm in norms:
            layers.pop(norm.magnitude, None)
        biases = pair_biases(found, layers)
        owners = {layer.module for layer in layers.values()}
        for name, parameter in found.items():
            number, layer = len(self), layers.get(name)
            owner, _, own = name.rpartition(".")
            if layer is not None:
                bias = biases.get(name)
                value = None if bias is None else found[bias]
                self.append(TracedWeight(replicas, parameter, value, layer))
                if bias is not None:
                    self.places[bias] = (number, "bias")
            elif name in biases.values():
                continue
            else:
                zeros = owner in owners and own.endswith("bias")
                self.append(Held(replicas, zero(parameter) if zeros else parameter))
            self.places[name] = (number, "weight")
        for norm in norms:
            direction, magnitude = (
                self._modules[str(self.places[n][0])] for n in (norm.direction, norm.magnitude)
            )
            if isinstance(direction, TracedWeight) and isinstance(magnitude, Held):
                direction.scaled = (norm, magnitude)

    def __getitem__(self, name: str) -> nn.Parameter:  # type: ignore[override]
        """The parameter of that name, R first."""
        number, own = self.places[name]
        parameter: nn.Parameter = getattr(self._modules[str(number)], own)
        return parameter


def find_layers(module: nn.Module, traced: TracedNetwork) -> dict[str, Layer]:
    """The traced layer of each weight, by the weight's first name in the module."""
    first = {id(parameter): name for name, parameter in module.named_parameters()}
    return {
        first[id(module.get_parameter(name))]: layer
        for layer in traced.layers
        for name in layer.parameters
    }


def pair_biases(names: Mapping[str, object], layers: Mapping[str, Layer]) -> dict[str, str]:
    """The bias of each weight: of the same name but for its end, else the next of its module."""
    found: dict[str, str] = {}
    free = [name for name in names if name.endswith("bias") and name not in layers]
    for name, layer in layers.items():
        same = f"{name.removesuffix('weight')}bias"
        owned = [each for each in free if each.rpartition(".")[0] == layer.module]
        bias = same if same in owned else next(iter(owned), None)
        if bias is not None:
            free.remove(bias)
            found[name] = bias
    return found


def repeat_tensor(value: Tensor, replicas: int) -> Tensor:
    """``value`` once per replica, R first, in memory of its own."""
    return value.detach().unsqueeze(0).repeat(replicas, *(1,) * value.dim())


def repeat_parameter(value: Tensor, replicas: int) -> nn.Parameter:
    """A parameter R first, trained where ``value`` is."""
    return nn.Parameter(repeat_tensor(value, replicas), requires_grad=value.requires_grad)


def zero(parameter: Tensor) -> Tensor:
    """Zeros in the shape of a parameter, trained where it is."""
    return torch.zeros_like(parameter).requires_grad_(parameter.requires_grad)
