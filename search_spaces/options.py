"""The options that spaces share: activation, normalization, and how a wrong value is reported."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

from search_spaces.errors import InvalidInput

Activation = Literal["relu", "gelu"]
Normalization = Literal["none", "bn", "ln"]
Padding = Literal["zeros", "circular"]

LATER = {"later": True}
"""Metadata of an option that a space did not always have: it identifies results only where set."""

_Item = TypeVar("_Item")


def require_choice(field: str, value: object, choices: Sequence[object]) -> None:
    """Raise ``InvalidInput`` unless ``value`` is one of ``choices``."""
    if value not in choices:
        listed = ", ".join(repr(choice) for choice in choices)
        raise InvalidInput(f"{field}={value!r} is not an option; choose one of {listed}")


def require_positive(field: str, value: int) -> None:
    """Raise ``InvalidInput`` unless ``value`` is a whole number of 1 or more."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise InvalidInput(f"{field}={value!r} is not a whole number of 1 or more")


def require_share(field: str, value: float) -> None:
    """Raise ``InvalidInput`` unless ``value`` lies in [0, 1)."""
    if not 0 <= value < 1:
        raise InvalidInput(f"{field}={value!r} is not in [0, 1); give the share of units to drop")


def draw(items: Sequence[_Item], sample: int | None, seed: int) -> list[_Item]:
    """``sample`` of the items without replacement, uniformly, in their own order; None for all.

    Drawn by Python's own generator, whose stream is the same on every machine. Raises
    ``InvalidInput`` where there are fewer items.
    """
    if sample is None:
        return list(items)
    require_positive("sample", sample)
    if sample > len(items):
        raise InvalidInput(f"sample={sample} is more than the {len(items)} there are")
    chosen = random.Random(seed).sample(range(len(items)), sample)
    return [items[position] for position in sorted(chosen)]


@dataclass(frozen=True, kw_only=True)
class CommonOptions:
    """The fields that every ladder and DAG has; raises ``InvalidInput`` for one that is wrong."""

    width: int = 64
    activation: Activation = "relu"
    normalization: Normalization = "none"
    dropout: float = 0.0

    def __post_init__(self) -> None:
        require_positive("width", self.width)
        require_choice("activation", self.activation, ("relu", "gelu"))
        require_choice("normalization", self.normalization, ("none", "bn", "ln"))
        require_share("dropout", self.dropout)


def require_odd(field: str, value: int) -> None:
    """Raise ``InvalidInput`` unless ``value`` is an odd number of 1 or more."""
    require_positive(field, value)
    if value % 2 == 0:
        raise InvalidInput(f"{field}={value} is even; zero padding keeps sizes for odd sides only")
