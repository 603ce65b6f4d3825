"""Trains the replicas of one unit together, and gives one row per replica.

Each replica sees what it would see alone: its own weights, its own rate, the images of its seed in
the order of its seed. So a row does not depend on which replicas were trained beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch

from benchmark.engine import chunk_size
from benchmark.engine.build import Builder
from benchmark.engine.checkpoint import Checkpoint
from benchmark.engine.costs import count_steps
from benchmark.engine.device import choose_device, is_out_of_memory, prepare_device
from benchmark.engine.freed_memory import keep_freed_memory
from benchmark.store.formats import schema
from benchmark.study.unit import Replica, Unit
from benchmark.training.loop import ProgressCallback, Training
from benchmark.training.outcome import Outcome
from benchmark.training.process_group import Ranks
from search_spaces import conventions
from search_spaces.errors import InvalidInput
from search_spaces.space import SearchSpace


def run(
    unit: Unit,
    on_progress: ProgressCallback | None = None,
    *,
    device: str | None = None,
    checkpoint: Path | None = None,
) -> list[dict[str, Any]]:
    """Measure a unit: a row of ``schema.SCHEMA`` per replica, in the unit's order.

    Replicas that share a training key are trained once. ``on_progress`` is told of finished
    replica-steps. ``device`` is a GPU where there is one and none is named. ``checkpoint`` is a
    local file that a long unit writes now and then; a unit that finds one goes on from there, and
    on a CPU ends with the bytes of a run that was never stopped. Raises ``InvalidInput`` where the
    space, data set or a scheme is unknown, and where the images or this code are not those that
    the unit names.
    """
    return run_on_ranks(unit, Ranks(), on_progress, device=device, checkpoint=checkpoint)


@keep_freed_memory()
def run_on_ranks(
    unit: Unit,
    ranks: Ranks,
    on_progress: ProgressCallback | None = None,
    *,
    device: str | None = None,
    checkpoint: Path | None = None,
) -> list[dict[str, Any]]:
    """``run`` on several processes: every one of the group calls this with the same unit, trains on
    its slice of every batch, and gets the same rows."""
    torch_device = torch.device(device or choose_device())
    prepare_device(torch_device, tf32=unit.recipe.precision == "tf32")
    builder = Builder.of(unit, torch_device, ranks)
    if not builder.space.topology(unit.architecture).trainable:
        return [
            schema.make_row(unit, replica, {"status": "untrainable"}) for replica in unit.replicas
        ]
    distinct = {replica.training_key: replica for replica in unit.replicas}
    saved = Checkpoint(checkpoint, unit.id)
    outcomes = measure_chunks(builder, [*distinct.values()], saved, on_progress or ignore_progress)
    measured = dict(zip(distinct, outcomes, strict=True))
    facts = describe_architecture(builder.space, unit.architecture) | builder.facts
    rows = [
        schema.make_row(unit, replica, facts | measured[replica.training_key])
        for replica in unit.replicas
    ]
    saved.remove()
    return rows


def ignore_progress(replica_steps: int) -> None:
    """What ``on_progress`` is where nobody asked."""


def measure_chunks(
    builder: Builder, replicas: Sequence[Replica], saved: Checkpoint, on_progress: ProgressCallback
) -> list[Outcome]:
    """The outcome of every replica, chunk by chunk; a chunk that lacks memory is halved."""
    stored = saved.load(len(replicas))
    outcomes: list[Outcome] = stored.get("outcomes", [])
    sizes: list[int] = stored.get("sizes", [])
    steps = count_steps(builder.unit)
    if outcomes:
        on_progress(len(outcomes) * steps)
    if not sizes:
        limit = chunk_size.LIMITS.choose(builder, replicas, steps)
        sizes = chunk_size.split_replicas(len(replicas), limit)
    while len(outcomes) < len(replicas):
        size, *later = sizes
        chunk = replicas[len(outcomes) : len(outcomes) + size]
        write = partial(saved.save_when_due, outcomes=outcomes, sizes=sizes)
        state = stored.pop("training", None)
        measured = measure_chunk(builder, chunk, saved, state, write, on_progress)
        if measured is None:
            sizes = chunk_size.halve_chunk(size) + later
        else:
            outcomes, sizes = outcomes + measured, later
    return outcomes


def measure_chunk(
    builder: Builder,
    chunk: Sequence[Replica],
    saved: Checkpoint,
    state: dict[str, Any] | None,
    write: Callable[[Training], None],
    on_progress: ProgressCallback,
) -> list[Outcome] | None:
    """The outcomes of a chunk, from ``state`` on if there is one.

    None where memory did not suffice and there is something to halve (ranks do not halve: they
    would have to agree).
    """
    try:
        if builder.unit.measure == "updates":
            outcomes = builder.measure_one_step(chunk)
            on_progress(len(chunk))
            return outcomes
        training = saved.resume(lambda: builder.build_training(chunk), state)
        if builder.ranks.differ(training.step):
            raise InvalidInput("ranks found different checkpoints; put them on a shared disk")
        if training.step:
            on_progress(training.step * len(chunk))
        return training.run(on_progress, write)
    except Exception as error:
        if len(chunk) == 1 or builder.ranks.size > 1 or not is_out_of_memory(error):
            raise
        return None


def describe_architecture(space: SearchSpace, architecture: str) -> Outcome:
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
