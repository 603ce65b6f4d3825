"""From a module to the operations it runs: ``torch.export``, without touching the module.

Export runs the module's Python code on tensors that hold no numbers, so weights are neither read
nor written. The graph is taken as it is, not decomposed: decomposition turns one interpolation into
three sums. Training mode comes first, since that is what is tuned; a module that exports in
evaluation mode alone (its code branches on random numbers, say) is traced there, and the result
says so.
"""

from __future__ import annotations

import contextlib
import io
import logging
import re
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from torch.export.graph_signature import InputKind

from search_spaces.errors import InvalidInput
from search_spaces.layers import Node

Mode = Literal["train", "eval"]


class NotExportable(InvalidInput):
    """The module cannot be built or exported as it is asked for."""


@dataclass(frozen=True)
class Program:
    """An exported graph: ``parameters`` maps placeholders to parameter names, ``inputs`` are the
    placeholders of the example inputs; every other placeholder is a buffer or a constant."""

    graph_module: torch.fx.GraphModule
    parameters: dict[str, str]
    inputs: tuple[str, ...]
    mode: Mode


def export_program(module: nn.Module, example_inputs: Sequence[object]) -> Program:
    """The operations of ``module(*example_inputs)``, in training mode where that exports.

    Inputs are moved to the device of the parameters ("meta" is as good as any), else of the
    buffers. Modes of all submodules are as before afterwards. Raises ``NotExportable`` with the
    exporter's own reason.
    """
    if is_distributed(module):
        raise NotExportable(
            f"{type(module).__name__} is wrapped or sharded for several processes; trace the "
            "module before that, and use what was read of it afterwards: it is keyed by name"
        )
    held = [*module.parameters(), *module.buffers()]
    inputs = tuple(
        x.to(held[0].device) if held and isinstance(x, Tensor) else x for x in example_inputs
    )
    failures = []
    modes: tuple[Mode, ...] = ("train", "eval")
    for mode in modes:
        try:
            with _quiet(), _in_mode(module, mode), _marked_nodes(module):
                exported = torch.export.export(module, inputs, strict=False)
        except Exception as failure:
            failures.append(failure)
            continue
        specs = exported.graph_signature.input_specs
        return Program(
            exported.graph_module,
            {spec.arg.name: str(spec.target) for spec in specs if spec.kind is InputKind.PARAMETER},
            tuple(spec.arg.name for spec in specs if spec.kind is InputKind.USER_INPUT),
            mode,
        )
    shapes = " and ".join("x".join(map(str, x.shape)) for x in inputs if isinstance(x, Tensor))
    raise NotExportable(
        f"{type(module).__name__} does not export for an input of {shapes or 'no tensor'}: "
        f"{first_reason(failures[-1])}"
    )


def is_distributed(module: nn.Module) -> bool:
    """Whether a module's parameters are spread over processes, or its calls synchronize them."""
    names = {kind.__name__ for kind in type(module).__mro__}
    if names & {"DistributedDataParallel", "FullyShardedDataParallel"}:
        return True
    return any(type(parameter.data).__name__ == "DTensor" for parameter in module.parameters())


def first_reason(failure: BaseException) -> str:
    """The first telling line of an exporter's message, cut at 200 characters."""
    lines = [line.strip() for line in str(failure).splitlines() if line.strip()]
    text = lines[0] if lines else type(failure).__name__
    text = re.sub(r"\s+", " ", text)
    return text if len(text) <= 200 else text[:197] + "..."


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Export's warnings and printed graphs concern its developers; failures are raised anyway."""
    logger = logging.getLogger("torch")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stderr(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)


@contextlib.contextmanager
def _in_mode(module: nn.Module, mode: Mode) -> Iterator[None]:
    before = {child: child.training for child in module.modules()}
    try:
        module.train(mode == "train")
        yield
    finally:
        for child, training in before.items():
            child.training = training


@contextlib.contextmanager
def _marked_nodes(module: nn.Module) -> Iterator[None]:
    """Calls of ``search_spaces.layers.Node`` leave an ``alias`` in the graph, where they would
    leave nothing."""
    hooks = [
        node.register_forward_hook(lambda _module, _inputs, x: torch.ops.aten.alias.default(x))
        for node in module.modules()
        if isinstance(node, Node)
    ]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()
