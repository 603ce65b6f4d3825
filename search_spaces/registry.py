"""The registry of search spaces: one line per space, and those that other packages install."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from typing import Any, Final, get_type_hints

from search_spaces.dag.space import DagCnn, DagMlp
from search_spaces.errors import InvalidInput
from search_spaces.ladders.cnn import Cnn
from search_spaces.ladders.mlp import Mlp
from search_spaces.ladders.resnet import ResNet
from search_spaces.ladders.vit import Vit
from search_spaces.modules.factory import FactoryModules
from search_spaces.modules.torchvision_models import TorchvisionModels
from search_spaces.nasbench201.space import NasBench201
from search_spaces.plug_ins import PlugIn, sort_plug_ins
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


GROUP: Final = "search_spaces.spaces"
"""Entry points of spaces: ``NAME = package.module:CLASS``, a frozen dataclass of that name."""


def names() -> tuple[str, ...]:
    """The names that ``create`` takes."""
    return (*SPACES, *list_installed()[0])


@cache
def list_installed() -> tuple[dict[str, Callable[..., SearchSpace]], dict[str, str]]:
    """The spaces of other packages, and by name what is wrong with those that cannot be had."""
    return sort_plug_ins(GROUP, "space", SPACES, explain_no_space)


def explain_no_space(given: PlugIn) -> str:
    """What an entry point is instead of a space; "" where it is one."""
    right = isinstance(given.value, type) and is_dataclass(given.value)
    if right and getattr(given.value, "name", "") == given.name:
        return ""
    return "no dataclass with that name as its name"


def find_space(name: str) -> Any:
    """The dataclass of a space.

    Raises ``InvalidInput`` with the names there are, or with what is wrong with the package that
    has it.
    """
    installed, problems = list_installed()
    if name in problems:
        raise InvalidInput(problems[name])
    if name not in names():
        raise InvalidInput(f"unknown space {name!r}; choose one of {', '.join(names())}")
    return SPACES[name] if name in SPACES else installed[name]


def find_unit(name: str, options: Mapping[str, object]) -> str:
    """What the depths of a ladder count, such as "blocks"; "" where the space does not say, or is
    not installed here."""
    try:
        return str(getattr(create(name, **options), "unit", ""))
    except InvalidInput:
        return ""


LAST = ("activation", "normalization", "dropout")


def option_names(name: str) -> tuple[str, ...]:
    """The options of a space: its own, and last those that most spaces share.

    Ids of stored results hold options in this order, wherever the fields are defined.
    """
    found = [field.name for field in fields(find_space(name))]
    return (*(n for n in found if n not in LAST), *(n for n in LAST if n in found))


def identify_options(name: str, space: SearchSpace) -> tuple[tuple[str, Any], ...]:
    """The options that a space's results are identified by, in the order of ``option_names``.

    An option that came later (``search_spaces.options.LATER``) is among them only where it is set,
    so that networks without it keep their identity.
    """
    defaults = {
        field.name: field.default for field in fields(find_space(name)) if "later" in field.metadata
    }
    values = ((option, getattr(space, option)) for option in option_names(name))
    return tuple((o, value) for o, value in values if o not in defaults or value != defaults[o])


@cache
def option_types(name: str) -> dict[str, Any]:
    """The declared type of every option of a space, in the order of ``option_names``.

    Raises ``InvalidInput`` for an unknown space.
    """
    there = option_names(name)
    hints = get_type_hints(find_space(name))
    return {option: hints[option] for option in there}


def create(name: str, **options: object) -> SearchSpace:
    """The space of that name; ``InvalidInput`` lists the names or options there are."""
    there = option_names(name)
    for option in options:
        if option not in there:
            raise InvalidInput(
                f"unknown option {option!r} of space {name!r}; choose from {', '.join(there)}"
            )
    space: SearchSpace = find_space(name)(**options)
    return space
