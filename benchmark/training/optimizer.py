"""Optimizers over replicas, each at a rate of its own.

All trained parameters move into one flat vector, of which the module's parameters become views, and
so do their gradients: a step is a few vector operations however many layers and replicas there are.
Rates are a vector over the same elements.
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


class ReplicatedSGD(Flat):
    """SGD with momentum, Nesterov and weight decay, as ``torch.optim.SGD`` defines them."""

    def __init__(
        self,
        module: nn.Module,
        lr_R: Tensor,
        recipe: Recipe,
        factors: Sequence[Mapping[str, float]] = (),
    ) -> None:
        super().__init__(module, lr_R, recipe, factors)
        self.velocity = torch.zeros_like(self.weights)
        self.numbers = self.weights.new_ones(1)

    @torch.no_grad()
    def step(self, schedule: float) -> None:
        """Move the weights, at ``schedule`` times each replica's rate."""
        self.weights.addcmul_(self.find_direction(), self.rates, value=-schedule)

    def set_step(self, schedule: float) -> None:
        """The schedule's factor."""
        self.write_numbers(schedule)

    @torch.no_grad()
    def move(self) -> None:
        """``step`` with the numbers of ``set_step``."""
        self.weights.sub_(self.find_direction() * self.rates * self.numbers[0])

    @property
    def tensors(self) -> list[Tensor]:
        """Weights and velocity."""
        return [self.weights, self.velocity]

    def find_direction(self) -> Tensor:
        """Where a step leads; the velocity is brought up to date in its place."""
        self.clip()
        recipe = self.recipe
        direction = self.gradient
        if self.decays is not None:
            decay = self.weights * self.decays
            direction = direction.add(decay, alpha=recipe.weight_decay)
        elif recipe.weight_decay:
            direction = direction.add(self.weights, alpha=recipe.weight_decay)
        if recipe.momentum:
            self.velocity.mul_(recipe.momentum).add_(direction)
            if recipe.nesterov:
                direction = direction.add(self.velocity, alpha=recipe.momentum)
            else:
                direction = self.velocity
        return direction

    def state(self) -> dict[str, Any]:
        """The velocity."""
        return {"velocity": self.velocity}

    def restore(self, state: dict[str, Any]) -> None:
        """Take up a ``state()``."""
        self.velocity.copy_(state["velocity"])


class ReplicatedAdamW(Flat):
    """AdamW as ``torch.optim.AdamW`` defines it, betas 0.9 and 0.999, epsilon 1e-8.

    ``factors`` may also scale a replica's ``epsilon`` (CompleteP does, arXiv 2505.01618, Table 1),
    or that of one group, ``GROUP-epsilon``.
    """

    def __init__(
        self,
        module: nn.Module,
        lr_R: Tensor,
        recipe: Recipe,
        factors: Sequence[Mapping[str, float]] = (),
    ) -> None:
        super().__init__(module, lr_R, recipe, factors)
        self.first, self.second = torch.zeros_like(self.weights), torch.zeros_like(self.weights)
        scales = [f.get("epsilon", 1.0) for f in factors] or [1.0] * len(lr_R)
        epsilon_R = EPSILON * torch.tensor(scales, dtype=torch.float64)
        self.epsilon = self.spread(epsilon_R, factors, "-epsilon")
        self.decay_rates = self.rates if self.decays is None else self.rates * self.decays
        self.steps = 0
        self.numbers = self.weights.new_ones(3)

    def set_step(self, schedule: float) -> None:
        """The schedule's factor, the same over the first moment's correction, and the second's."""
        self.steps += 1
        one, two = BETAS
        self.write_numbers(schedule, schedule / (1 - one**self.steps), 1 - two**self.steps)

    @torch.no_grad()
    def move(self) -> None:
        """``step`` with the numbers of ``set_step``."""
        self.clip()
        self.update_moments()
        schedule, corrected, second = self.numbers.unbind()
        if self.recipe.weight_decay:
            decay = self.decay_rates * (schedule * self.recipe.weight_decay)
            self.weights.sub_(self.weights * decay)
        scale = (self.second / second).sqrt_().add_(self.epsilon)
        self.weights.sub_((self.first / scale).mul_(self.rates).mul_(corrected))

    @property
    def tensors(self) -> list[Tensor]:
        """Weights and both moments."""
        return [self.weights, self.first, self.second]

    def update_moments(self) -> None:
        """Bring both moments up to date, in their places."""
        one, two = BETAS
        self.first.lerp_(self.gradient, 1 - one)
        self.second.mul_(two).addcmul_(self.gradient, self.gradient, value=1 - two)

    @torch.no_grad()
    def step(self, schedule: float) -> None:
        """Move the weights, at ``schedule`` times each replica's rate."""
        self.clip()
        self.steps += 1
        one, two = BETAS
        self.update_moments()
        if self.recipe.weight_decay:
            self.weights.addcmul_(
                self.weights, self.decay_rates, value=-schedule * self.recipe.weight_decay
            )
        scale = (self.second / (1 - two**self.steps)).sqrt_().add_(self.epsilon)
        update = (self.first / scale).mul_(self.rates)
        self.weights.add_(update, alpha=-schedule / (1 - one**self.steps))

    def state(self) -> dict[str, Any]:
        """Both moments and the count of steps."""
        return {"first": self.first, "second": self.second, "steps": self.steps}

    def restore(self, state: dict[str, Any]) -> None:
        """Take up a ``state()``."""
        self.first.copy_(state["first"])
        self.second.copy_(state["second"])
        self.steps = state["steps"]


def create_optimizer(
    module: nn.Module,
    lr_R: Tensor,
    recipe: Recipe,
    factors: Sequence[Mapping[str, float]] = (),
) -> Optimizer:
    """The recipe's optimizer."""
    kind = ReplicatedAdamW if recipe.optimizer == "adamw" else ReplicatedSGD
    return kind(module, lr_R, recipe, factors)
