"""The stage that trains a ranking's sample with the other constants that tuning may choose."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from benchmark.plan.planner import plan
from benchmark.plan.rank_stages import base_rates
from benchmark.rules import bundles
from benchmark.store.formats import schema
from benchmark.study import Rank, Study
from benchmark.study.recipe import Recipe
from benchmark.study.stage import Stage
from benchmark.study.unit import Unit

PART = Rank(
    name="cells",
    space="nasbench201",
    options={"channels": 2, "cells": 1},
    rules=("default", "effective-depth", "path-cubed", "shuffled", "geometric-mean"),
    seeds=3,
    sample=5,
    rates=(0.01, 0.03, 0.1, 0.3, 1.0),
    constants=4,
    recipe=Recipe(batch=256),
)
PLATEAU = {0.01: 0.2, 0.03: 0.6, 0.1: 0.6, 0.3: 0.6, 1.0: 0.1}
PEAK = {0.01: 0.2, 0.03: 0.4, 0.1: 0.9, 0.3: 0.5, 1.0: 0.1}
TRUTH = dict.fromkeys(PART.rules, PLATEAU) | {"effective-depth": PEAK}
"""Mean validation accuracy by rule and constant."""


def planned(
    part: Rank, truth: Mapping[str, Mapping[float, float]], error: float = 0.03
) -> list[Stage[Unit]]:
    """The plan once the base stage came out as ``truth``, with the same noise for every rule."""
    stored: dict[str, list[dict[str, Any]]] = {}

    def read(ids: Sequence[str]) -> pa.Table | None:
        if not all(each in stored for each in ids):
            return None
        return schema.make_table([row for each in ids for row in stored[each]])

    study = Study(name="test", question="", parts=(part,))
    for unit in plan(study, read)[0].units or ():
        noise = dict.fromkeys((each.lr, each.seed) for each in unit.replicas)
        rng = np.random.default_rng(0)
        drawn = dict(zip(noise, rng.normal(0, error, len(noise)).tolist(), strict=True))
        stored[unit.id] = [
            schema.make_row(
                unit,
                each,
                {
                    "status": "done",
                    "valid_accuracy": truth[each.rule][each.base_lr] + drawn[each.lr, each.seed],
                },
            )
            for each in unit.replicas
        ]
    return plan(study, read)


def chosen(stage: Stage[Unit]) -> dict[str, set[float]]:
    """The constants that a stage trains, by rule."""
    found: dict[str, set[float]] = {}
    for unit in stage.units or ():
        for each in unit.replicas:
            found.setdefault(each.rule, set()).add(each.base_lr)
    return found


def test_likely_constants_are_trained_on_the_same_architectures() -> None:
    base, rank, constants = planned(PART, TRUTH)
    assert (base.name, rank.name, constants.name) == ("base", "rank", "constants")
    first, others = chosen(rank), chosen(constants)
    assert set(others) == {"path-cubed", "shuffled", "geometric-mean"}, "one rule was clear"
    for rule, rates in others.items():
        assert not rates & first[rule]
        assert rates | first[rule] <= {0.03, 0.1, 0.3}
    assert len({frozenset(rates) for rates in others.values()}) == 1, "one table, one draw"
    names = PART.architectures()
    assert [unit.architecture for unit in constants.units or ()] == names
    given = bundles("path-cubed", PART.search_space, names)
    for unit, bundle in zip(constants.units or (), given, strict=True):
        replicas = [each for each in unit.replicas if each.rule == "path-cubed"]
        assert len(replicas) == PART.seeds * len(others["path-cubed"])
        for each in replicas:
            multiplier = 1.0 if bundle is None else bundle.lr_multiplier
            assert each.lr == pytest.approx(each.base_lr * multiplier)


def test_the_units_of_the_other_stages_stay() -> None:
    def ids(stages: Sequence[Stage[Unit]]) -> list[list[str]]:
        return [[unit.id for unit in stage.units or ()] for stage in stages]

    more = ids(planned(PART, TRUTH))
    assert more[:2] == ids(planned(replace(PART, constants=1), TRUTH))
    assert not set(more[2]) & {*more[0], *more[1]}


@pytest.mark.parametrize("most", [2, 3])
def test_no_more_constants_are_trained_than_asked_for(most: int) -> None:
    flat = dict.fromkeys(PART.rules, dict.fromkeys(PART.rates, 0.5))
    *_, rank, constants = planned(replace(PART, constants=most), flat)
    for rule, rates in chosen(constants).items():
        assert len(rates | chosen(rank)[rule]) == most


def test_clear_constants_need_no_such_stage() -> None:
    stages = planned(PART, dict.fromkeys(PART.rules, PEAK))
    assert [stage.name for stage in stages] == ["base", "rank"]
    assert chosen(stages[1])["path-cubed"] == {0.1}


def test_until_the_base_is_tuned_the_stage_waits_for_the_whole_sample() -> None:
    stages = plan(Study(name="test", question="", parts=(PART,)), lambda _: None)
    assert [(each.name, each.units is None, each.expected) for each in stages] == [
        ("base", False, 1),
        ("rank", True, 5),
        ("constants", True, 5),
    ]


def test_the_rank_stage_has_the_constant_that_was_chosen() -> None:
    base, rank, _ = planned(PART, TRUTH, error=0.0001)
    assert chosen(rank)["effective-depth"] == {0.1}
    assert base.units is not None
    assert base_rates(schema.make_table([])) == {}
