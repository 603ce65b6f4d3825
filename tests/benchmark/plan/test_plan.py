"""From a study to units: stages wait for what they need, and ids name what matters."""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pyarrow as pa
import pytest
from support.carried_out import carried_out

from benchmark.engine import engine
from benchmark.plan.depth_stages import find_rung_optima
from benchmark.plan.planner import plan
from benchmark.plan.rank_stages import base_rates
from benchmark.plan.rungs import Rung, list_rungs
from benchmark.plan.units import name_network, one_step_rates
from benchmark.rules import bundles
from benchmark.store.formats import schema
from benchmark.study import Depth, Rank, Study, Updates, rate_grid
from benchmark.study.recipe import Recipe
from benchmark.study.unit import Unit
from search_spaces.conventions import convention
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
    rates=rate_grid(0.01, 1, 5),
    recipe=Recipe(batch=32),
)
UPDATES = Updates(
    name="steps", space="cnn", options={"width": 4}, rules=("path-cubed",), depths=(2, 8)
)
STUDY = Study(name="test", question="", parts=(RANK, DEPTH, UPDATES))


def nothing(_ids: Sequence[str]) -> pa.Table | None:
    return None


def test_ranking_waits_for_the_base_rates_and_uses_them() -> None:
    base, rank, *others = plan(STUDY, nothing)
    names = [stage.name for stage in (base, rank, *others)]
    assert names == ["base", "rank", "grid", "neighbours", "transfer", "step"]
    assert rank.units is None
    assert rank.expected == 6
    assert base.units is not None
    rows = schema.make_table(engine.run(base.units[0]))
    _, ranked = plan(replace(STUDY, parts=(RANK,)), lambda _ids: rows)
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
    _, _, grid, *_, step = plan(STUDY, nothing)
    assert grid.units is not None
    assert [unit.architecture for unit in grid.units] == ["resnet-2", "resnet-4"]
    deep = grid.units[1]
    assert len(deep.replicas) == 2 * 5 * 2
    for replica in deep.replicas:
        assert replica.lr == pytest.approx(replica.base_lr * replica.lr_multiplier)
        assert replica.lr in DEPTH.rates
    assert step.units is not None
    first, last = step.units
    assert {replica.lr for replica in first.replicas} == {1.0}
    assert all(replica.lr == pytest.approx((8 / 2) ** -1.5) for replica in last.replicas)


def test_a_depth_part_looks_beside_the_best_rate_and_trains_what_rules_predict() -> None:
    rules = ("tuned-constant", "effective-depth", "one-step")
    part = replace(
        DEPTH,
        rules=rules,
        options={"width": 8},
        rates=rate_grid(0.01, 2, 5),
        recipe=Recipe(batch=8, epochs=3),
    )
    study = replace(STUDY, parts=(part,))
    stages, stored = carried_out(study)
    assert [stage.name for stage in stages] == ["probe", "grid", "neighbours", "transfer"]
    probe, grid, near, transfer = (stage.units or () for stage in stages)
    assert {unit.measure for unit in probe} == {"updates"}
    for coarse, fine in zip(grid, near, strict=True):
        for rule in rules:
            rows = [row for row in stored[coarse.id] if row["rule"] == rule]
            (found,) = find_rung_optima(
                schema.make_table(rows), rule, [Rung(part, coarse.architecture)]
            )
            best = found.grid_rate
            low, high = sorted({r.lr for r in fine.replicas if r.rule == rule})
            assert low < best < high
            assert not {low, high} & set(part.rates)
            step = (part.rates[1] / part.rates[0]) ** 0.5
            for near_rate in (low, high):
                ratio = max(best / near_rate, near_rate / best)
                assert ratio == pytest.approx(step, rel=1e-4) or ratio == pytest.approx(
                    step**2, rel=1e-4
                )
    rows = schema.make_table([row for stage in (grid, near) for u in stage for row in stored[u.id]])
    (deep,) = transfer
    assert deep.architecture == "resnet-4"
    for rule in rules:
        base, _ = find_rung_optima(rows, rule, list_rungs(part))
        predicted = {r.lr / r.lr_multiplier for r in deep.replicas if r.rule == rule}
        assert base.usable
        assert all(rate == pytest.approx(base.rate) for rate in predicted)
        assert len(predicted) >= 1
    (measured,) = {r.lr_multiplier for r in deep.replicas if r.rule == "one-step"}
    assert 0 < measured < 1


