"""A unit that this code has planned is one that it trains, under every rule and optimizer."""

from dataclasses import replace
from typing import Literal

import pytest

from benchmark import rules
from benchmark.engine.build import check_versions
from benchmark.plan.planner import plan
from benchmark.plan.units import plan_replica
from benchmark.rules import registry
from benchmark.rules.grammar.forms import FORMS
from benchmark.study import PLAIN_SGD, Depth, Study
from search_spaces.errors import InvalidInput
from search_spaces.registry import create


def written_rules() -> list[str]:
    """Every rule, form, control and composition that can be written with one suffix or prefix."""
    names = list(registry())
    names += [f"{rule}:{form}" for rule in registry() for form in FORMS]
    names += [f"{rule}*mup" for rule in registry()]
    names += [f"{control}:{rule}" for control in ("shuffled", "geometric-mean") for rule in names]
    return [name for name in dict.fromkeys(names) if exists(name)]


def exists(name: str) -> bool:
    try:
        rules.rule(name)
    except InvalidInput:
        return False
    return True


@pytest.mark.parametrize("optimizer", ["sgd", "adamw"])
def test_what_is_planned_here_is_trained_here(optimizer: Literal["sgd", "adamw"]) -> None:
    names = [
        name
        for name in written_rules()
        if optimizer in rules.rule(name).optimizers and not rules.rule(name).measured
    ]
    assert len(names) > 60
    assert {"effective-depth*mup", "shuffled:depth-mup*mup", "depth-mup"} <= set(names)
    part = Depth(
        name="one",
        space="resnet",
        options={"width": 4},
        rules=tuple(names),
        seeds=1,
        depths=(1, 2),
        rates=(0.1, 0.2),
        recipe=replace(PLAIN_SGD, optimizer=optimizer),
    )
    stages = plan(Study(name="s", question="", parts=(part,)), lambda _: None)
    unit = next(unit for stage in stages for unit in stage.units or ())
    space = create(part.space, **part.options)
    for name in names:
        planned = plan_replica(part, name, None, 0.1, 0)
        check_versions(replace(unit, replicas=(planned,)), space)
        other = replace(planned, rule_version=planned.rule_version + 1)
        with pytest.raises(InvalidInput, match="install the driver's code on every node"):
            check_versions(replace(unit, replicas=(other,)), space)
