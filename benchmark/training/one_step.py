"""One step of gradient descent at initialization: how far does every node move?

S_l = E[(dz_l)^2], the second moment of the change of node l's pre-activation after one step at
rate eta, over neurons, positions and images (arXiv 2510.04327, abstract). The change is taken to
first order in the rate, dz_l = -eta J_l g with the exact directional derivative J_l g, which is
what the theory speaks of; so S_l scales as eta^2, and any constant can be applied afterwards.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from benchmark.training.step import compute_losses
from search_spaces.layers import Node


def measure_one_step(
    module: nn.Module, x_BKHW: Tensor, y_RB: Tensor, lr_R: Tensor, label_smoothing: float = 0.0
) -> list[dict[str, Any]]:
    """Each replica's S_l for every hidden node in order, after one step of the mean cross-entropy.

    The gradient and the moments are taken on the same images x_BKHW with labels y_RB.
    """
    module.train()
    replicas = len(lr_R)
    trained = {name: p for name, p in module.named_parameters() if p.requires_grad}
    names, parameters = tuple(trained), tuple(trained.values())
    loss_R = compute_losses(module(x_BKHW), y_RB, label_smoothing)
    gradients = torch.autograd.grad(loss_R.sum(), parameters, materialize_grads=True)
    tangents = tuple(
        -lr_R.view(-1, *(1,) * (gradient.dim() - 1)) * gradient for gradient in gradients
    )

    def nodes(*values: Tensor) -> tuple[Tensor, ...]:
        seen: list[tuple[Node, Tensor]] = []
        handles = [
            node.register_forward_hook(_keep(seen))
            for node in module.modules()
            if isinstance(node, Node)
        ]
        torch.func.functional_call(module, dict(zip(names, values, strict=True)), (x_BKHW,))
        for handle in handles:
            handle.remove()
        hidden = seen[:-1]  # the last node holds the logits, which the theory leaves out
        return tuple(by_replica(node, z, replicas) for node, z in hidden)

    with warnings.catch_warnings():
        # torch's forward mode compiles its own derivative formulas with a deprecated call.
        warnings.filterwarnings("ignore", "`torch.jit", FutureWarning)
        warnings.filterwarnings("ignore", "`torch.jit", DeprecationWarning)
        change = torch.func.jvp(nodes, parameters, tangents)[1]
    moments_LR = torch.stack([dz.square().mean(1) for dz in change])
    initial = loss_R.detach()
    return [
        {
            "status": "done",
            "steps": 1,
            "initial_loss": float(initial[index]),
            "update_moments": moments_LR[:, index].tolist(),
        }
        for index in range(replicas)
    ]


def _keep(
    seen: list[tuple[Node, Tensor]],
) -> Callable[[nn.Module, tuple[Tensor, ...], Tensor], None]:
    def hook(node: nn.Module, _inputs: tuple[Tensor, ...], z: Tensor) -> None:
        assert isinstance(node, Node)
        seen.append((node, z))

    return hook


def by_replica(node: Node, z: Tensor, replicas: int) -> Tensor:
    """A node's value with replicas first and all else flattened, whichever layout it has."""
    if node.replica_axis == 0:
        return z.flatten(1)
    return z.view(len(z), replicas, -1).transpose(0, 1).flatten(1)