@pytest.mark.parametrize("space", ["dag-mlp", "dag-cnn", "nasbench201"])
def test_a_sample_is_the_base_and_others_that_train_by_rising_depth(space: str) -> None:
    part = replace(DEPTH, space=space, options={}, depths=(), sample=40)
    built = part.search_space
    drawn = part.architectures()
    assert drawn == part.architectures()
    assert drawn != replace(part, sample_seed=1).architectures()
    assert drawn[0] == built.base_architecture
    assert len({built.canonical(each) for each in drawn}) == 41
    assert all(built.topology(each).trainable for each in drawn)
    count = convention("wu2026-layers-and-additions").statistics
    depths = [count(built.topology(each)).min or 0 for each in drawn]
    assert depths == sorted(depths)
    assert len(set(depths)) > 2


def test_a_depth_part_over_dags_tunes_on_the_base_and_transfers_to_the_others() -> None:
    part = replace(
        DEPTH,
        space="dag-mlp",
        options={"width": 16},
        depths=(),
        sample=2,
        rules=("tuned-constant", "path-cubed"),
        rates=rate_grid(0.01, 3, 5),
        recipe=Recipe(batch=16),
    )
    stages, stored = carried_out(replace(STUDY, parts=(part,)))
    grid, near, transfer = (stage.units or () for stage in stages)
    base, *others = part.architectures()
    assert [unit.architecture for unit in grid] == [base, *others]
    assert [unit.architecture for unit in transfer] == others
    rows = schema.make_table([row for s in (grid, near) for unit in s for row in stored[unit.id]])
    best = find_rung_optima(rows, "path-cubed", list_rungs(part))[0]
    assert best.usable
    space = part.search_space
    given = bundles("path-cubed", space, others, base)
    for unit, bundle in zip(transfer, given, strict=True):
        assert bundle is not None
        (rate,) = {replica.lr for replica in unit.replicas if replica.rule == "path-cubed"}
        assert rate == pytest.approx(best.rate * bundle.lr_multiplier)


def test_more_networks_than_there_are_is_one_sentence() -> None:
    part = replace(DEPTH, space="vit", options={}, depths=(), sample=9)
    with pytest.raises(InvalidInput, match="sample=9 is more than the 8 there are"):
        part.architectures()


def test_ranking_can_use_a_rate_measured_at_initialization() -> None:
    part = replace(RANK, rules=("default", "one-step"), sample=2)
    stages, stored = carried_out(replace(STUDY, parts=(part,)))
    assert [stage.name for stage in stages] == ["probe", "base", "rank"]
    probe, _, rank = (stage.units or () for stage in stages)
    eta = one_step_rates(schema.make_table([row for unit in probe for row in stored[unit.id]]))
    base = name_network(part, part.search_space.base_architecture)
    for unit in rank:
        for replica in unit.replicas:
            if replica.rule == "one-step":
                expected = eta[name_network(part, unit.architecture)] / eta[base]
                assert replica.lr_multiplier == pytest.approx(expected)


def test_an_id_names_everything_that_can_change_the_numbers() -> None:
    _, _, grid, *_ = plan(STUDY, nothing)
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
        (RANK, {"rates": (0.3, 0.1)}, "rates[1]=0.1 is not above the one before it, 0.3"),
        (RANK, {"rates": (0.0, 0.1)}, "rates[0]=0 is not positive; give rising positive rates"),
        (RANK, {"seeds": 0}, "seeds=0"),
        (RANK, {"sample": 1}, "sample=1"),
        (RANK, {"space": "nasbench301"}, "unknown space 'nasbench301'"),
        (RANK, {"options": {"breadth": 3}}, "unknown option 'breadth'"),
        (DEPTH, {"depths": (3,)}, "two or more distinct depths"),
        (DEPTH, {"depths": (0, 3)}, "resnet-0"),
        (DEPTH, {"sample": 2}, "sample=2 and 2 depths"),
        (DEPTH, {"sample": 0, "depths": ()}, "sample=0"),
        (DEPTH, {"depths": ()}, "two or more distinct depths"),
        (UPDATES, {"depths": (3, 3)}, "two or more distinct depths"),
        (RANK, {"panel": 0}, "panel=0"),
        (RANK, {"constants": 0}, "constants=0; use 1 or more"),
        (RANK, {"constants": 2, "seeds": 1}, "constants=2 with one seed and a panel of one"),
        (RANK, {"sampling": "even"}, "sampling='even'"),
        (UPDATES, {"widths": (4, 8)}, "widths stands beside the option width"),
        (UPDATES, {"options": {}, "widths": (4, 4)}, "widths[1]=4 stands there twice"),
        (UPDATES, {"options": {}, "widths": (4, 0)}, "width"),
    ],
)
def test_a_wrong_field_is_one_sentence(part: Any, changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InvalidInput, match=re.escape(sentence)):
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
