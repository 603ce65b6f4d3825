"""From a factory to its graph and its replicas: made, traced once, and copied."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import lru_cache
from typing import Protocol

import torch
from torch import nn

from search_spaces.errors import InvalidInput
from search_spaces.modules.replicated import Replicated
from search_spaces.traced import TracedNetwork, graph_of

Shape = tuple[int, int, int]
BATCH = 2
"""Images in an example input: two, so that the batch is told from an axis of one."""


class ModuleSpace(Protocol):
    """A hashable space that makes a plain module of an architecture."""

    def __hash__(self) -> int: ...

    def make(self, architecture: str, in_shape: Shape, classes: int) -> nn.Module:
        """Images (B, *in_shape) to class scores (B, classes)."""
        ...


def make_module(
    space: ModuleSpace, architecture: str, in_shape: Shape, classes: int, device: str
) -> nn.Module:
    """The module on a device: ``meta`` has no numbers, ``cpu`` those that torch draws under seed 0,
    whatever was drawn before.

    Raises ``InvalidInput`` where the factory fails, with its reason.
    """
    try:
        with (
            torch.random.fork_rng([]),
            torch.device(device),
            warnings.catch_warnings(),
        ):
            warnings.simplefilter("ignore")  # other packages' words about themselves
            torch.manual_seed(0)
            module: object = space.make(architecture, in_shape, classes)
    except InvalidInput:
        raise
    except (Exception, SystemExit) as failure:  # some code ends its process on what it dislikes
        reason = " ".join(str(failure).split("\n")[:1]).rstrip(".") or type(failure).__name__
        raise InvalidInput(f"{architecture} cannot be built: {reason}") from failure
    if not isinstance(module, nn.Module):
        raise InvalidInput(f"{architecture} is a {type(module).__name__}, not a torch module")
    return module


def on_meta(make: Callable[[str], nn.Module]) -> nn.Module:
    """A module without numbers: made so where its code allows that, else made and emptied."""
    try:
        return make("meta")
    except InvalidInput:
        return make("cpu").to("meta")


@lru_cache(maxsize=1024)
def trace_architecture(
    space: ModuleSpace, architecture: str, in_shape: Shape, classes: int
) -> TracedNetwork:
    """The graph and layers of an architecture for such images; traced once in a process.

    Raises ``InvalidInput`` where the module is not built, not exported or of no rule.
    """
    module = on_meta(lambda device: make_module(space, architecture, in_shape, classes, device))
    example = torch.zeros(BATCH, *in_shape, device="meta")
    return graph_of(module, example, name=architecture)


def build_replicated(
    space: ModuleSpace, architecture: str, replicas: int, in_shape: Shape, classes: int
) -> Replicated:
    """``replicas`` copies of an architecture, on torch's default device.

    Weights of layers are zeros that an initialization is to fill where the device holds numbers.
    """
    traced = trace_architecture(space, architecture, in_shape, classes)

    def make(device: str) -> nn.Module:
        return make_module(space, architecture, in_shape, classes, device)

    if torch.get_default_device().type == "meta":
        return Replicated(on_meta(make), traced, replicas)
    return Replicated(make("cpu"), traced, replicas)
