"""The places where a module holds its tensors, and other tensors in them for a while."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from torch import Tensor, nn

Place = tuple[dict[str, Any], str]
"""A module's own table of parameters or buffers, and a name in it."""


class Slots:
    """Every place of each parameter and buffer of ``module``, by its first name.

    Places are found by identity, so that a tensor under two names (tied weights, a module used
    twice) is one.
    """

    def __init__(self, module: nn.Module) -> None:
        self.parameters = find_places(module, lambda each: each._parameters)
        self.buffers = find_places(module, lambda each: each._buffers)

    @contextmanager
    def holding(
        self, parameters: Mapping[str, Tensor], buffers: Mapping[str, Tensor]
    ) -> Iterator[None]:
        """The module runs on these tensors, by name. A buffer that its code replaces in place of
        writing to it is copied to the one that was given."""
        before: list[tuple[Place, Any]] = []
        for table, given in ((self.parameters, parameters), (self.buffers, buffers)):
            for name, value in given.items():
                before += [(place, put(place, value)) for place in table[name]]
        try:
            yield
            for name, value in buffers.items():
                held, own = self.buffers[name][0]
                if held[own] is not value:
                    value.copy_(held[own].detach())
        finally:
            for place, value in before:
                put(place, value)


def put(place: Place, value: Any) -> Any:
    """Put a tensor in a place; returns what was there."""
    table, name = place
    before, table[name] = table[name], value
    return before


def find_places(
    module: nn.Module, table_of: Callable[[nn.Module], dict[str, Any]]
) -> dict[str, Sequence[Place]]:
    """The places of each tensor in the tables of a module and those inside it."""
    names: dict[int, str] = {}
    found: dict[str, list[Place]] = {}
    for path, each in module.named_modules():
        for own, value in table_of(each).items():
            if value is not None:
                name = names.setdefault(id(value), f"{path}.{own}".removeprefix("."))
                found.setdefault(name, []).append((table_of(each), own))
    return dict(found)
