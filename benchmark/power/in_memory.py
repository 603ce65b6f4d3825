"""A study carried out in this process, round by round, its rows kept in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import pyarrow as pa

from benchmark.plan.planner import plan
from benchmark.store.formats import schema
from benchmark.study import Study
from benchmark.study.stage import Stage
from benchmark.study.unit import Unit

Stored = dict[str, list[dict[str, Any]]]
"""The rows of every unit, by its id."""


def carry_out(
    study: Study, make_rows: Callable[[Unit], Iterable[dict[str, Any]]]
) -> tuple[list[Stage[Unit]], Stored]:
    """Every stage, and the rows that ``make_rows`` gives of its units; raises what that raises."""
    stored: Stored = {}

    def read(ids: Sequence[str]) -> pa.Table | None:
        if not all(unit_id in stored for unit_id in ids):
            return None
        return schema.make_table([row for unit_id in ids for row in stored[unit_id]])

    while True:
        stages = plan(study, read)
        todo = [u for s in stages for u in s.units or () if u.id not in stored]
        if not todo:
            return stages, stored
        stored |= {unit.id: list(make_rows(unit)) for unit in todo}
