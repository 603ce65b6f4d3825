"""Stages whose units are known or wait for others, and what was measured in one."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pyarrow as pa

from benchmark.plan.units import Measured, one_step_rates
from benchmark.study import Part
from benchmark.study.stage import Stage, StageName
from benchmark.study.unit import Unit

Read = Callable[[Sequence[str]], pa.Table | None]
"""The rows of these unit ids, or None where any is missing."""


def read_stage(stage: Stage[Unit], read: Read) -> pa.Table | None:
    """What a stage measured, once all of it is there."""
    return None if stage.units is None else read([unit.id for unit in stage.units])


def plan_stage(part: Part, name: StageName, units: Sequence[Unit]) -> Stage[Unit]:
    """A stage whose units are known."""
    return Stage(part.name, part.kind, name, tuple(units), len(units))


def waiting_stage(part: Part, name: StageName, expected: int) -> Stage[Unit]:
    """A stage of ``expected`` units, which follow from the rows of an earlier stage."""
    return Stage(part.name, part.kind, name, None, expected)


def probe_stage(part: Part, units: Sequence[Unit], read: Read) -> tuple[Stage[Unit], Measured]:
    """Measure eta* by these units, if any rule needs it; empty until all of it is there."""
    probing = plan_stage(part, "probe", units)
    rows = read_stage(probing, read) if probing.expected else None
    return probing, {} if rows is None else one_step_rates(rows)
