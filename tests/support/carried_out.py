"""A study planned and really trained in this process, round by round, as a job does."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import pyarrow as pa

from benchmark.engine import engine
from benchmark.power.in_memory import Stored, carry_out
from benchmark.store.formats import schema
from benchmark.store.formats.manifest import make_manifest
from benchmark.study import Depth, Study, Updates
from benchmark.study.stage import Stage
from benchmark.study.unit import Unit


def carried_out(study: Study) -> tuple[list[Stage[Unit]], Stored]:
    """Every stage, and the rows of its units."""
    return carry_out(study, engine.run)


def plant_part(
    part: Depth | Updates, rows: Callable[[Unit], Iterable[dict[str, Any]]]
) -> tuple[dict[str, Any], pa.Table]:
    """The part as its manifest says it, and the planted ``rows`` of every stage."""
    study = Study(name="test", question="", parts=(part,))
    stages, stored = carry_out(study, rows)
    return make_manifest(study, stages)["study"]["parts"][0], join_stages(stages, stored)


def join_stages(stages: Sequence[Stage[Unit]], stored: Stored) -> pa.Table:
    """The rows of all stages, each with its stage's name."""
    tables = []
    for stage in stages:
        own = schema.make_table([row for unit in stage.units or () for row in stored[unit.id]])
        tables.append(own.append_column("stage", pa.array([stage.name] * len(own), pa.string())))
    return pa.concat_tables(tables)
