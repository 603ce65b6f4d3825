"""AdamW over replicas."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from benchmark.study.recipe import Recipe
from benchmark.training.optimizers.flat import BETAS, EPSILON, Flat


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
