"""A study of every kind of part that trains in seconds: a job for tests, in-process or alone.

As a command it takes a job's arguments. ``UNIT_SECONDS`` makes every unit take at least so long, to
be interrupted in time; ``NOTES`` is a folder for a note of every unit's start; ``ONE_ROUND`` leaves
out the part whose second stage follows from the first, which costs another start of the workers.
"""

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmark import job
from benchmark.engine import engine
from benchmark.plan.planner import plan
from benchmark.store import provenance
from benchmark.store.store import Store
from benchmark.study import Depth, Rank, Study, Updates
from benchmark.study.recipe import Recipe
from benchmark.study.unit import Unit

CELLS = Rank(
    name="cells",
    space="nasbench201",
    options={"channels": 2, "cells": 1},
    rules=("default", "path-cubed"),
    seeds=1,
    sample=2,
    rates=(0.05, 0.5),
    recipe=Recipe(batch=256),
)
RUNGS = Depth(
    name="rungs",
    space="mlp",
    options={"width": 4},
    rules=("tuned-constant",),
    seeds=2,
    depths=(2, 3, 4),
    rates=(0.01, 0.1, 1e6),
    neighbours=False,  # every further round of the plan costs a start of the workers
    transfer=False,
    recipe=Recipe(batch=256),
)
STEPS = Updates(
    name="steps",
    space="mlp",
    options={"width": 4},
    rules=("effective-depth",),
    seeds=1,
    depths=(2, 3),
    recipe=Recipe(batch=256),
)
STUDY = Study(name="small", question="Does every kind of part run?", parts=(CELLS, RUNGS, STEPS))
UNITS = 8
ONE_ROUND = Study(name="small", question=STUDY.question, parts=(RUNGS, STEPS))
ONE_ROUND_UNITS = 5


def of_one_round(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Of the rows of ``STUDY`` those that ``ONE_ROUND`` has."""
    return [row for row in rows if row["space"] != CELLS.space]


def slow(seconds: float, notes: str, out: str) -> Callable[..., list[dict[str, Any]]]:
    """The engine, at leisure; every start of a unit leaves a note that says if it was finished."""

    def run(
        unit: Unit,
        on_progress: Callable[[int], None] | None = None,
        *,
        device: str | None = None,
        checkpoint: Path | None = None,
    ) -> list[dict[str, Any]]:
        if notes:
            finished = Path(out, "units", f"{unit.id}.arrow").exists()
            name = f"{unit.id}.{os.getpid()}.{time.time_ns()}"
            Path(notes, name).write_text("finished" if finished else "new")
        time.sleep(seconds)
        return engine.run(unit, on_progress, device=device, checkpoint=checkpoint)

    return run


def train_alone(place: Path) -> list[dict[str, Any]]:
    """The study's rows, stage by stage, trained one unit after the other in this process."""
    store = Store.open(str(place), create=True)
    stages = plan(STUDY, store.read)
    while len(store.done()) < UNITS:
        for unit in (unit for stage in stages for unit in stage.units or ()):
            if unit.id not in store.done():
                store.write(unit, engine.run(unit), provenance.make_record("none", 0.0))
        stages = plan(STUDY, store.read)
    rows = store.read([unit.id for stage in stages for unit in stage.units or ()])
    assert rows is not None
    found: list[dict[str, Any]] = rows.to_pylist()
    return found


if __name__ == "__main__":
    leisure = float(os.environ.get("UNIT_SECONDS", "0"))
    place = sys.argv[sys.argv.index("--out") + 1]
    study = ONE_ROUND if "ONE_ROUND" in os.environ else STUDY
    raise SystemExit(job.main(study, run=slow(leisure, os.environ.get("NOTES", ""), place)))
