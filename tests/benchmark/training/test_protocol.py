"""Every part of a recipe equals torch's own, each replica trained alone by torch's tools."""

import math
import warnings
from dataclasses import replace
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from support.replicas import replica
from torch import nn
from torch.nn import functional as F
from torch.optim import lr_scheduler

from benchmark.datasets import catalog
from benchmark.study.recipe import Recipe
from benchmark.training.augmentation import Augmentation
from benchmark.training.batches import Batches
from benchmark.training.loop import Training
from benchmark.training.schedules import schedule_factor
from benchmark.training.weights.initialization import initialize
from search_spaces.errors import InvalidInput
from search_spaces.registry import create

BASE = Recipe(momentum=0.9, epochs=3, batch=28, validation=0.8, precision="float64")
STEPS = 30  # 287 training images in batches of 28
RECIPES = {
    "cosine": replace(BASE, schedule="cosine"),
    "step": replace(BASE, schedule="step", milestones=(1, 2), decay_factor=0.3),
    "warm-up in steps": replace(BASE, warmup_steps=7),
    "warm-up in epochs, cosine": replace(BASE, warmup_epochs=0.5, schedule="cosine"),
    "warm-up, step": replace(
        BASE, warmup_steps=4, schedule="step", milestones=(2,), decay_factor=0.1
    ),
    "label smoothing": replace(BASE, label_smoothing=0.1),
    "clipping": replace(BASE, gradient_clip=0.2),
    "clipping, adamw": replace(
        BASE, optimizer="adamw", momentum=0.0, gradient_clip=0.2, weight_decay=0.05
    ),
    "steps, cosine": replace(BASE, epochs=1, steps=STEPS, schedule="cosine", warmup_steps=3),
    "last batch kept": replace(BASE, batch=30, keep_last_batch=True),
    "rate per epoch": replace(BASE, schedule="cosine", rate_per_epoch=True),
    "all": replace(
        BASE,
        nesterov=True,
        weight_decay=5e-4,
        schedule="cosine",
        warmup_epochs=1.0,
        label_smoothing=0.2,
        gradient_clip=0.2,
        cutout=3,
    ),
}
REPLICAS = [replica(0.1, 0), replica(0.02, 0), replica(0.3, 1)]
SPACE = create("resnet", width=4, normalization="bn")


