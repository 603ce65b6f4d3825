"""Updates: one step at initialization on every rung, under each rule."""

from __future__ import annotations

from benchmark.plan.rungs import list_rungs, prescribe_rungs
from benchmark.plan.stage import plan_stage
from benchmark.plan.units import plan_predicted, plan_unit
from benchmark.study import Updates
from benchmark.study.stage import Stage
from benchmark.study.unit import Unit


def updates_stages(part: Updates) -> list[Stage[Unit]]:
    """``step``: one step on every rung, each rule at its multiplier (constant 1)."""
    rungs = list_rungs(part)
    given = {name: prescribe_rungs(name, rungs) for name in part.rules}
    units = [
        plan_unit(
            rung.part,
            rung.architecture,
            [
                each
                for name in part.rules
                for each in plan_predicted(rung.part, name, given[name][index], 1.0)
            ],
            "updates",
        )
        for index, rung in enumerate(rungs)
    ]
    return [plan_stage(part, "step", units)]
