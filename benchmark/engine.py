"""Trains the replicas of one unit together, and gives one row per replica.

Shape suffixes: R replicas, B batch, C channels, K = R x C, H height, W width.

Each replica sees what it would see alone: its own weights, its own rate, the images of its seed in
the order of its seed. So a row does not depend on which replicas were trained beside it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from benchmark import datasets, schema
from benchmark.batches import Batches
from benchmark.datasets import Dataset
from benchmark.initialization import initialize
from benchmark.optimizer import optimizer
from benchmark.recipes import Recipe
from benchmark.unit import Replica, Unit
from benchmark.updates import one_step_moments
from search_spaces import conventions
from search_spaces.registry import create
from search_spaces.space import SearchSpace

CACHED_ELEMENTS = 2**18
"""Replicas are trained together until one layer's activations reach this many numbers (1 MiB in
float32): beyond, they leave the cache and each replica-step takes longer than it would in less
company."""

MAX_CHUNK = 64

Outcome = dict[str, Any]
Progress = Callable[[int], None]


def run(unit: Unit, on_progress: Progress | None = None) -> list[dict[str, Any]]:
    """Measure a unit: one row of ``benchmark.schema.SCHEMA`` per replica, in the unit's order.

    Replicas that share a training key are trained once. ``on_progress`` is told of finished
    replica-steps. Raises ``InvalidInput`` where the space, data set or a scheme is unknown.
    """
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    space = create(unit.space, **dict(unit.space_options))
    topology = space.topology(unit.architecture)
    if not topology.trainable:
        return [schema.row(unit, replica, {"status": "untrainable"}) for replica in unit.replicas]
    distinct = {replica.training_key: replica for replica in unit.replicas}
    data = datasets.load(unit.dataset)
    measured: dict[Any, Outcome] = {}
    limit = chunk_limit(unit, topology.width, data)
    for chunk in chunks(list(distinct.values()), limit):
        outcomes = measure(unit, space, data, chunk, on_progress)
        measured |= {r.training_key: o for r, o in zip(chunk, outcomes, strict=True)}
    facts = describe(space, unit.architecture)
    return [
        schema.row(unit, replica, facts | measured[replica.training_key])
        for replica in unit.replicas
    ]


def chunk_limit(unit: Unit, width: int, data: Dataset) -> int:
    """How many replicas to train as one network."""
    _, height, columns = data.shape
    elements = unit.recipe.batch * width * height * columns
    return max(1, min(MAX_CHUNK, CACHED_ELEMENTS // elements))


def chunks(replicas: Sequence[Replica], limit: int) -> Iterator[Sequence[Replica]]:
    """Split replicas evenly into as few chunks of at most ``limit`` as will hold them."""
    count = math.ceil(len(replicas) / limit)
    for index in range(count):
        yield replicas[index * len(replicas) // count : (index + 1) * len(replicas) // count]


def replica_steps(unit: Unit) -> int:
    """How many steps of how many replicas a unit takes (replicas that share a training once)."""
    if not create(unit.space, **dict(unit.space_options)).topology(unit.architecture).trainable:
        return 0
    distinct = len({replica.training_key for replica in unit.replicas})
    if unit.measure == "updates":
        return distinct
    data = datasets.load(unit.dataset)
    training = len(data.y_train) - round(len(data.y_train) * unit.recipe.validation)
    return distinct * unit.recipe.epochs * max(1, training // unit.recipe.batch)


def cost(unit: Unit) -> int:
    """Relative computing cost: replica-steps x weighted layers x batch."""
    space = create(unit.space, **dict(unit.space_options))
    network = space.topology(unit.architecture).network
    layers = sum(edge.operation.weighted for edge in network.live_edges)
    return replica_steps(unit) * layers * unit.recipe.batch


def describe(space: SearchSpace, architecture: str) -> Outcome:
    """The columns that say what an architecture is, of one replica."""
    topology = space.topology(architecture)
    layers = conventions.convention("wu2026-layers-and-additions").statistics(topology)
    relus = conventions.convention("chen2024-dag-paper").statistics(topology)
    return {
        "effective_depth": layers.min,
        "log2_sum_cubes": relus.log2_sum_cubes,
        "convolutions": sum(
            edge.operation.weighted and edge.operation.role == "body"
            for edge in topology.network.live_edges
        ),
    }


def measure(
    unit: Unit,
    space: SearchSpace,
    data: Dataset,
    replicas: Sequence[Replica],
    on_progress: Progress | None,
) -> list[Outcome]:
    """Build and initialise one network of these replicas, and train it or take its one step."""
    precision = (
        torch.float64 if unit.measure == "updates" else getattr(torch, unit.recipe.precision)
    )
    module = space.build(unit.architecture, len(replicas), data.shape, data.classes).to(precision)
    initialize(module, replicas, space.topology(unit.architecture).residual_blocks)
    parameters = sum(p[0].numel() for p in module.parameters())
    common = {"parameters": parameters, "chance_loss": math.log(data.classes)}
    batches = Batches(data, unit.recipe, [replica.seed for replica in replicas], precision)
    if unit.measure == "updates":
        lr_R = torch.tensor([replica.lr for replica in replicas], dtype=precision)
        outcomes = one_step_moments(module, *next(batches.epoch()), lr_R)
        if on_progress:
            on_progress(len(replicas))
    else:
        outcomes = train(module, replicas, unit.recipe, batches, on_progress)
    return [common | outcome for outcome in outcomes]


def train(
    module: nn.Module,
    replicas: Sequence[Replica],
    recipe: Recipe,
    batches: Batches,
    on_progress: Progress | None = None,
) -> list[Outcome]:
    """Train by the recipe; losses are means per image, accuracies shares in [0, 1].

    A replica whose loss is not finite is *diverged* at that step; so is one whose last epoch's mean
    loss is above both its first step's and twice chance. Neither disturbs the others, and none is
    stopped early: a spike may recover.
    """
    R, total = len(replicas), recipe.epochs * batches.steps
    lr_R = torch.tensor([replica.lr for replica in replicas], dtype=torch.float64)
    moving = optimizer(module, lr_R, recipe, [dict(replica.factors) for replica in replicas])
    loss_SR = torch.full((total, R), math.nan, dtype=torch.float64)
    valid_ER = torch.full((recipe.epochs, R), math.nan, dtype=torch.float64)
    evaluation: dict[str, Tensor] = {}
    step = 0
    for epoch in range(recipe.epochs):
        module.train()
        for x_BKHW, y_RB in batches.epoch():
            moving.zero_grad()
            loss_R = replica_losses(module(x_BKHW), y_RB)
            loss_R.sum().backward()
            moving.step(schedule(recipe, step, total))
            loss_SR[step] = loss_R.detach()
            step += 1
            if on_progress:
                on_progress(R)
        evaluation["valid_loss"], evaluation["valid_accuracy"] = evaluate(module, batches.valid())
        valid_ER[epoch] = evaluation["valid_accuracy"]
    evaluation["test_loss"], evaluation["test_accuracy"] = evaluate(module, batches.test())
    train_ER = loss_SR.view(recipe.epochs, -1, R).mean(1)
    return [
        outcome(
            loss_SR[:, index],
            train_ER[:, index],
            valid_ER[:, index],
            {name: float(value[index]) for name, value in evaluation.items()},
            chance=math.log(batches.data.classes),
        )
        for index in range(R)
    ]


def outcome(
    loss_S: Tensor, train_E: Tensor, valid_E: Tensor, evaluation: dict[str, float], chance: float
) -> Outcome:
    """The columns of one trained replica; what is not finite is null."""
    broken = (~torch.isfinite(loss_S)).nonzero()
    initial, final = float(loss_S[0]), float(train_E[-1])
    diverged = len(broken) > 0 or final > max(initial, 2 * chance)
    columns: Outcome = {
        "initial_loss": initial,
        "train_loss": final,
        **evaluation,
        "status": "diverged" if diverged else "done",
        "diverged_step": int(broken[0]) if len(broken) else None,
        "steps": len(loss_S),
        "train_loss_curve": train_E.tolist(),
        "valid_accuracy_curve": valid_E.tolist(),
    }
    return {name: finite(value) for name, value in columns.items()}


def finite(value: Any) -> Any:
    """None in the place of every number that is not finite, in lists too."""
    if isinstance(value, list):
        return [finite(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def schedule(recipe: Recipe, step: int, total: int) -> float:
    """The factor on every rate at a step: 1, or half a cosine from 1 to 0."""
    if recipe.schedule == "cosine":
        return 0.5 * (1 + math.cos(math.pi * step / total))
    return 1.0


def replica_losses(logits_RBC: Tensor, y_RB: Tensor) -> Tensor:
    """Each replica's mean cross-entropy (nats per image)."""
    loss = F.cross_entropy(logits_RBC.flatten(0, 1), y_RB.flatten(), reduction="none")
    return loss.view(y_RB.shape).mean(1)


@torch.no_grad()
def evaluate(module: nn.Module, batches: Iterator[tuple[Tensor, Tensor]]) -> tuple[Tensor, Tensor]:
    """Each replica's mean loss and accuracy over the batches, in evaluation mode."""
    module.eval()
    loss_R, correct_R = (torch.zeros(1, dtype=torch.float64) for _ in range(2))
    images = 0
    for x_BKHW, y_RB in batches:
        logits_RBC = module(x_BKHW)
        loss_R = loss_R + replica_losses(logits_RBC, y_RB) * y_RB.shape[1]
        correct_R = correct_R + (logits_RBC.argmax(-1) == y_RB).sum(1)
        images += y_RB.shape[1]
    return loss_R / images, correct_R / images
