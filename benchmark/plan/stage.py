"""Units of one part that can run together, and what they wait for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pyarrow as pa

from benchmark.plan.units import Measured, one_step_rates
from benchmark.study import Part
from benchmark.study.stage_names import StageName
from benchmark.study.unit import Unit

Read = Callable[[Sequence[str]], pa.Table | None]
"""The rows of these unit ids, or None where any is missing."""


@dataclass(frozen=True)
class Stage:
    """Units of one part that can run together; ``units`` is None while it waits for a stage."""

    part: str
    kind: str
    name: StageName
    units: tuple[Unit, ...] | None
    expected: int

    def rows(self, read: Read) -> pa.Table | None:
        """What the stage measured, once all of it is there."""
        return None if self.units is None else read([unit.id for unit in self.units])


def plan_stage(part: Part, name: StageName, units: Sequence[Unit]) -> Stage:
    """A stage whose units are known."""
    return Stage(part.name, part.kind, name, tuple(units), len(units))


def waiting_stage(part: Part, name: StageName, expected: int) -> Stage:
    """A stage of ``expected`` units, which follow from the rows of an earlier stage."""
    return Stage(part.name, part.kind, name, None, expected)


def probe_stage(part: Part, units: Sequence[Unit], read: Read) -> tuple[Stage, Measured]:
    """Measure eta* by these units, if any rule needs it; empty until all of it is there."""
    probing = plan_stage(part, "probe", units)
    rows = probing.rows(read) if probing.expected else None
    return probing, {} if rows is None else one_step_rates(rows)
