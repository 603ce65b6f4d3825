"""Trains the replicas of one unit together, and gives one row per replica.

Shape suffixes: R replicas, B batch, C channels, K = R x C, H height, W width.

Each replica sees what it would see alone: its own weights, its own rate, the images of its seed in
the order of its seed. So a row does not depend on which replicas were trained beside it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import torch

from benchmark import datasets, schema
from benchmark.batches import Batches
from benchmark.datasets import Dataset
from benchmark.initialization import initialize
from benchmark.outcome import Outcome
from benchmark.precision import dtype
from benchmark.ranks import Ranks
from benchmark.training import Progress, Training
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


def run(
    unit: Unit, on_progress: Progress | None = None, ranks: Ranks | None = None
) -> list[dict[str, Any]]:
    """Measure a unit: one row of ``benchmark.schema.SCHEMA`` per replica, in the unit's order.

    Replicas that share a training key are trained once. ``on_progress`` is told of finished
    replica-steps. With ``ranks`` every process of the group calls this with the same unit, trains
    on its slice of every batch, and gets the same rows. Raises ``InvalidInput`` where the space,
    data set or a scheme is unknown.
    """
    ranks = ranks or Ranks()
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
        outcomes = measure(unit, space, data, chunk, on_progress, ranks)
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
    ranks: Ranks,
) -> list[Outcome]:
    """Build and initialise one network of these replicas, and train it or take its one step."""
    precision = torch.float64 if unit.measure == "updates" else dtype(unit.recipe)
    module = space.build(unit.architecture, len(replicas), data.shape, data.classes).to(precision)
    initialize(module, replicas, space.topology(unit.architecture).residual_blocks)
    parameters = sum(p[0].numel() for p in module.parameters())
    common = {"parameters": parameters, "chance_loss": math.log(data.classes)}
    seeds = [replica.seed for replica in replicas]
    batches = Batches(data, unit.recipe, seeds, precision, ranks=ranks)
    if unit.measure == "updates":
        lr_R = torch.tensor([replica.lr for replica in replicas], dtype=precision)
        smoothing = unit.recipe.label_smoothing
        outcomes = one_step_moments(module, *next(batches.epoch()), lr_R, smoothing)
        if on_progress:
            on_progress(len(replicas))
    else:
        outcomes = Training(module, replicas, unit.recipe, batches).run(on_progress)
    return [common | outcome for outcome in outcomes]
