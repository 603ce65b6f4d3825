"""How many steps there are, and the factor on every rate at each of them."""

from __future__ import annotations

import math

from benchmark.study.recipe import Recipe


def count_epoch_steps(recipe: Recipe, images: int) -> int:
    """Batches in one pass over so many training images; the smaller last one counts if kept."""
    batch = min(recipe.batch, images)
    return math.ceil(images / batch) if recipe.keep_last_batch else images // batch


def count_total_steps(recipe: Recipe, images: int) -> int:
    """Steps of the whole training, on so many training images."""
    return recipe.steps or recipe.epochs * count_epoch_steps(recipe, images)


def count_warmup_steps(recipe: Recipe, epoch_steps: int) -> int:
    """How many steps the rate rises; an epoch has ``epoch_steps``."""
    return recipe.warmup_steps or round(recipe.warmup_epochs * epoch_steps)


def schedule_factor(recipe: Recipe, step: int, epoch_steps: int) -> float:
    """The schedule's factor at a step, counted from 0.

    Over w warm-up steps it is (step + 1) / w (Goyal et al., arXiv 1706.02677, section 2.2, per
    step); a cosine then falls from 1 to 0 over the steps that remain (Loshchilov and Hutter,
    arXiv 1608.03983, eq. 5, one period), while milestones are epochs of the whole run. With
    ``rate_per_epoch`` all steps of an epoch have the cosine of its first.
    """
    warm = count_warmup_steps(recipe, epoch_steps)
    total = recipe.steps or recipe.epochs * epoch_steps
    if step < warm:
        return (step + 1) / warm
    if recipe.schedule == "cosine":
        if recipe.rate_per_epoch:
            step = max(warm, step - step % epoch_steps)
        return 0.5 * (1 + math.cos(math.pi * (step - warm) / (total - warm)))
    passed = sum(step >= epoch * epoch_steps for epoch in recipe.milestones)
    return float(recipe.decay_factor**passed) if passed else 1.0
