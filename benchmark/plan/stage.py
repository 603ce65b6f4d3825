"""Units of one part that can run together, and what they wait for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pyarrow as pa

from benchmark.plan.units import Measured, one_step_rates, probes
from benchmark.study import Part
from benchmark.study.unit import Unit

Read = Callable[[Sequence[str]], pa.Table | None]
"""The rows of these unit ids, or None where any is missing."""


@dataclass(frozen=True)
class Stage:
    """Units of one part that can run together; ``units`` is None while it waits for a stage."""

    part: str
    kind: str
    name: str
    units: tuple[Unit, ...] | None
    expected: int

    def rows(self, read: Read) -> pa.Table | None:
        """What the stage measured, once all of it is there."""
        return None if self.units is None else read([unit.id for unit in self.units])


def stage(part: Part, name: str, units: Sequence[Unit] | None, expected: int = 0) -> Stage:
    """A stage of a part; ``expected`` matters while its units are unknown."""
    known = None if units is None else tuple(units)
    return Stage(part.name, part.kind, name, known, expected if known is None else len(known))


def probe_stage(part: Part, architectures: Sequence[str], read: Read) -> tuple[Stage, Measured]:
    """Measure eta* where a rule of the part needs it; empty until all of it is there."""
    probing = stage(part, "probe", probes(part, architectures))
    rows = probing.rows(read) if probing.expected else None
    return probing, {} if rows is None else one_step_rates(rows)
