"""The groups of parameters to which a rule may give rates of their own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod

from torch import nn

from benchmark.training.weights.traced_groups import BRANCH, Group, group_traced
from search_spaces.layers import Weighted
from search_spaces.modules.replicated import Replicated

__all__ = ["BRANCH", "Group", "branch_ends", "factors_by_parameter", "group_parameters"]


def group_parameters(module: nn.Module) -> dict[nn.Parameter, Group]:
    """The group of every parameter; the first weighted layer reads the images, and so do those
    that say so.

    A vector is a hidden layer's where the module's child that holds it has hidden weights too.
    Copies of a plain module have the groups of its trace (``group_traced``).
    """
    if isinstance(module, Replicated):
        groups = group_traced(module.module, module.traced)
        names = module.parameter_names()
        return {p: groups[name][0] for p, name in names.items() if name in groups}
    layers = [layer for layer in module.modules() if isinstance(layer, Weighted)]
    known: dict[nn.Parameter, Group] = {}
    for number, layer in enumerate(layers):
        first = number == 0 or layer.reads_images
        known[layer.weight] = "readout" if layer.readout else "input" if first else "hidden"
        if layer.readout and layer.bias is not None:
            known[layer.bias] = "readout-bias"
    found: dict[nn.Parameter, Group] = {}
    for child in (module, *module.children()):
        own = list(child.parameters(recurse=child is not module))
        inner = "hidden" in {known.get(parameter) for parameter in own}
        for parameter in own:
            table = child is module and parameter.dim() > 2  # positions: a vector per token
            vector: Group = "input" if table else "vector" if inner else "outer-vector"
            found[parameter] = known.get(parameter, vector)
    return found


def branch_ends(module: nn.Module) -> set[nn.Parameter]:
    """The parameters of the last weighted layer of every residual branch (``BRANCH``)."""
    ends = [layer for layer in module.modules() if isinstance(layer, Weighted) and layer.branch]
    return {parameter for layer in ends for parameter in layer.parameters(recurse=False)}


def factors_by_parameter(
    module: nn.Module, factors: Sequence[Mapping[str, float]], of: str = ""
) -> dict[nn.Parameter, list[float]]:
    """What every replica's factors multiply each parameter's rate by.

    ``of`` ends the factors' names: nothing for rates, ``-decay`` or ``-epsilon``.
    """
    ends = branch_ends(module)
    kinds = group_parameters(module)
    names = {p: (kind, BRANCH) if p in ends else (kind,) for p, kind in kinds.items()}
    return {
        parameter: [prod(each.get(f"{name}{of}", 1.0) for name in held) for each in factors]
        for parameter, held in names.items()
    }
