"""How far one step of an optimizer moves every layer: the coordinate check, for depth.

Rules of depth say that a step at initialization moves the pre-activations of every layer by as much
in a deep network as in a shallow one (arXiv 2510.04327, abstract). This measures it on any module
with any optimizer of torch: the step is really taken, and taken back.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from benchmark.models.network import Network, require_network
from search_spaces.errors import InvalidInput


@dataclass(frozen=True)
class LayerStep:
    """``update`` is E[(dz)^2] and ``forward`` E[z^2] of a layer's output z, over all its numbers;
    ``module`` is the layer's path."""

    module: str
    update: float
    forward: float


def one_step(
    model: Network,
    batch: Sequence[Tensor],
    optimizer: torch.optim.Optimizer,
    loss: Callable[[Tensor, Tensor], Tensor] = F.cross_entropy,
) -> list[LayerStep]:
    """The size of one step in every weighted layer's output, in the order of execution.

    ``batch`` holds the inputs and, last, the target of ``loss(output, target)``. The step is that
    of ``optimizer`` on the batch, from the module's present weights, in the module's present mode;
    weights, buffers, gradients, random numbers and the optimizer's memory are as before
    afterwards. Dropout draws the same masks before and after the step. Layers whose module is not
    called (weights that another module reads) have no row. Raises ``InvalidInput`` where the
    optimizer holds none of the module's parameters.
    """
    module, traced = require_network(model).require_module()
    *inputs, target = batch
    held = {id(p) for group in optimizer.param_groups for p in group["params"]}
    if not held & {id(parameter) for parameter in module.parameters()}:
        raise InvalidInput("the optimizer has none of the module's parameters; make it from them")
    paths = list(dict.fromkeys(layer.module for layer in traced.layers))
    generator = torch.random.get_rng_state()
    with keep_state(module, optimizer):
        before, output = _read(module, paths, inputs)
        optimizer.zero_grad()
        loss(output, target).backward()
        optimizer.step()
        torch.random.set_rng_state(generator)
        after, _ = _read(module, paths, inputs)
    torch.random.set_rng_state(generator)
    return [
        LayerStep(path, _mean_square(after[path] - z), _mean_square(z))
        for path, z in before.items()
    ]


@contextmanager
def keep_state(module: nn.Module, optimizer: torch.optim.Optimizer) -> Iterator[None]:
    """Weights, buffers, gradients and the optimizer's memory are the same afterwards."""
    weights = {name: value.clone() for name, value in module.state_dict().items()}
    gradients = [None if p.grad is None else p.grad.clone() for p in module.parameters()]
    memory = copy.deepcopy(optimizer.state_dict())
    try:
        yield
    finally:
        module.load_state_dict(weights)
        optimizer.load_state_dict(memory)
        for parameter, gradient in zip(module.parameters(), gradients, strict=True):
            parameter.grad = gradient


def _read(
    module: nn.Module, paths: Sequence[str], inputs: Sequence[Tensor]
) -> tuple[dict[str, Tensor], Tensor]:
    """The first output of every layer by its path, and the network's output."""
    seen: dict[str, Tensor] = {}

    def keep(path: str) -> Callable[[nn.Module, object, object], None]:
        def hook(_module: nn.Module, _inputs: object, output: object) -> None:
            z = output[0] if isinstance(output, tuple) else output
            if isinstance(z, Tensor):
                seen.setdefault(path, z.detach().clone())

        return hook

    handles = [module.get_submodule(path).register_forward_hook(keep(path)) for path in paths]
    try:
        output = module(*inputs)
    finally:
        for handle in handles:
            handle.remove()
    return seen, output


def _mean_square(z: Tensor) -> float:
    return float(z.double().square().mean())
