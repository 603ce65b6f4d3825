"""The optimizer that a recipe names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from torch import Tensor, nn

from benchmark.study.recipe import Recipe
from benchmark.training.optimizers.adamw import ReplicatedAdamW
from benchmark.training.optimizers.flat import Optimizer
from benchmark.training.optimizers.sgd import ReplicatedSGD


def create_optimizer(
    module: nn.Module,
    lr_R: Tensor,
    recipe: Recipe,
    factors: Sequence[Mapping[str, float]] = (),
) -> Optimizer:
    """The recipe's optimizer."""
    kind = ReplicatedAdamW if recipe.optimizer == "adamw" else ReplicatedSGD
    return kind(module, lr_R, recipe, factors)
