"""SGD with momentum over replicas."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from benchmark.study.recipe import Recipe
from benchmark.training.optimizers.flat import Flat


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
