"""The panel on which a ranking's constants are tuned, and how its architectures are drawn."""

from collections import Counter
from dataclasses import replace

import pytest
from support.carried_out import carried_out

from benchmark.plan.planner import plan
from benchmark.plan.rank_stages import base_rates
from benchmark.rules import bundles
from benchmark.store.formats import schema
from benchmark.study import Rank, Study
from benchmark.study.recipe import Recipe
from search_spaces.conventions import convention
from search_spaces.errors import InvalidInput

PART = Rank(
    name="cells",
    space="nasbench201",
    options={"channels": 2, "cells": 1},
    rules=("default", "path-cubed"),
    seeds=1,
    sample=4,
    panel=3,
    rates=(0.1, 0.3),
    recipe=Recipe(batch=256, momentum=0.9),
)


def test_constants_are_tuned_on_the_whole_panel() -> None:
    stages, stored = carried_out(Study(name="test", question="", parts=(PART,)))
    base, rank = (stage.units or () for stage in stages)
    panel = PART.tuning_panel()
    assert [unit.architecture for unit in base] == panel
    given = bundles("path-cubed", PART.search_space, panel, panel[0])
    for unit, bundle in zip(base, given, strict=True):
        assert bundle is not None
        assert [each.base_lr for each in unit.replicas] == list(PART.rates)
        for each in unit.replicas:
            assert each.lr == pytest.approx(each.base_lr * bundle.lr_multiplier)
    rows = schema.make_table([row for unit in base for row in stored[unit.id]])
    (rate,) = base_rates(rows).values()
    mean = {
        constant: sum(
            row["valid_accuracy"] for row in rows.to_pylist() if row["base_lr"] == constant
        )
        for constant in PART.rates
    }
    assert mean[rate] == max(mean.values())
    used = {each.base_lr for unit in rank for each in unit.replicas if each.rule == "path-cubed"}
    assert used == {rate}


def test_the_panel_shares_no_function_with_the_sample() -> None:
    for seed in range(5):
        part = replace(PART, sample=40, panel=6, sample_seed=seed)
        canonical = part.search_space.canonical
        panel = part.tuning_panel()
        assert panel[0] == part.search_space.base_architecture
        functions = {canonical(each) for each in panel}
        assert len(functions) == 6
        assert not functions & {canonical(each) for each in part.architectures()} - {
            canonical(panel[0])
        }
        cubes = convention("chen2024-cell").statistics
        classes = {cubes(part.search_space.topology(each)).sum_cubes for each in panel[1:]}
        assert len(classes) == 5


def test_a_panel_of_one_is_the_base_with_the_ids_it_always_had() -> None:
    def ids(part: Rank) -> list[str]:
        study = Study(name="test", question="", parts=(part,))
        return [unit.id for unit in plan(study, lambda _: None)[0].units or ()]

    assert ids(PART)[0] == ids(replace(PART, panel=1))[0]


def test_a_uniform_sample_is_that_of_the_space_and_a_stratified_one_spreads() -> None:
    space = PART.search_space
    uniform = replace(PART, sample=92)
    assert uniform.architectures() == space.architectures(92, 0)
    stratified = replace(uniform, sampling="stratified").architectures()
    cubes = convention("chen2024-cell").statistics
    dealt = Counter(cubes(space.topology(each)).sum_cubes for each in stratified)
    assert len(dealt) == 46
    assert max(dealt.values()) <= 3


def test_a_panel_that_is_not_there_is_one_sentence() -> None:
    part = replace(PART, space="vit", options={}, rules=("tuned-constant",), sample=None, panel=3)
    with pytest.raises(InvalidInput, match="panel=3: vit has too few architectures"):
        part.tuning_panel()
