"""From what a person types to a module: ``torchvision:resnet50``, ``timm:vit_tiny_patch16_224``,
``package.module:factory?depth=24``."""

from __future__ import annotations

import ast
import contextlib
import difflib
import importlib
import inspect
import re
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import get_args

import torch
from torch import Tensor, nn

from search_spaces.errors import InvalidInput
from search_spaces.graph import Role
from search_spaces.traced.network import TracedNetwork
from search_spaces.traced.reading.program import NotExportable, first_reason
from search_spaces.traced.trace import graph_of

BATCH = 2
"""Images or sequences in an example input: two, so that the batch is told from an axis of one."""

_FORM = re.compile(
    r"(?P<source>[A-Za-z_][\w.]*):(?P<factory>[A-Za-z_][\w.]*)(?:\?(?P<options>.*))?"
)
Build = Callable[[], nn.Module]


@dataclass(frozen=True)
class Target:
    """A network by name: ``build`` makes it anew, ``shape`` is the input's that it is known by."""

    name: str
    build: Build
    shape: str | None


def is_target(text: str) -> bool:
    """Whether ``text`` names a network of another package, and no architecture of a space."""
    return _FORM.fullmatch(text.strip()) is not None


def find_target(text: str) -> Target:
    """The network that ``text`` names; ``InvalidInput`` says what is missing or unknown."""
    match = _FORM.fullmatch(text.strip())
    if match is None:
        raise InvalidInput(
            f"{text!r} names no network; write torchvision:resnet50, timm:NAME or "
            "package.module:factory?depth=24"
        )
    source, factory = match["source"], match["factory"]
    options = _options(match["options"] or "")
    if source == "torchvision":
        return _torchvision(text, factory, options)
    if source == "timm":
        return _timm(text, factory, options)
    module = _import(source, f"there is no module {source!r} to import {factory!r} from")
    made: object = module
    for part in factory.split("."):
        made = getattr(made, part, None)
    if not callable(made):
        raise InvalidInput(f"module {source} has no function or class {factory!r}")
    return Target(text, lambda: made(**options), None)


def trace_target(
    text: str, shape: str | None = None, roles: Mapping[str, Role] | None = None
) -> TracedNetwork:
    """Trace the network that ``text`` names for inputs of ``shape``.

    ``shape`` reads ``3x224x224``, ``tokens:128`` for token numbers, or several with commas; None
    is the network's published one. The module is made without numbers (on the meta device) where
    its code allows that, else on the CPU.
    """
    target = find_target(text)
    given = shape or target.shape
    if given is None:
        raise InvalidInput(f"say which input {target.name} takes, such as --input 3x224x224")
    sizes = parse_input(given)
    failure: NotExportable | None = None
    for device in ("meta", "cpu"):
        try:
            module = _build(target, device)
            inputs = [_example(size, kind, device) for size, kind in sizes]
            return graph_of(module, inputs, name=target.name, roles=roles)
        except NotExportable as error:
            failure = error
    assert failure is not None
    raise failure


def parse_input(text: str) -> list[tuple[tuple[int, ...], torch.dtype]]:
    """(sizes without the batch, number type) of each input in ``3x224x224,tokens:77``."""
    found = []
    for part in text.split(","):
        match = re.fullmatch(r"\s*(tokens:)?([0-9]{1,6}(?:x[0-9]{1,6})*)\s*", part)
        if match is None or not all(map(int, match[2].split("x"))):
            raise InvalidInput(
                f"input {part!r} is no shape; write channels x height x width, such as 3x224x224, "
                "or tokens:128"
            )
        sizes = tuple(map(int, match[2].split("x")))
        found.append((sizes, torch.long if match[1] else torch.float32))
    return found


def read_roles(pairs: Sequence[str]) -> dict[str, Role]:
    """Roles written ``LAYER=ROLE``."""
    found: dict[str, Role] = {}
    for pair in pairs:
        layer, equals, role = pair.rpartition("=")
        known = next((each for each in get_args(Role) if each == role), None)
        if not equals or known is None:
            raise InvalidInput(
                f"role {pair!r} must read LAYER=ROLE, such as layer1.0.conv1=body, with a role of "
                f"{', '.join(get_args(Role))}"
            )
        found[layer] = known
    return found


def _example(sizes: tuple[int, ...], kind: torch.dtype, device: str) -> Tensor:
    return torch.zeros(BATCH, *sizes, dtype=kind, device=device)


def _build(target: Target, device: str) -> nn.Module:
    try:
        with torch.device(device), _quiet():
            module = target.build()
    except (Exception, SystemExit) as failure:  # some code ends its process on what it dislikes
        raise NotExportable(f"{target.name} cannot be built: {first_reason(failure)}") from failure
    if not isinstance(module, nn.Module):
        raise InvalidInput(f"{target.name} gives a {type(module).__name__}, not a torch module")
    return module


def _torchvision(text: str, name: str, options: dict[str, object]) -> Target:
    models = importlib.import_module("torchvision.models")
    _require_known("torchvision", name, models.list_models())
    taken = inspect.signature(models.get_model_builder(name)).parameters
    untrained = {word: None for word in ("weights", "weights_backbone") if word in taken}
    return Target(text, lambda: models.get_model(name, **{**untrained, **options}), "3x224x224")


def _timm(text: str, name: str, options: dict[str, object]) -> Target:
    with _quiet():
        timm = _import("timm", "timm is not installed; pip install timm")
    _require_known("timm", name, timm.list_models())
    published = timm.get_pretrained_cfg(name)
    shape = "x".join(map(str, published.input_size)) if published else None
    return Target(text, lambda: timm.create_model(name, **options), shape)


def _require_known(package: str, name: str, known: Sequence[str]) -> None:
    if name not in known:
        near = difflib.get_close_matches(name, known, n=3)
        did_you_mean = f"; did you mean {', '.join(near)}?" if near else ""
        raise InvalidInput(f"{package} has no model {name!r}{did_you_mean}")


def _import(name: str, missing: str) -> ModuleType:
    """A module of that name; ``missing`` is what to say where there is none."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is not None and name.startswith(error.name):
            raise InvalidInput(missing) from error
        raise InvalidInput(f"{name} needs {error.name}, which is not installed") from error
    except Exception as error:  # whatever its code raises
        raise InvalidInput(f"{name} cannot be imported: {first_reason(error)}") from error


def _options(text: str) -> dict[str, object]:
    """``depth=24&width=8`` as keyword arguments: Python's literals, else words."""
    found: dict[str, object] = {}
    for pair in filter(None, text.split("&")):
        key, equals, value = pair.partition("=")
        if not equals or not key.isidentifier():
            raise InvalidInput(f"option {pair!r} must read KEY=VALUE, such as depth=24")
        try:
            found[key] = ast.literal_eval(value)
        except (ValueError, SyntaxError):
            found[key] = {"true": True, "false": False}.get(value, value)
    return found


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Other packages' warnings about themselves are not about what was asked."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
