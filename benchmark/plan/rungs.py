"""The rungs of a depth or updates part: every depth at every width, the base first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from benchmark.plan.stage import Read, probe_stage
from benchmark.plan.units import (
    Measured,
    NetworkKey,
    name_network,
    plan_probes,
    prescribe_bundles,
)
from benchmark.rules import Bundle
from benchmark.study import LadderPart
from benchmark.study.stage import Stage
from benchmark.study.unit import Unit


class Rung(NamedTuple):
    """One network of a ladder: ``part`` is at its width."""

    part: LadderPart
    architecture: str

    @property
    def network(self) -> NetworkKey:
        """What rows call it."""
        return name_network(self.part, self.architecture)


def list_rungs(part: LadderPart) -> list[Rung]:
    """Every rung, width by width, shallowest first: the first is the rules' base."""
    return [
        Rung(narrowed, architecture)
        for narrowed in part.at_widths()
        for architecture in narrowed.architectures()
    ]


def prescribe_rungs(
    name: str, rungs: Sequence[Rung], measured: Measured | None = None
) -> list[Bundle | None]:
    """What a rule gives every rung, relative to the first.

    A control deals its rates among the rungs of one width.
    """
    base = rungs[0]
    given: list[Bundle | None] = []
    for part in dict.fromkeys(id(rung.part) for rung in rungs):
        own = [rung for rung in rungs if id(rung.part) == part]
        names = [rung.architecture for rung in own]
        given += prescribe_bundles(
            own[0].part, name, names, base.architecture, measured, base_part=base.part
        )
    return given


def probe_rungs(part: LadderPart, read: Read) -> tuple[Stage[Unit], Measured]:
    """Measure eta* where a rule of the part needs it; empty until all of it is there."""
    units = [
        unit
        for narrowed in part.at_widths()
        for unit in plan_probes(narrowed, narrowed.architectures())
    ]
    return probe_stage(part, units, read)
