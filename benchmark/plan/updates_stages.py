"""Updates: one step at initialization on every rung, under each rule."""

from __future__ import annotations

from benchmark.plan.stage import Stage, plan_stage
from benchmark.plan.units import prescribed, seeded, unit
from benchmark.study import Updates


def updates_stages(part: Updates) -> list[Stage]:
    """``step``: one step on every rung, each rule at its multiplier (constant 1)."""
    rungs = part.architectures()
    given = {name: prescribed(part, name, rungs, rungs[0]) for name in part.rules}
    units = [
        unit(
            part,
            rung,
            [each for name in part.rules for each in seeded(part, name, given[name][index], 1.0)],
            "updates",
        )
        for index, rung in enumerate(rungs)
    ]
    return [plan_stage(part, "step", units)]
