"""How far single steps move the nodes in the course of training.

The same E[(dz_l)^2] as of one step at initialization (``one_step``), but of real steps, with
momentum and at the schedule's rate, every so many of them: whether what a rule fixes at the first
step stays fixed.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from benchmark.training.outcome import Outcome, null_where_not_finite
from benchmark.training.process_group import Ranks
from benchmark.training.updates.nodes import flatten_node, record_nodes


class UpdateCurve:
    """Every node's second moment of change at every measured step, for each replica.

    Nodes are read on the step's own batch before and after it, as in evaluation: without dropout
    and with batch norm's running statistics, so that measuring changes nothing in training.
    """

    def __init__(self, module: nn.Module, replicas: int, every: int, ranks: Ranks) -> None:
        self.module, self.replicas, self.every, self.ranks = module, replicas, every, ranks
        self.steps: list[int] = []
        self.moments_LR: list[Tensor] = []

    @contextmanager
    def measuring(self, step: int, x_BKHW: Tensor) -> Iterator[None]:
        """Around the update of the weights at a step, counted from 0."""
        if not self.every or step % self.every:
            yield
            return
        before = self.read_nodes(x_BKHW)
        yield
        after = self.read_nodes(x_BKHW)
        moments = [(b - a).square().mean(1) for a, b in zip(before, after, strict=True)]
        moments_LR = torch.stack(moments).double()
        self.ranks.mean_(moments_LR)
        self.steps.append(step)
        self.moments_LR.append(moments_LR.cpu())

    @torch.no_grad()
    def read_nodes(self, x_BKHW: Tensor) -> list[Tensor]:
        """Every hidden node's value on a batch, replicas first and all else flattened."""
        self.module.eval()
        with record_nodes(self.module) as nodes:
            self.module(x_BKHW)
        self.module.train()
        return [flatten_node(node, z, self.replicas) for node, z in nodes[:-1]]

    def describe(self, index: int) -> Outcome:
        """The columns of one replica; null where nothing was measured."""
        if not self.every:
            return {}
        curve = [moments_LR[:, index].tolist() for moments_LR in self.moments_LR]
        return {
            "update_curve_steps": self.steps,
            "update_curve": null_where_not_finite(curve),
        }

    def state(self) -> dict[str, Any]:
        """What was measured so far."""
        return {"steps": self.steps, "moments": self.moments_LR}

    def restore(self, state: dict[str, Any]) -> None:
        """Take up a ``state()``."""
        self.steps, self.moments_LR = [*state["steps"]], [*state["moments"]]
