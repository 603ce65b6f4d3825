"""One step's losses and gradients, for every replica at once, in the recipe's precision.

Shape suffixes: R replicas, B batch, C classes, K = replicas x channels, H height, W width.
"""

from __future__ import annotations

import contextlib
import warnings
from contextlib import AbstractContextManager
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from benchmark.study.recipe import Recipe
from benchmark.training.optimizers.flat import Optimizer
from search_spaces.layers import Dropout

WARM_UP = 3
"""Steps before a graph is captured: libraries choose their algorithms in them."""


def weight_dtype(recipe: Recipe) -> torch.dtype:
    """The type of weights, losses and the optimizer's state; float32 under bfloat16 autocast and
    for tf32, which is a matter of the device (``benchmark.engine.device``)."""
    return torch.float64 if recipe.precision == "float64" else torch.float32


def autocast(recipe: Recipe, device: torch.device) -> AbstractContextManager[object]:
    """The context of forward passes."""
    if recipe.precision == "bfloat16":
        # No cache of cast weights: each is used once a step, and a CUDA graph would keep it.
        return torch.autocast(device.type, torch.bfloat16, cache_enabled=False)
    return contextlib.nullcontext()


def compute_losses(logits_RBC: Tensor, y_RB: Tensor, label_smoothing: float = 0.0) -> Tensor:
    """Each replica's mean cross-entropy (nats per image), losses_R.

    ``label_smoothing`` spreads that share of the target evenly over the classes (Szegedy et al.,
    arXiv 1512.00567, section 7).
    """
    # Classes before the batch: torch's softmax is several times faster along an inner axis.
    loss_RB = F.cross_entropy(
        logits_RBC.transpose(1, 2).contiguous(),
        y_RB,
        reduction="none",
        label_smoothing=label_smoothing,
    )
    return loss_RB.mean(1)


class Step:
    """Adds the gradient of every replica's loss to its parameters'; returns the losses_R."""

    def __init__(self, module: nn.Module, recipe: Recipe) -> None:
        self.module, self.recipe = module, recipe

    def __call__(self, x_BKHW: Tensor, y_RB: Tensor) -> Tensor:
        """Forward and backward pass on a batch."""
        with autocast(self.recipe, x_BKHW.device):
            logits_RBC = self.module(x_BKHW)
        loss_R = compute_losses(logits_RBC.to(x_BKHW), y_RB, self.recipe.label_smoothing)
        loss_R.sum().backward()
        return loss_R.detach()

    def advance(self, x_BKHW: Tensor, y_RB: Tensor, schedule: float) -> Tensor | None:
        """The whole step, the optimizer's move included, where it is captured; losses_R.

        None where it is not, and nothing was done.
        """
        return None


@dataclass
class Recording:
    """A captured step, with the tensors that it reads and writes at every replay."""

    graph: torch.cuda.CUDAGraph
    x_BKHW: Tensor
    y_RB: Tensor
    loss_R: Tensor

    def replay(self, x_BKHW: Tensor, y_RB: Tensor) -> Tensor:
        """The step on another batch of the same shape; losses_R."""
        self.x_BKHW.copy_(x_BKHW)
        self.y_RB.copy_(y_RB)
        self.graph.replay()
        return self.loss_R.clone()


class CapturedStep(Step):
    """The same as a CUDA graph: a launch per step instead of one per kernel.

    Captured at the first batch and replayed for all that follow. With an ``optimizer`` its move is
    part of the graph: weights and moments are written in their place, and what changes from step to
    step, rates and corrections, is data that the graph reads. Without, the graph ends with the
    gradient. Batches must keep their shape, and gradients their place. A batch of another shape,
    and every batch where the capture fails (a graph's private memory pool holds more than a step
    does), is computed one kernel at a time.
    """

    def __init__(
        self, module: nn.Module, recipe: Recipe, optimizer: Optimizer | None = None
    ) -> None:
        super().__init__(module, recipe)
        self.optimizer = optimizer
        self.recording: Recording | None = None
        self.tried = False

    def __call__(self, x_BKHW: Tensor, y_RB: Tensor) -> Tensor:
        """Forward and backward pass on a batch."""
        recording = None if self.optimizer else self.find_recording(x_BKHW, y_RB)
        return recording.replay(x_BKHW, y_RB) if recording else super().__call__(x_BKHW, y_RB)

    def advance(self, x_BKHW: Tensor, y_RB: Tensor, schedule: float) -> Tensor | None:
        """The whole step by one replay."""
        if self.optimizer is None:
            return None
        recording = self.find_recording(x_BKHW, y_RB)
        if recording is None:
            return None
        self.optimizer.set_step(schedule)
        return recording.replay(x_BKHW, y_RB)

    def find_recording(self, x_BKHW: Tensor, y_RB: Tensor) -> Recording | None:
        """The graph for batches of this shape; it is recorded at the first one."""
        if not self.tried:
            self.tried = True
            self.recording = self.try_to_capture(x_BKHW, y_RB)
        fits = self.recording is not None and self.recording.x_BKHW.shape == x_BKHW.shape
        return self.recording if fits else None

    def try_to_capture(self, x_BKHW: Tensor, y_RB: Tensor) -> Recording | None:
        """Record the step if that is possible; all that it wrote is put back in any case."""
        written = [*self.module.buffers(), *(self.optimizer.tensors if self.optimizer else ())]
        before = [value.clone() for value in written]
        recording = None
        try:
            recording = self.capture(x_BKHW.clone(), y_RB.clone())
        except RuntimeError as error:
            warnings.warn(f"no CUDA graph; kernels are launched singly: {error}", stacklevel=2)
        if recording is None:
            torch.cuda.empty_cache()
        with torch.no_grad():
            for value, former in zip(written, before, strict=True):
                value.copy_(former)
        for parameter in self.module.parameters():
            if parameter.grad is not None:
                parameter.grad.zero_()
        return recording

    def capture(self, x_BKHW: Tensor, y_RB: Tensor) -> Recording:
        """Record the step, after some that are not recorded."""
        aside = torch.cuda.Stream()
        aside.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(aside):
            for _ in range(WARM_UP):
                self.compute(x_BKHW, y_RB)
        torch.cuda.current_stream().wait_stream(aside)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            loss_R = self.compute(x_BKHW, y_RB)
        return Recording(graph, x_BKHW, y_RB, loss_R)

    def compute(self, x_BKHW: Tensor, y_RB: Tensor) -> Tensor:
        """What is recorded."""
        if self.optimizer is None:
            return super().__call__(x_BKHW, y_RB)
        self.optimizer.zero_grad()
        loss_R = super().__call__(x_BKHW, y_RB)
        self.optimizer.move()
        return loss_R


def choose_step(
    module: nn.Module,
    recipe: Recipe,
    device: torch.device,
    ranks: int,
    optimizer: Optimizer | None = None,
) -> Step:
    """The fastest step that is exact here.

    Graphs hold neither masks drawn on the CPU nor exchanges between ranks. Where updates are
    measured, which happens between the gradient and the move, the move stays outside.
    """
    draws = any(isinstance(layer, Dropout) and layer.rate > 0 for layer in module.modules())
    if device.type != "cuda" or draws or ranks > 1:
        return Step(module, recipe)
    return CapturedStep(module, recipe, None if recipe.update_every else optimizer)
