"""SGD over replicas, each at a rate of its own."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from benchmark.recipes import Recipe


class ReplicatedSGD:
    """SGD with momentum, Nesterov and weight decay, as ``torch.optim.SGD`` defines them.

    All trained parameters move into one flat vector, of which the module's parameters become views,
    and so do their gradients: a step is a few vector operations however many layers and replicas
    there are. The rate is a vector over the same elements: each replica's own.
    """

    def __init__(self, module: nn.Module, lr_R: Tensor, recipe: Recipe) -> None:
        parameters = [p for p in module.parameters() if p.requires_grad]
        self.recipe = recipe
        self.weights = torch.cat([p.detach().flatten() for p in parameters])
        self.gradient = torch.zeros_like(self.weights)
        self.velocity = torch.zeros_like(self.weights)
        self.rates = torch.cat([lr_R.to(p).repeat_interleave(p[0].numel()) for p in parameters])
        offset = 0
        for parameter in parameters:
            span = slice(offset, offset + parameter.numel())
            parameter.data = self.weights[span].view_as(parameter)
            parameter.grad = self.gradient[span].view_as(parameter)
            offset = span.stop

    def zero_grad(self) -> None:
        """Forget the gradient of the last step."""
        self.gradient.zero_()

    @torch.no_grad()
    def step(self, schedule: float) -> None:
        """Move the weights by the gradient, at ``schedule`` times each replica's rate."""
        recipe = self.recipe
        direction = self.gradient
        if recipe.weight_decay:
            direction = direction.add(self.weights, alpha=recipe.weight_decay)
        if recipe.momentum:
            self.velocity.mul_(recipe.momentum).add_(direction)
            if recipe.nesterov:
                direction = direction.add(self.velocity, alpha=recipe.momentum)
            else:
                direction = self.velocity
        self.weights.addcmul_(direction, self.rates, value=-schedule)
