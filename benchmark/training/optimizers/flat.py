"""Optimizers over replicas, each at a rate of its own.

All trained parameters move into one flat vector, of which the module's parameters become views, and
so do their gradients: a step is a few vector operations however many layers and replicas there are.
Rates are a vector over the same elements: ``torch.optim`` has one rate per group of tensors, and
replicas lie within a tensor. The tests compare with it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from benchmark.study.recipe import Recipe
from benchmark.training.rate_groups import factors_by_parameter

BETAS = (0.9, 0.999)
EPSILON = 1e-8


class Optimizer(Protocol):
    """What the engine needs of an optimizer; ``gradient`` is that of all replicas, flat."""

    gradient: Tensor

    def zero_grad(self) -> None:
        """Forget the gradient of the last step."""
        ...

    def step(self, schedule: float) -> None:
        """Move the weights, at ``schedule`` times each replica's rate."""
        ...

    def set_step(self, schedule: float) -> None:
        """Write the numbers of the step that a graph's ``move`` takes next into its data."""
        ...

    def move(self) -> None:
        """``step`` with the numbers of ``set_step``, read on the device: to be captured once and
        replayed. All that it writes is written in place."""
        ...

    @property
    def tensors(self) -> list[Tensor]:
        """All that ``move`` writes: weights and what is remembered of earlier steps."""
        ...

    def state(self) -> dict[str, Any]:
        """What it remembers of earlier steps: tensors and plain values."""
        ...

    def restore(self, state: dict[str, Any]) -> None:
        """Take up a ``state()``."""
        ...


class Flat:
    """The trained parameters of a module as one vector, and the rate of each of its elements.

    ``lr_R`` is each replica's rate, ``factors`` its multipliers by group: ``GROUP`` of the rate,
    ``GROUP-decay`` of the recipe's weight decay (``benchmark.training.rate_groups``).
    """

    def __init__(
        self,
        module: nn.Module,
        lr_R: Tensor,
        recipe: Recipe,
        factors: Sequence[Mapping[str, float]] = (),
    ) -> None:
        self.recipe = recipe
        parameters = [p for p in module.parameters() if p.requires_grad]
        self.parameters, self.module = parameters, module
        self.replicas = len(lr_R)
        self.sizes = [p[0].numel() for p in parameters]
        self.spans = [p.numel() for p in parameters]
        self.weights = torch.cat([p.detach().flatten() for p in parameters])
        self.gradient = torch.zeros_like(self.weights)
        offset = 0
        for parameter in parameters:
            span = slice(offset, offset + parameter.numel())
            parameter.data = self.weights[span].view_as(parameter)
            parameter.grad = self.gradient[span].view_as(parameter)
            offset = span.stop
        self.rates = self.spread(lr_R, factors)
        self.decays: Tensor | None = None
        if recipe.weight_decay and any(key.endswith("-decay") for each in factors for key in each):
            self.decays = self.spread(torch.ones_like(lr_R), factors, "-decay")

    def spread(
        self, value_R: Tensor, factors: Sequence[Mapping[str, float]] = (), of: str = ""
    ) -> Tensor:
        """A value per replica over all elements, times the factor of each element's group.

        ``of`` ends the factors' names: nothing for rates, ``-decay`` or ``-epsilon``.
        """
        parts = []
        by_parameter = factors_by_parameter(self.module, factors, of) if factors else {}
        for parameter, size in zip(self.parameters, self.sizes, strict=True):
            scaled_R = value_R.to(self.weights)
            if factors:
                scaled_R = scaled_R * scaled_R.new_tensor(by_parameter[parameter])
            parts.append(scaled_R.repeat_interleave(size))
        return torch.cat(parts)

    def zero_grad(self) -> None:
        """Forget the gradient of the last step."""
        self.gradient.zero_()

    def clip(self) -> None:
        """Scale down every replica whose gradient has an L2 norm above the recipe's, as
        ``torch.nn.utils.clip_grad_norm_`` does for one network."""
        if not self.recipe.gradient_clip:
            return
        by_replica = [part.view(self.replicas, -1) for part in self.gradient.split(self.spans)]
        norm_R = torch.stack([part_RN.norm(dim=1) for part_RN in by_replica]).norm(dim=0)
        factor_R = (self.recipe.gradient_clip / (norm_R + 1e-6)).clamp_max(1.0)
        for part_RN in by_replica:
            part_RN.mul_(factor_R[:, None])

    numbers: Tensor
    """What changes from step to step, as a captured graph reads it."""

    def write_numbers(self, *numbers: float) -> None:
        """Put a step's numbers where a captured graph reads them."""
        self.numbers.copy_(torch.tensor(numbers, dtype=self.numbers.dtype), non_blocking=True)
