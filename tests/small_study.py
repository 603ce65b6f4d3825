"""A study of every kind of part that trains in seconds: a job for tests, in-process or alone.

As a command it takes a job's arguments. ``UNIT_SECONDS`` makes every unit take at least so long, to
be interrupted in time.
"""

import os
import time
from collections.abc import Callable
from typing import Any

from benchmark import engine, job
from benchmark.recipes import Recipe
from benchmark.study import Depth, Rank, Study, Updates
from benchmark.unit import Unit

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


def slow(unit: Unit, on_progress: Callable[[int], None] | None = None) -> list[dict[str, Any]]:
    time.sleep(float(os.environ.get("UNIT_SECONDS", "0")))
    return engine.run(unit, on_progress)


if __name__ == "__main__":
    raise SystemExit(job.main(STUDY, run=slow))
