"""From a study to units: stages wait for what they need, and ids name what matters."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pyarrow as pa
import pytest

from benchmark import engine, schema
from benchmark.plan import base_rates, plan
from benchmark.recipes import Recipe
from benchmark.study import Depth, Rank, Study, Updates, rate_grid
from benchmark.unit import Unit
from search_spaces.errors import InvalidInput

RANK = Rank(
    name="cells",
    space="nasbench201",
    options={"channels": 2, "cells": 1},
    rules=("default", "effective-depth", "path-cubed", "shuffled"),
    sample=6,
    rates=(0.1, 0.3),
    recipe=Recipe(batch=256, momentum=0.9),
)
DEPTH = Depth(
    name="ladder",
    space="resnet",
    options={"width": 4},
    rules=("tuned-constant", "effective-depth"),
    depths=(4, 2),
    rates=rate_grid(0.01, 1, 3),
)
UPDATES = Updates(
    name="steps", space="cnn", options={"width": 4}, rules=("path-cubed",), depths=(2, 8)
)
STUDY = Study(name="test", question="", parts=(RANK, DEPTH, UPDATES))


def nothing(_ids: Sequence[str]) -> pa.Table | None:
    return None


def test_ranking_waits_for_the_base_rates_and_uses_them() -> None:
    base, rank, grid, step = plan(STUDY, nothing)
    assert [s.name for s in (base, rank, grid, step)] == ["base", "rank", "grid", "step"]
    assert rank.units is None
    assert rank.expected == 6
    assert base.units is not None
    rows = schema.table(engine.run(base.units[0]))
    _, ranked, *_ = plan(STUDY, lambda _ids: rows)
    assert ranked.units is not None
    assert len({unit.id for unit in ranked.units}) == 6
    chosen = base_rates(rows)
    for unit in ranked.units:
        assert [r.rule for r in unit.replicas[::2]] == list(RANK.rules)
        for replica in unit.replicas:
            expected = 0.1 if replica.rule == "default" else chosen[replica.rule]
            assert replica.base_lr == expected
            assert replica.lr == pytest.approx(expected * replica.lr_multiplier)


def test_base_rate_is_the_best_mean_validation_accuracy_and_the_larger_if_tied() -> None:
    def row(rule: str, lr: float, accuracy: float | None, status: str = "done") -> dict[str, Any]:
        return {"rule": rule, "base_lr": lr, "status": status, "valid_accuracy": accuracy}

    rows = [
        row("a", 0.1, 0.5),
        row("a", 0.1, 0.7),
        row("a", 0.2, 0.6),
        row("a", 0.2, 0.6),
        row("a", 0.4, 0.9),
        row("a", 0.4, None, "diverged"),
    ]
    assert base_rates(pa.Table.from_pylist(rows)) == {"a": 0.2}


def test_rungs_are_planned_shallow_to_deep_over_the_grid() -> None:
    *_, grid, step = plan(STUDY, nothing)
    assert grid.units is not None
    assert [unit.architecture for unit in grid.units] == ["resnet-2", "resnet-4"]
    deep = grid.units[1]
    assert len(deep.replicas) == 2 * 3 * 2
    for replica in deep.replicas:
        assert replica.lr == pytest.approx(replica.base_lr * replica.lr_multiplier)
        assert replica.lr in DEPTH.rates
    assert step.units is not None
    first, last = step.units
    assert {replica.lr for replica in first.replicas} == {1.0}
    assert all(replica.lr == pytest.approx((8 / 2) ** -1.5) for replica in last.replicas)


def test_an_id_names_everything_that_can_change_the_numbers() -> None:
    *_, grid, _ = plan(STUDY, nothing)
    assert grid.units is not None
    unit = grid.units[0]
    changes: list[dict[str, Any]] = [
        {"architecture": "resnet-3"},
        {"recipe": Recipe(epochs=2)},
        {"dataset_checksum": "0"},
        {"space_version": 99},
        {"replicas": unit.replicas[1:]},
        {"recipe_version": 99},
        {"space_options": (("width", 5),)},
    ]
    ids = {replace(unit, **change).id for change in changes} | {unit.id}
    assert len(ids) == len(changes) + 1
    again: Unit = next(s for s in plan(STUDY, nothing) if s.name == "grid").units[0]  # type: ignore[index]
    assert again.id == unit.id


@pytest.mark.parametrize(
    ("part", "changes", "sentence"),
    [
        (RANK, {"rules": ("path-squared",)}, "unknown rule 'path-squared'"),
        (RANK, {"rules": ()}, "rules is empty"),
        (RANK, {"rates": (0.3, 0.1)}, "rising positive rates"),
        (RANK, {"rates": (0.0, 0.1)}, "rising positive rates"),
        (RANK, {"seeds": 0}, "seeds=0"),
        (RANK, {"sample": 1}, "sample=1"),
        (RANK, {"space": "nasbench301"}, "unknown space 'nasbench301'"),
        (RANK, {"options": {"breadth": 3}}, "unknown option 'breadth'"),
        (DEPTH, {"depths": (3,)}, "two or more distinct depths"),
        (DEPTH, {"depths": (0, 3)}, "resnet-0"),
        (UPDATES, {"depths": (3, 3)}, "two or more distinct depths"),
    ],
)
def test_a_wrong_field_is_one_sentence(part: Any, changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InvalidInput, match=sentence.replace("(", r"\(")):
        replace(part, **changes)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"epochs": 0}, "epochs=0"),
        ({"optimizer": "lion"}, "optimizer='lion'"),
        ({"nesterov": True}, "nesterov needs momentum"),
        ({"validation": 1.0}, "validation=1.0"),
    ],
)
def test_a_wrong_recipe_is_one_sentence(changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InvalidInput, match=sentence):
        Recipe(**changes)
