"""One-step updates: answers of bent laws, of chains too deep for their width, forward moments."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pytest
from support.carried_out import plant_part

from benchmark.findings.content import Figure, Table
from benchmark.findings.ladders.laws import LAYERS, RESIDUAL
from benchmark.findings.updates.updates_part import judge_updates_part
from benchmark.findings.verdict import Verdict
from benchmark.store.formats import schema
from benchmark.study import Updates
from benchmark.study.unit import Unit

CHAIN = Updates(
    name="steps",
    space="mlp",
    options={"width": 256},
    rules=("tuned-constant", "effective-depth"),
    seeds=12,
    depths=(2, 4, 8, 16, 32),
)
NETS = replace(CHAIN, space="resnet", options={"width": 8}, depths=(1, 4, 16, 64))


def rows(unit: Unit, *, size: Callable[[int], float], forward: bool = True) -> list[dict[str, Any]]:
    """Second moments of the change, ``size`` of the effective depth; forward ones double from the
    first layer to the last."""
    depth = int(unit.architecture.split("-")[1]) + (2 if unit.space == "resnet" else 1)
    found = []
    for each in unit.replicas:
        noise = float(np.exp(0.1 * np.random.default_rng([each.seed, depth]).normal()))
        outcome: dict[str, Any] = {
            "status": "done",
            "effective_depth": depth,
            "update_moments": [each.lr**2 * size(depth) * noise] * 3,
        }
        if forward:
            outcome["forward_moments"] = [noise, 1.5 * noise, 2 * noise]
        found.append(schema.make_row(unit, each, outcome))
    return found


def judge(part: Updates, **planted: Any) -> tuple[dict[str, Verdict], list[Any]]:
    """The verdict of every rule, and what is shown."""
    verdicts, blocks = judge_updates_part(*plant_part(part, partial(rows, **planted)))
    return {v.rule: v for v in verdicts}, [item for block in blocks for item in block.items]


def find_rows(items: list[Any], title: str) -> list[dict[str, Any]]:
    """The rows of the table of that title, by column."""
    (table,) = [item for item in items if isinstance(item, Table) and title in item.title]
    return [dict(zip(table.columns, row, strict=True)) for row in table.rows]


def test_a_chain_deeper_than_an_eighth_of_its_width_has_no_verdict() -> None:
    """32 layers at width 256 are just allowed, one unit less is not; both show their exponents."""
    cubic = {"size": lambda depth: depth**3.0}
    verdicts, items = judge(CHAIN, **cubic)
    assert [v.answer for v in verdicts.values()] == ["no", "yes"]
    (law,) = [row for row in find_rows(items, "laws at one step") if "depth^" in row["law"]]
    assert law["answer"] == "yes"
    narrow, items = judge(replace(CHAIN, options={"width": 255}), **cubic)
    assert {v.answer for v in narrow.values()} == {"undetermined"}
    for each in narrow.values():
        assert "depth 32 at width 255 has too heavy a tail" in each.why
        assert each.value is not None
        assert each.value.determined
    assert {row["answer"] for row in find_rows(items, "laws at one step")} == {"undetermined"}


def test_branches_keep_tails_light_at_any_depth() -> None:
    """64 residual blocks at width 8: a law of blocks is told, and at the deepest local exponent
    where one line does not fit."""
    verdicts, items = judge(NETS, size=lambda depth: (depth - 2.0) ** 2)
    assert "tail" not in " ".join(v.why for v in verdicts.values())
    answers = {row["law"]: row["answer"] for row in find_rows(items, "laws at one step")}
    assert answers["Best rate ~ blocks^−1"] == "yes"
    assert answers["Best rate ~ depth^−3/2"] == "no"
    assert answers["Best rate ~ blocks^−3/2"] == "no"


def test_a_step_that_is_flat_among_the_deepest_is_judged_there() -> None:
    """Moments that fall by a factor at the shallowest rung alone bend the line; the last factor 4
    in depth is flat."""
    verdicts, _ = judge(NETS, size=lambda depth: 3.0 if depth == 3 else 1.0)
    told = verdicts["tuned-constant"]
    assert told.answer == "yes"
    assert "one line does not fit" in told.why
    assert "From depth 18 to 66" in told.because
    assert told.value is not None
    assert told.value.estimate == pytest.approx(0, abs=0.1)


def test_means_medians_and_log_means_stand_side_by_side() -> None:
    _, items = judge(NETS, size=lambda depth: (depth - 2.0) ** 2)
    found = find_rows(items, "by the mean, the median and the log-mean over seeds")
    blocks = [row for row in found if "residual blocks" in row["depth in"]]
    assert [row["of"].partition(",")[0] for row in blocks] == ["one line", "deepest"] * 2
    for row in blocks:
        for over in ("mean", "median", "log-mean"):
            assert row[over].estimate == pytest.approx(-1, abs=0.05)


def test_local_exponents_and_the_test_of_the_line_stand_beside() -> None:
    _, items = judge(NETS, size=lambda depth: (depth - 2.0) ** 2)
    local = [row for row in find_rows(items, "Local exponents") if row["depth in"] == RESIDUAL]
    assert [row["from, to"] for row in local] == ["1 to 4", "4 to 16", "16 to 64"] * 2
    for row in local:
        assert row["exponent"].estimate == pytest.approx(-1, abs=0.1)
    lines = find_rows(items, "One line and the deepest exponent")
    assert {row["line fits"] for row in lines if row["depth in"] == RESIDUAL} == {"yes"}
    assert {row["line fits"] for row in lines if row["depth in"] == LAYERS} == {"no"}


def test_forward_moments_are_drawn_where_they_were_measured() -> None:
    """They double from the first layer to the last at every depth; earlier rows have none."""
    _, items = judge(NETS, size=lambda depth: 1.0)
    (figure,) = [item for item in items if isinstance(item, Figure) and "forward" in item.name]
    assert len(figure.data.rows) == 2 * len(NETS.depths)
    for row in figure.data.rows:
        assert row[3:] == pytest.approx([2.0] * 4)
    _, items = judge(NETS, size=lambda depth: 1.0, forward=False)
    assert not any("forward" in item.name for item in items if isinstance(item, Figure))
