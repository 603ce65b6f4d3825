"""Training of replicas as one network.

Shape suffixes: R replicas, B batch, C channels, K = R x C, H height, W width, S steps, E epochs.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Tensor, nn

from benchmark.batches import Batches
from benchmark.losses import replica_losses
from benchmark.optimizer import optimizer
from benchmark.outcome import Outcome, outcome
from benchmark.precision import autocast
from benchmark.recipes import Recipe
from benchmark.schedules import factor
from benchmark.unit import Replica

Progress = Callable[[int], None]
Images = tuple[Tensor, Tensor]
"""x_BKHW and labels y_RB."""


class Training:
    """Replicas in training: losses are means per image, accuracies shares in [0, 1].

    No replica disturbs the others, and none is stopped early: a spike may recover.
    """

    def __init__(
        self, module: nn.Module, replicas: Sequence[Replica], recipe: Recipe, batches: Batches
    ) -> None:
        self.module, self.recipe, self.batches = module, recipe, batches
        self.replicas = len(replicas)
        self.total = recipe.epochs * batches.steps
        batches.ranks.join(module)
        lr_R = torch.tensor([replica.lr for replica in replicas], dtype=torch.float64)
        factors = [dict(replica.factors) for replica in replicas]
        self.optimizer = optimizer(module, lr_R, recipe, factors)
        self.step = 0
        self.loss_SR = torch.full((self.total, self.replicas), math.nan, dtype=torch.float64)
        self.valid_ER = torch.full((recipe.epochs, self.replicas), math.nan, dtype=torch.float64)
        self.evaluation: dict[str, Tensor] = {}

    def run(self, on_progress: Progress | None = None) -> list[Outcome]:
        """Train to the recipe's end; the columns of every replica."""
        while self.step < self.total:
            self.module.train()
            for x_BKHW, y_RB in self.batches.epoch(self.step % self.batches.steps):
                self.loss_SR[self.step] = self.advance(x_BKHW, y_RB)
                self.step += 1
                if on_progress:
                    on_progress(self.replicas)
            self.evaluate("valid", self.batches.valid())
            epoch = self.step // self.batches.steps - 1
            self.valid_ER[epoch] = self.evaluation["valid_accuracy"]
        self.evaluate("test", self.batches.test())
        return self.outcomes()

    def advance(self, x_BKHW: Tensor, y_RB: Tensor) -> Tensor:
        """One step of every replica on the batch; its losses_R before the step."""
        self.optimizer.zero_grad()
        with autocast(self.recipe, x_BKHW.device):
            logits_RBC = self.module(x_BKHW)
        loss_R = replica_losses(logits_RBC.to(x_BKHW), y_RB, self.recipe.label_smoothing)
        loss_R.sum().backward()
        loss_R = loss_R.detach()
        self.batches.ranks.mean_(self.optimizer.gradient)
        self.batches.ranks.mean_(loss_R)
        self.optimizer.step(factor(self.recipe, self.step, self.batches.steps))
        return loss_R

    def evaluate(self, split: str, images: Iterator[Images]) -> None:
        """Note every replica's mean loss and accuracy on a split."""
        losses, accuracies = evaluate(self.module, self.batches, images)
        self.evaluation |= {f"{split}_loss": losses, f"{split}_accuracy": accuracies}

    def outcomes(self) -> list[Outcome]:
        """The columns of every replica."""
        train_ER = self.loss_SR.view(self.recipe.epochs, -1, self.replicas).mean(1)
        return [
            outcome(
                self.loss_SR[:, index],
                train_ER[:, index],
                self.valid_ER[:, index],
                {name: float(value_R[index]) for name, value_R in self.evaluation.items()},
                chance=math.log(self.batches.data.classes),
            )
            for index in range(self.replicas)
        ]


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
        total_3R[0] += replica_losses(logits_RBC, y_RB) * y_RB.shape[1]
        total_3R[1] += (logits_RBC.argmax(-1) == y_RB).sum(1)
        total_3R[2] += y_RB.shape[1]
    batches.ranks.sum_(total_3R)
    loss_R, correct_R, images_R = total_3R.cpu()
    return loss_R / images_R, correct_R / images_R
