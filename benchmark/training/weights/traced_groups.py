"""The group of every parameter of a traced module, as rules speak of them.

Modules of the spaces are written for groups (``groups``). Here they follow from the trace: weights
by where their layer stands, biases by their layer, and norms and scales by the layer that they
stand behind.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final, Literal

from torch import nn

if TYPE_CHECKING:
    from search_spaces.traced import Layer, TracedNetwork

Group = Literal["input", "hidden", "readout", "vector", "outer-vector", "readout-bias"]
"""What a rule may give a rate of its own. Weights: the first layer's with learned positions, the
readout's, all between. Vectors (biases, norms' scales and shifts): those of the hidden layers,
those outside (before the first block and after the last), the readout's bias."""

BRANCH = "branch"
"""A part of the hidden weights and vectors whose factors multiply those of the group: the last
weighted layer of every residual branch."""

BIAS: Final[Mapping[Group, Group]] = {
    "input": "outer-vector",
    "hidden": "vector",
    "readout": "readout-bias",
}
NORM: Final[Mapping[Group, Group]] = {**BIAS, "readout": "outer-vector"}


def group_traced(
    module: nn.Module, traced: TracedNetwork
) -> dict[str, tuple[Group, *tuple[str, ...]]]:
    """The names by which a rule's factors may call each parameter: its group, and ``branch`` for
    the last layer of a residual branch. Parameters that are not trained are left out.

    Weights: what reads the network's input is ``input``, what makes the output ``readout``, all
    between ``hidden``. Tables that are no layer (positions) are ``input`` where they stand outside
    of the blocks. All else is a vector: a layer's bias is of its layer's part of the network; a
    norm is the blocks' where it stands among their layers or in a block (a module that holds some
    of the hidden layers, not all), else it belongs to the layer before it.
    """
    weights = {name: layer for layer in traced.layers for name in layer.parameters}
    weights_by_id = {id(module.get_parameter(name)): layer for name, layer in weights.items()}
    groups = _Modules(module, traced)
    found: dict[str, tuple[Group, *tuple[str, ...]]] = {}
    for name, parameter in module.named_parameters():
        if not parameter.requires_grad:
            continue
        layer = weights_by_id.get(id(parameter))
        owner = name.rpartition(".")[0]
        if layer is not None:
            group = group_of(layer)
        elif owner in groups.layers:
            layer = groups.layers[owner][-1]
            group = BIAS[group_of(layer)]
        else:
            table = sum(size > 1 for size in parameter.shape) > 1
            group = "input" if table and not groups.in_block(owner) else groups.find_norm(owner)
        found[name] = (group, BRANCH) if layer is not None and layer.branch else (group,)
    return found


def group_of(layer: Layer) -> Group:
    """The group of a layer's weights."""
    if layer.readout:
        return "readout"
    return "input" if any(use.source == 0 for use in layer.uses) else "hidden"


class _Modules:
    """Where modules stand among the layers: ``layers`` by the path of the module that owns them."""

    def __init__(self, module: nn.Module, traced: TracedNetwork) -> None:
        self.module = module
        self.layers: dict[str, list[Layer]] = {}
        for layer in traced.layers:
            self.layers.setdefault(layer.module, []).append(layer)
        self.hidden = {path for path, held in self.layers.items() if group_of(held[0]) == "hidden"}

    def held(self, path: str) -> set[str]:
        """The owners of layers that are in the module of this path."""
        return {each for each in self.layers if not path or f"{each}.".startswith(f"{path}.")}

    def in_block(self, path: str) -> bool:
        """Whether a module holds hidden layers, and not all of them."""
        return bool(self.held(path) & self.hidden) and not self.hidden <= self.held(path)

    def find_norm(self, path: str) -> Group:
        """The group of the vectors of a module that owns no layer."""
        before = ""
        while path and not self.held(path):
            path, _, name = path.rpartition(".")
            earlier = []
            for child, _ in self.module.get_submodule(path).named_children():
                if child == name:
                    break
                earlier.append(f"{path}.{child}".removeprefix("."))
            before = next((each for each in reversed(earlier) if self.held(each)), "")
        flat = any(each.rpartition(".")[0] == path for each in self.hidden)
        if before in self.layers and not flat:
            return NORM[group_of(self.layers[before][-1])]
        return "vector" if flat or self.in_block(path) else "outer-vector"
