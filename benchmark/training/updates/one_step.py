"""One optimizer step at initialization: how far does every node move?

S_l = E[(dz_l)^2], the second moment of the change of node l's pre-activation after one step at
rate eta, over neurons, positions and images (arXiv 2510.04327, abstract). The change is taken to
first order in the rate, dz_l = eta J_l u with the exact directional derivative J_l u along the
optimizer's first update u, which is what the theory speaks of; so S_l scales as eta^2, and any
constant can be applied afterwards.

u is the loss's gradient g under SGD (momentum's first step is g too), and g / (|g| + epsilon) under
AdamW, whose first step is all but the gradient's sign; each group of parameters has its factor.
Weight decay, clipping and warm-up are left out.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from benchmark.study.recipe import Recipe
from benchmark.training.optimizers.flat import EPSILON
from benchmark.training.rate_groups import factors_by_parameter
from benchmark.training.step import compute_losses
from benchmark.training.updates.nodes import flatten_node, record_nodes


def measure_one_step(
    module: nn.Module,
    x_BKHW: Tensor,
    y_RB: Tensor,
    lr_R: Tensor,
    recipe: Recipe | None = None,
    factors: Sequence[Mapping[str, float]] = (),
) -> list[dict[str, Any]]:
    """Each replica's S_l for every hidden node in order, after one step of the mean cross-entropy,
    and the second moment E[z_l^2] before it.

    The gradient and the moments are taken on the same images x_BKHW with labels y_RB. ``factors``
    multiply each replica's rate and AdamW's epsilon by group (``benchmark.training.rate_groups``).
    """
    recipe = recipe or Recipe()
    module.train()
    replicas = len(lr_R)
    trained = {name: p for name, p in module.named_parameters() if p.requires_grad}
    names, parameters = tuple(trained), tuple(trained.values())
    loss_R = compute_losses(module(x_BKHW), y_RB, recipe.label_smoothing)
    gradients = torch.autograd.grad(loss_R.sum(), parameters, materialize_grads=True)
    factors = factors or [{}] * replicas
    own_rates = factors_by_parameter(module, factors)
    own_epsilons = factors_by_parameter(module, factors, "-epsilon")
    epsilon_R = EPSILON * lr_R.new_tensor([each.get("epsilon", 1.0) for each in factors])

    def spread(value_R: Tensor, parameter: Tensor) -> Tensor:
        return value_R.view(-1, *(1,) * (parameter.dim() - 1))

    tangents = []
    for parameter, gradient in zip(parameters, gradients, strict=True):
        update = gradient
        if recipe.optimizer == "adamw":
            own_R = epsilon_R * lr_R.new_tensor(own_epsilons[parameter])
            update = gradient / (gradient.abs() + spread(own_R, gradient))
        rate_R = lr_R * lr_R.new_tensor(own_rates[parameter])
        tangents.append(-spread(rate_R, gradient) * update)

    def read_nodes(*values: Tensor) -> tuple[Tensor, ...]:
        with record_nodes(module) as nodes:
            torch.func.functional_call(module, dict(zip(names, values, strict=True)), (x_BKHW,))
        hidden = nodes[:-1]  # the last node holds the logits, which the theory leaves out
        return tuple(flatten_node(node, z, replicas) for node, z in hidden)

    with warnings.catch_warnings():
        # torch's forward mode compiles its own derivative formulas with a deprecated call.
        warnings.filterwarnings("ignore", "`torch.jit", FutureWarning)
        warnings.filterwarnings("ignore", "`torch.jit", DeprecationWarning)
        derivative = torch.func.jvp(read_nodes, parameters, tuple(tangents))
    value, change = derivative[0], derivative[1]
    update_LR = torch.stack([dz.square().mean(1) for dz in change])
    forward_LR = torch.stack([z.square().mean(1) for z in value])
    initial = loss_R.detach()
    return [
        {
            "status": "done",
            "steps": 1,
            "initial_loss": float(initial[index]),
            "update_moments": update_LR[:, index].tolist(),
            "forward_moments": forward_LR[:, index].tolist(),
        }
        for index in range(replicas)
    ]
