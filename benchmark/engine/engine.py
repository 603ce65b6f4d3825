"""Trains the replicas of one unit together, and gives one row per replica.

Shape suffixes: R replicas, B batch, C channels, K = R x C, H height, W width.

Each replica sees what it would see alone: its own weights, its own rate, the images of its seed in
the order of its seed. So a row does not depend on which replicas were trained beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch

from benchmark.datasets import catalogue
from benchmark.engine import chunk_size, trials
from benchmark.engine import device as devices
from benchmark.engine.build import Setting
from benchmark.engine.checkpoint import Checkpoint
from benchmark.engine.memory import exhausted
from benchmark.store import schema
from benchmark.study.unit import Replica, Unit
from benchmark.training.loop import Progress, Training
from benchmark.training.outcome import Outcome
from benchmark.training.process_group import Ranks
from search_spaces import conventions
from search_spaces.errors import InvalidInput
from search_spaces.registry import create
from search_spaces.space import SearchSpace


def run(
    unit: Unit,
    on_progress: Progress | None = None,
    *,
    ranks: Ranks | None = None,
    device: str | None = None,
    checkpoint: Path | None = None,
) -> list[dict[str, Any]]:
    """Measure a unit: a row of ``benchmark.store.schema.SCHEMA`` per replica, in the unit's order.

    Replicas that share a training key are trained once. ``on_progress`` is told of finished
    replica-steps. With ``ranks`` every process of the group calls this with the same unit, trains
    on its slice of every batch, and gets the same rows. ``device`` is a GPU where there is one and
    none is named. ``checkpoint`` is a local file that a long unit writes now and then; a unit that
    finds one goes on from there, and on a CPU ends with the bytes of a run that was never stopped.
    Raises ``InvalidInput`` where the space, data set or a scheme is unknown.
    """
    place = torch.device(device or devices.default())
    devices.prepare(place)
    space = create(unit.space, **dict(unit.space_options))
    if not space.topology(unit.architecture).trainable:
        return [schema.row(unit, replica, {"status": "untrainable"}) for replica in unit.replicas]
    setting = Setting.of(unit, place, ranks or Ranks())
    distinct = {replica.training_key: replica for replica in unit.replicas}
    saved = Checkpoint(checkpoint, unit.id)
    outcomes = measure(setting, list(distinct.values()), saved, on_progress or (lambda _: None))
    measured = dict(zip(distinct, outcomes, strict=True))
    facts = describe(space, unit.architecture) | setting.facts
    rows = [
        schema.row(unit, replica, facts | measured[replica.training_key])
        for replica in unit.replicas
    ]
    saved.remove()
    return rows


def measure(
    setting: Setting, replicas: Sequence[Replica], saved: Checkpoint, on_progress: Progress
) -> list[Outcome]:
    """What came of every replica, measured chunk by chunk; a chunk that lacks memory is halved."""
    stored = saved.load()
    outcomes: list[Outcome] = stored.get("outcomes", [])
    sizes: list[int] = stored.get("sizes", [])
    if outcomes:
        on_progress(len(outcomes) * steps(setting.unit))
    if not sizes:
        limit = trials.limit(setting, replicas, steps(setting.unit))
        sizes = chunk_size.sizes(len(replicas), limit)
    while len(outcomes) < len(replicas):
        size, *later = sizes
        chunk = replicas[len(outcomes) : len(outcomes) + size]

        write = partial(saved.save_when_due, outcomes=outcomes, sizes=sizes)
        found = attempt(setting, chunk, stored.pop("training", None), write, on_progress)
        if found is None:
            sizes = chunk_size.halves(size) + later
            continue
        outcomes, sizes = outcomes + found, later
    return outcomes


def attempt(
    setting: Setting,
    chunk: Sequence[Replica],
    state: dict[str, Any] | None,
    write: Callable[[Training], None],
    on_progress: Progress,
) -> list[Outcome] | None:
    """What came of a chunk, from ``state`` on if there is one; None where memory did not suffice
    and there is something to halve (ranks do not halve: they would have to agree)."""
    try:
        if setting.unit.measure == "updates":
            outcomes = setting.one_step(chunk)
            on_progress(len(chunk))
            return outcomes
        training = setting.training(chunk)
        if state:
            training.restore(state)
        if setting.ranks.differ(training.step):
            raise InvalidInput("ranks found different checkpoints; put them on a shared disk")
        if state:
            on_progress(training.step * len(chunk))
        return training.run(on_progress, write)
    except Exception as error:
        if len(chunk) == 1 or setting.ranks.size > 1 or not exhausted(error):
            raise
        return None


def steps(unit: Unit) -> int:
    """How many steps a replica of a unit takes."""
    if unit.measure == "updates":
        return 1
    data = catalogue.load(unit.dataset)
    training = len(data.y_train) - round(len(data.y_train) * unit.recipe.validation)
    return unit.recipe.epochs * max(1, training // unit.recipe.batch)


def replica_steps(unit: Unit) -> int:
    """How many steps of how many replicas a unit takes (replicas that share a training once)."""
    if not create(unit.space, **dict(unit.space_options)).topology(unit.architecture).trainable:
        return 0
    return len({replica.training_key for replica in unit.replicas}) * steps(unit)


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
