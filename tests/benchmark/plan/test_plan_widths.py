"""Rungs over depth and width: every rule carries the constant of the first width's first rung."""

from dataclasses import replace

import pytest
from support.carried_out import carried_out

from benchmark.plan.depth_stages import find_rung_optima
from benchmark.plan.planner import plan
from benchmark.plan.rungs import list_rungs
from benchmark.rules import bundles
from benchmark.store.formats import schema
from benchmark.study import Depth, Study, Updates, rate_grid
from benchmark.study.recipe import Recipe
from search_spaces.errors import InvalidInput
from search_spaces.registry import create

PART = Depth(
    name="grid",
    space="mlp",
    rules=("tuned-constant", "mup"),
    depths=(1, 2),
    widths=(8, 16),
    rates=rate_grid(0.01, 3, 5),
    recipe=Recipe(batch=16),
)


def test_every_depth_is_a_rung_at_every_width_and_all_transfer_from_the_first() -> None:
    stages, stored = carried_out(Study(name="test", question="", parts=(PART,)))
    grid, near, transfer = (stage.units or () for stage in stages)
    rungs = [(dict(unit.space_options)["width"], unit.architecture) for unit in grid]
    assert rungs == [(8, "mlp-1"), (8, "mlp-2"), (16, "mlp-1"), (16, "mlp-2")]
    assert [(dict(u.space_options)["width"], u.architecture) for u in transfer] == rungs[1:]
    rows = schema.make_table([row for s in (grid, near) for unit in s for row in stored[unit.id]])
    best = find_rung_optima(rows, "mup", list_rungs(PART))[0]
    assert best.usable
    for unit in transfer:
        space = create("mlp", **dict(unit.space_options))
        (bundle,) = bundles(
            "mup", space, [unit.architecture], "mlp-1", base_space=create("mlp", width=8)
        )
        assert bundle is not None
        replicas = [each for each in unit.replicas if each.rule == "mup"]
        assert {each.lr for each in replicas} == {best.rate * bundle.lr_multiplier}
        assert {each.factors for each in replicas} == {bundle.factors}
    wide = next(u for u in transfer if dict(u.space_options)["width"] == 16)
    assert next(each for each in wide.replicas if each.rule == "mup").factors


def test_the_optimum_of_a_rung_is_that_of_its_width() -> None:
    _, stored = carried_out(Study(name="test", question="", parts=(replace(PART, seeds=1),)))
    rows = schema.make_table([row for rows in stored.values() for row in rows])
    found = find_rung_optima(rows, "tuned-constant", list_rungs(PART))
    rates = {optimum.loss for optimum in found}
    assert len(rates) == 4


def test_one_width_plans_the_units_of_the_same_option() -> None:
    def ids(part: Depth | Updates) -> list[str]:
        study = Study(name="test", question="", parts=(part,))
        return [unit.id for stage in plan(study, lambda _: None) for unit in stage.units or ()]

    assert ids(replace(PART, widths=(8,))) == ids(replace(PART, widths=(), options={"width": 8}))
    steps = Updates(name="s", space="cnn", rules=("mup",), depths=(2, 3), widths=(4, 8))
    assert len(ids(steps)) == 4


def test_a_measured_rule_is_measured_at_every_width() -> None:
    part = replace(PART, rules=("one-step",), depths=(1, 2), rates=(0.1, 0.2), transfer=False)
    stages, stored = carried_out(Study(name="test", question="", parts=(part,)))
    probe, grid, _ = (stage.units or () for stage in stages)
    assert len(probe) == len(grid) == 4
    multipliers = {row["lr_multiplier"] for unit in grid for row in stored[unit.id]}
    assert len(multipliers) == 4


def test_widths_need_a_space_that_has_them() -> None:
    with pytest.raises(InvalidInput, match="space nasbench201 has no option width"):
        replace(PART, space="nasbench201", depths=(), sample=2)
