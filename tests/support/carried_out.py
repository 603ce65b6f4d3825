"""A study planned and really trained in this process, round by round, as a job does."""

from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from benchmark.engine import engine
from benchmark.plan.planner import Stage, plan
from benchmark.store.formats import schema
from benchmark.study import Study

Stored = dict[str, list[dict[str, Any]]]
"""The rows of every unit, by its id."""


def carried_out(study: Study) -> tuple[list[Stage], Stored]:
    """Every stage, and the rows of its units."""
    stored: Stored = {}

    def read(ids: Sequence[str]) -> pa.Table | None:
        if not all(unit_id in stored for unit_id in ids):
            return None
        return schema.table([row for unit_id in ids for row in stored[unit_id]])

    while True:
        stages = plan(study, read)
        todo = [u for s in stages for u in s.units or () if u.id not in stored]
        if not todo:
            return stages, stored
        stored |= {unit.id: engine.run(unit) for unit in todo}
