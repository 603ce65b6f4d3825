"""Weights rescaled so that each layer passes on just the second moment that its scheme intends.

In a network of finite width the second moment of the pre-activations wanders from layer to layer,
as a product of random factors, and so the size of one step has heavy tails. Rescaling W_l by a
number takes the forward part of that out, which infinite width does by itself; ReLU networks are
homogeneous in every W_l, so nothing else of them changes. (Layer-sequential unit-variance
initialization, Mishkin and Matas, arXiv 1511.06422, rescales to 1 in place of the intended value.)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from benchmark.study.unit import Replica
from benchmark.training.weights.obstacles import find_obstacle
from benchmark.training.weights.variances import UNIFORM, variance
from search_spaces.errors import InvalidInput
from search_spaces.layers import Linear, Weighted


@torch.no_grad()
def pin_forward_moments(
    module: nn.Module, replicas: Sequence[Replica], residual_blocks: int, x_BKHW: Tensor
) -> None:
    """Rescale the weights of every layer but the readout, from the first to the last.

    Afterwards the mean square of a layer's outputs on the batch x_BKHW is its expectation over
    weights of the replica's scheme, given the layer's inputs. Pre-activations count with both
    signs, as in an infinitely wide layer: a ReLU passes on half of their second moment. Raises
    ``InvalidInput`` for schemes that draw biases, which do not scale with the weights, and for a
    module of another package.
    """
    problem = find_obstacle(module, replicas[0].initialization, 1.0, pinned=True)
    if problem:
        raise InvalidInput(problem)
    if any(replica.initialization in UNIFORM for replica in replicas):
        raise InvalidInput(
            f"recipe field pin_forward_moments: initialization {UNIFORM[0]!r} draws biases, which "
            "cannot be rescaled with the weights; leave one of them out"
        )

    both_signs: dict[int, tuple[Tensor, Tensor]] = {}  # outputs of activations, which must live on

    def square_both(layer: nn.Module, inputs: tuple[Any, ...], output: Tensor) -> None:
        assert isinstance(layer, nn.ReLU | nn.GELU)
        squares = (output.square() + layer.forward(-inputs[0]).square()) / 2
        both_signs[id(output)] = (output, squares)

    def rescale(layer: nn.Module, inputs: tuple[Any, ...], output: Tensor) -> Tensor:
        assert isinstance(layer, Weighted)
        (x,) = inputs
        weight = layer.weight.clone()
        layer.weight.fill_(1.0)
        squares = layer.forward(both_signs.get(id(x), (x, x.square()))[1])
        layer.weight.copy_(weight)
        axis = 0 if isinstance(layer, Linear) else 1
        schemes = [each.initialization for each in replicas]
        variance_R = output.new_tensor([variance(s, layer, residual_blocks) for s in schemes])
        intended_R = variance_R * average_replicas(squares, len(replicas), axis)
        found_R = average_replicas(output.square(), len(replicas), axis)
        scale_R = torch.where(found_R > 0, intended_R / found_R, 1.0).sqrt()
        layer.weight.mul_(scale_R.view(-1, *(1,) * (layer.weight.dim() - 1)))
        again: Tensor = layer.forward(x)
        return again

    layers = [m for m in module.modules() if isinstance(m, Weighted) and not m.readout]
    handles = [layer.register_forward_hook(rescale) for layer in layers]
    activations = [m for m in module.modules() if isinstance(m, nn.ReLU | nn.GELU)]
    handles += [layer.register_forward_hook(square_both) for layer in activations]
    try:
        module.train()
        module(x_BKHW)
    finally:
        for handle in handles:
            handle.remove()


def average_replicas(z: Tensor, replicas: int, axis: int) -> Tensor:
    """The mean over all but the replicas, which stand at ``axis`` (1: folded with channels)."""
    if axis == 0:
        return z.flatten(1).mean(1)
    return z.reshape(len(z), replicas, -1).mean((0, 2))