def torch_schedule(
    optimizer: torch.optim.Optimizer, recipe: Recipe, epoch_steps: int
) -> lr_scheduler.LRScheduler:
    """The recipe's schedule by torch's schedulers."""
    warm = recipe.warmup_steps or round(recipe.warmup_epochs * epoch_steps)
    total = recipe.steps or recipe.epochs * epoch_steps
    main: lr_scheduler.LRScheduler
    if recipe.rate_per_epoch:

        def official(step: int) -> float:  # AutoDL-Projects, CosineAnnealingLR of its optimizers
            return (1 + math.cos(math.pi * (step // epoch_steps) / recipe.epochs)) / 2

        main = lr_scheduler.LambdaLR(optimizer, official)
    elif recipe.schedule == "cosine":
        main = lr_scheduler.CosineAnnealingLR(optimizer, total - warm)
    else:
        steps = [epoch * epoch_steps - warm for epoch in recipe.milestones]
        main = lr_scheduler.MultiStepLR(optimizer, steps, recipe.decay_factor or 1.0)
    if not warm:
        return main
    rise = lr_scheduler.LinearLR(optimizer, start_factor=1 / warm, total_iters=warm - 1)
    return lr_scheduler.SequentialLR(optimizer, [rise, main], milestones=[warm])


def torch_optimizer(module: nn.Module, lr: float, recipe: Recipe) -> torch.optim.Optimizer:
    if recipe.optimizer == "adamw":
        return torch.optim.AdamW(module.parameters(), lr, weight_decay=recipe.weight_decay)
    return torch.optim.SGD(
        module.parameters(),
        lr,
        momentum=recipe.momentum,
        nesterov=recipe.nesterov,
        weight_decay=recipe.weight_decay,
    )


def built(count: int) -> nn.Module:
    return SPACE.build("resnet-2", count, (1, 8, 8), 10).double()


@pytest.mark.parametrize("name", RECIPES)
def test_each_replica_equals_torch_trained_alone(name: str) -> None:
    recipe = RECIPES[name]
    data = catalog.load("digits")
    together = built(len(REPLICAS))
    initialize(together, REPLICAS, 2)
    batches = Batches(data, recipe, [each.seed for each in REPLICAS], torch.float64)
    training = Training(together, REPLICAS, batches)
    training.run()
    assert training.total == STEPS
    clipped = 0
    for index, each in enumerate(REPLICAS):
        alone = built(1)
        initialize(alone, [each], 2)
        optimizer = torch_optimizer(alone, each.lr, recipe)
        schedule = torch_schedule(optimizer, recipe, STEPS // 3)
        solo = Batches(data, recipe, [each.seed], torch.float64)
        losses = []
        alone.train()
        for x, y in (batch for _ in range(3) for batch in solo.epoch()):
            optimizer.zero_grad()
            loss = F.cross_entropy(alone(x)[0], y[0], label_smoothing=recipe.label_smoothing)
            loss.backward()
            if recipe.gradient_clip:
                norm = nn.utils.clip_grad_norm_(alone.parameters(), recipe.gradient_clip)
                clipped += int(norm > recipe.gradient_clip)
            optimizer.step()
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # SequentialLR calls its parts the old way
                schedule.step()
            losses.append(loss.detach())
        ours = training.loss_SR[:, index]
        torch.testing.assert_close(ours, torch.stack(losses), rtol=0, atol=1e-10)
        for key, value in alone.state_dict().items():
            mine = together.state_dict()[key][index]
            torch.testing.assert_close(mine, value[0], rtol=0, atol=1e-10)
    assert bool(clipped) == bool(recipe.gradient_clip)


def test_clipping_one_replica_leaves_the_others_alone() -> None:
    """A replica with a gradient far over the limit does not change one under it."""
    rates = [replica(0.01, 0), replica(10.0, 0)]
    recipe = replace(BASE, gradient_clip=100.0, momentum=0.0)
    weights = []
    for count in (1, 2):
        module = built(count)
        initialize(module, rates[:count], 2)
        batches = Batches(catalog.load("digits"), recipe, [0] * count, torch.float64)
        Training(module, rates[:count], batches).run()
        weights.append([parameter.detach()[0] for parameter in module.parameters()])
    for one, other in zip(*weights, strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=1e-10)


@given(
    warm=st.integers(0, 40),
    epochs=st.integers(1, 5),
    epoch_steps=st.integers(1, 30),
    schedule=st.sampled_from(["constant", "cosine"]),
)
def test_a_schedule_rises_to_1_and_never_above(
    warm: int, epochs: int, epoch_steps: int, schedule: Any
) -> None:
    recipe = Recipe(warmup_steps=warm, epochs=epochs, schedule=schedule)
    factors = [schedule_factor(recipe, step, epoch_steps) for step in range(epochs * epoch_steps)]
    assert all(0 < each <= 1 for each in factors)
    rise, rest = factors[: max(warm, 1)], factors[max(warm, 1) - 1 :]
    assert rise == sorted(rise)
    assert rest == sorted(rest, reverse=True)
    if warm <= len(factors):
        assert max(factors) == 1


@given(
    cutout=st.integers(1, 12),
    height=st.integers(3, 9),
    width=st.integers(3, 9),
    seed=st.integers(0),
)
def test_cutout_blanks_a_square_around_a_drawn_center(
    cutout: int, height: int, width: int, seed: int
) -> None:
    augmentation = Augmentation(Recipe(cutout=cutout), height, width)
    generator = torch.Generator().manual_seed(seed % 2**60)
    draw = {name: v[0] for name, v in augmentation.draw(1, 4, [generator]).items()}
    x = torch.rand(4, 2, height, width) + 1
    blanked = augmentation.apply(x, draw)
    for image in range(4):
        top = int(draw["center_row"][image]) - cutout // 2
        left = int(draw["center_column"][image]) - cutout // 2
        expected = x[image].clone()
        expected[:, max(0, top) : top + cutout, max(0, left) : left + cutout] = 0
        assert torch.equal(blanked[image], expected)
        assert (expected == 0).any()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"schedule": "step"}, "needs milestones and decay_factor"),
        ({"milestones": (1,), "epochs": 2}, "need schedule='step'"),
        (
            {"schedule": "step", "epochs": 4, "milestones": (3, 2), "decay_factor": 0.1},
            "rising epochs between 0 and 4",
        ),
        (
            {"schedule": "step", "epochs": 2, "milestones": (2,), "decay_factor": 0.1},
            r"milestones\[0\]=2: give rising epochs",
        ),
        ({"warmup_steps": 3, "warmup_epochs": 1.0}, "exclude each other"),
        ({"steps": 100, "epochs": 2}, "steps=100 and epochs=2 both end training; give one"),
        ({"steps": 100, "warmup_epochs": 0.5}, "steps=100: training that ends after steps has no"),
        ({"steps": 10, "warmup_steps": 11}, "warmup_steps=11 should be at most steps=10"),
        ({"steps": -1}, "steps=-1"),
        ({"rate_per_epoch": True}, "rate_per_epoch needs schedule='cosine'"),
        ({"black_padding": True}, "black_padding needs crop_padding above 0"),
        ({"warmup_epochs": 2.0}, "warmup_epochs=2.0 should be at most epochs=1"),
        ({"label_smoothing": 1.0}, "label_smoothing=1.0"),
        ({"gradient_clip": -1.0}, "gradient_clip=-1.0"),
        ({"cutout": -1}, "cutout=-1"),
        (
            {"precision": "float16"},
            "precision='float16' should be .float32., .float64., .bfloat16. or .tf32.",
        ),
    ],
)
def test_a_wrong_field_is_one_sentence(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        Recipe(**changes)
