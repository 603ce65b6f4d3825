"""The registry of search spaces: one line per space."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from functools import cache
from typing import Any, get_type_hints

from search_spaces.dag.space import DagCnn, DagMlp
from search_spaces.errors import InvalidInput
from search_spaces.ladders.cnn import Cnn
from search_spaces.ladders.mlp import Mlp
from search_spaces.ladders.resnet import ResNet
from search_spaces.ladders.vit import Vit
from search_spaces.modules.factory import FactoryModules
from search_spaces.modules.torchvision_models import TorchvisionModels
from search_spaces.nasbench201.space import NasBench201
from search_spaces.space import SearchSpace

SPACES: dict[str, Callable[..., SearchSpace]] = {
    "nasbench201": NasBench201,
    "dag-mlp": DagMlp,
    "dag-cnn": DagCnn,
    "mlp": Mlp,
    "cnn": Cnn,
    "resnet": ResNet,
    "vit": Vit,
    "torchvision": TorchvisionModels,
    "module": FactoryModules,
}


def names() -> tuple[str, ...]:
    """The names that ``create`` takes."""
    return tuple(SPACES)


LAST = ("activation", "normalization", "dropout")


def option_names(name: str) -> tuple[str, ...]:
    """The options of a space: its own, and last those that most spaces share.

    Ids of stored results hold options in this order, wherever the fields are defined.
    """
    _require_space(name)
    found = [field.name for field in fields(SPACES[name])]  # type: ignore[arg-type]
    return (*(n for n in found if n not in LAST), *(n for n in LAST if n in found))


def identify_options(name: str, space: SearchSpace) -> tuple[tuple[str, Any], ...]:
    """The options that a space's results are identified by, in the order of ``option_names``.

    An option that came later (``search_spaces.options.LATER``) is among them only where it is set,
    so that networks without it keep their identity.
    """
    defaults = {
        field.name: field.default
        for field in fields(SPACES[name])  # type: ignore[arg-type]
        if "later" in field.metadata
    }
    values = ((option, getattr(space, option)) for option in option_names(name))
    return tuple((o, value) for o, value in values if o not in defaults or value != defaults[o])


@cache
def option_types(name: str) -> dict[str, Any]:
    """The declared type of every option of a space, in the order of ``option_names``.

    Raises ``InvalidInput`` for an unknown space.
    """
    there = option_names(name)
    hints = get_type_hints(SPACES[name])
    return {option: hints[option] for option in there}


def create(name: str, **options: object) -> SearchSpace:
    """The space of that name; ``InvalidInput`` lists the names or options there are."""
    there = option_names(name)
    for option in options:
        if option not in there:
            raise InvalidInput(
                f"unknown option {option!r} of space {name!r}; choose from {', '.join(there)}"
            )
    return SPACES[name](**options)


def _require_space(name: str) -> None:
    if name not in SPACES:
        raise InvalidInput(f"unknown space {name!r}; choose one of {', '.join(SPACES)}")
