"""Training of replicas as one network.

Shape suffixes: R replicas, B batch, C channels, K = R x C, H height, W width, S steps, E epochs.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any

import torch
from torch import Tensor, nn

from benchmark.study.unit import Replica
from benchmark.training.batches import Batches
from benchmark.training.optimizers.create import create_optimizer
from benchmark.training.outcome import Outcome, describe_outcome
from benchmark.training.schedules import count_total_steps, schedule_factor
from benchmark.training.step import autocast, choose_step, compute_losses
from benchmark.training.updates.update_curve import UpdateCurve
from search_spaces.layers import Dropout

ProgressCallback = Callable[[int], None]
Images = tuple[Tensor, Tensor]
"""x_BKHW and labels y_RB."""


class Training:
    """Replicas in training: losses are means per image, accuracies shares in [0, 1].

    No replica disturbs the others, and none is stopped early: a spike may recover.
    """

    def __init__(self, module: nn.Module, replicas: Sequence[Replica], batches: Batches) -> None:
        self.module, self.batches, self.recipe = module, batches, batches.recipe
        self.replicas = len(replicas)
        self.total = count_total_steps(self.recipe, batches.images)
        self.epochs = math.ceil(self.total / batches.steps)
        batches.ranks.join(module)
        lr_R = torch.tensor([replica.lr for replica in replicas], dtype=torch.float64)
        factors = [dict(replica.factors) for replica in replicas]
        self.optimizer = create_optimizer(module, lr_R, self.recipe, factors)
        self.gradients = choose_step(
            module, self.recipe, batches.device, batches.ranks.size, self.optimizer
        )
        self.step = 0
        shape = (self.total, self.replicas)
        self.loss_SR = torch.full(shape, math.nan, dtype=torch.float64, device=batches.device)
        self.valid_ER = torch.full((self.epochs, self.replicas), math.nan).double()
        self.evaluation: dict[str, Tensor] = {}
        self.updates = UpdateCurve(module, self.replicas, self.recipe.update_every, batches.ranks)

    def run(
        self,
        on_progress: ProgressCallback | None = None,
        on_step: Callable[[Training], None] | None = None,
    ) -> list[Outcome]:
        """Train to the recipe's end; the columns of every replica.

        ``on_progress`` is told of finished replica-steps, ``on_step`` is called before every step,
        where ``state()`` can be taken.
        """
        while self.step < self.total:
            self.module.train()
            epoch, begin = divmod(self.step, self.batches.steps)
            left = self.total - self.step
            for x_BKHW, y_RB in islice(self.batches.epoch(begin), left):
                if on_step:
                    on_step(self)
                self.advance(x_BKHW, y_RB)
                if on_progress:
                    on_progress(self.replicas)
            self.evaluate("valid", self.batches.valid())
            self.valid_ER[epoch] = self.evaluation["valid_accuracy"]
        self.evaluate("test", self.batches.test())
        return self.outcomes()

    def advance(self, x_BKHW: Tensor, y_RB: Tensor) -> None:
        """One step of every replica on the batch; notes its losses before the step."""
        rate = schedule_factor(self.recipe, self.step, self.batches.steps)
        loss_R = self.gradients.advance(x_BKHW, y_RB, rate)
        if loss_R is None:
            self.optimizer.zero_grad()
            loss_R = self.gradients(x_BKHW, y_RB)
            self.batches.ranks.mean_(self.optimizer.gradient)
            self.batches.ranks.mean_(loss_R)
            with self.updates.measuring(self.step, x_BKHW):
                self.optimizer.step(rate)
        self.loss_SR[self.step] = loss_R
        self.step += 1

    def evaluate(self, split: str, images: Iterator[Images]) -> None:
        """Note every replica's mean loss and accuracy on a split."""
        losses, accuracies = evaluate(self.module, self.batches, images)
        self.evaluation |= {f"{split}_loss": losses, f"{split}_accuracy": accuracies}

    def outcomes(self) -> list[Outcome]:
        """The columns of every replica."""
        loss_SR = self.loss_SR.cpu()
        return [
            describe_outcome(
                loss_SR[:, index],
                self.batches.steps,
                self.valid_ER[:, index],
                {name: float(value_R[index]) for name, value_R in self.evaluation.items()},
                chance=math.log(self.batches.data.classes),
            )
            | self.updates.describe(index)
            for index in range(self.replicas)
        ]

    @property
    def dropout_streams(self) -> list[torch.Generator]:
        """The streams of all dropout layers, in order."""
        layers = [layer for layer in self.module.modules() if isinstance(layer, Dropout)]
        return [generator for layer in layers for generator in layer.generators]

    def state(self) -> dict[str, Any]:
        """All that the steps to come depend on, between two steps; tensors and plain values."""
        return {
            "step": self.step,
            "losses": self.loss_SR,
            "valid": self.valid_ER,
            "evaluation": self.evaluation,
            "module": self.module.state_dict(),
            "optimizer": self.optimizer.state(),
            "batches": self.batches.state(),
            "dropout": [generator.get_state() for generator in self.dropout_streams],
            "updates": self.updates.state(),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Take up a ``state()`` of the same replicas, recipe and data."""
        self.step, self.evaluation = state["step"], state["evaluation"]
        self.loss_SR.copy_(state["losses"])
        self.valid_ER.copy_(state["valid"])
        self.module.load_state_dict(state["module"])
        self.optimizer.restore(state["optimizer"])
        self.batches.restore(state["batches"])
        for generator, value in zip(self.dropout_streams, state["dropout"], strict=True):
            generator.set_state(value)
        self.updates.restore(state["updates"])


@torch.inference_mode()
def evaluate(
    module: nn.Module, batches: Batches, images: Iterator[Images]
) -> tuple[Tensor, Tensor]:
    """Each replica's mean loss (of the labels as they are) and accuracy over all ranks' images."""
    module.eval()
    total_3R = torch.zeros(3, len(batches.seed_R), dtype=torch.float64, device=batches.device)
    for x_BKHW, y_RB in images:
        with autocast(batches.recipe, x_BKHW.device):
            logits_RBC = module(x_BKHW).to(x_BKHW)
        total_3R[0] += compute_losses(logits_RBC, y_RB) * y_RB.shape[1]
        total_3R[1] += (logits_RBC.argmax(-1) == y_RB).sum(1)
        total_3R[2] += y_RB.shape[1]
    batches.ranks.sum_(total_3R)
    loss_R, correct_R, images_R = total_3R.cpu()
    return loss_R / images_R, correct_R / images_R
