"""One step's losses and gradients, for every replica at once.

Shape suffixes: R replicas, B batch, C channels, K = R x C, H height, W width.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from benchmark.study.recipe import Recipe
from benchmark.training.losses import replica_losses
from benchmark.training.precision import autocast
from search_spaces.layers import BranchScale, Dropout

WARM_UP = 3
"""Steps before a graph is captured: libraries choose their algorithms in them."""


class Step:
    """Adds the gradient of every replica's loss to its parameters'; returns the losses_R."""

    def __init__(self, module: nn.Module, recipe: Recipe) -> None:
        self.module, self.recipe = module, recipe

    def __call__(self, x_BKHW: Tensor, y_RB: Tensor) -> Tensor:
        """Forward and backward pass on a batch."""
        with autocast(self.recipe, x_BKHW.device):
            logits_RBC = self.module(x_BKHW)
        loss_R = replica_losses(logits_RBC.to(x_BKHW), y_RB, self.recipe.label_smoothing)
        loss_R.sum().backward()
        return loss_R.detach()


class CapturedStep(Step):
    """The same as a CUDA graph: a launch per step instead of one per kernel.

    Captured at the first batch and replayed for all that follow, whatever their weights and rates:
    the optimiser stands outside. Batches must keep their shape, and gradients their place.
    """

    def __init__(self, module: nn.Module, recipe: Recipe) -> None:
        super().__init__(module, recipe)
        self.graph: torch.cuda.CUDAGraph | None = None

    def __call__(self, x_BKHW: Tensor, y_RB: Tensor) -> Tensor:
        """Forward and backward pass on a batch."""
        if self.graph is None:
            self.capture(x_BKHW, y_RB)
        assert self.graph is not None
        self.x_BKHW.copy_(x_BKHW)
        self.y_RB.copy_(y_RB)
        self.graph.replay()
        return self.loss_R.clone()

    def capture(self, x_BKHW: Tensor, y_RB: Tensor) -> None:
        """Record the step; running statistics and gradients are put back as they were."""
        self.x_BKHW, self.y_RB = x_BKHW.clone(), y_RB.clone()
        before = {name: value.clone() for name, value in self.module.named_buffers()}
        aside = torch.cuda.Stream()
        aside.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(aside):
            for _ in range(WARM_UP):
                super().__call__(self.x_BKHW, self.y_RB)
        torch.cuda.current_stream().wait_stream(aside)
        self.graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self.graph):
            self.loss_R = super().__call__(self.x_BKHW, self.y_RB)
        for name, value in self.module.named_buffers():
            value.copy_(before[name])
        for parameter in self.module.parameters():
            if parameter.grad is not None:
                parameter.grad.zero_()


def step_of(module: nn.Module, recipe: Recipe, device: torch.device, ranks: int) -> Step:
    """The fastest step that is exact here.

    Graphs hold neither masks drawn on the CPU nor exchanges between ranks.
    """
    drawn = any(isinstance(layer, Dropout) and layer.rate > 0 for layer in module.modules())
    if device.type != "cuda" or drawn or ranks > 1:
        return Step(module, recipe)
    for layer in module.modules():
        if isinstance(layer, BranchScale):
            layer.always = True  # a graph cannot ask whether the multipliers are all ones
    return CapturedStep(module, recipe)
