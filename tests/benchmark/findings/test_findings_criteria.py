"""Which rate is meant: laws by the loss of the last steps, by the largest stable and good rate."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pytest
from support.carried_out import plant_part

from benchmark.analysis.intervals import Interval
from benchmark.findings.content import Figure, Table
from benchmark.findings.ladders.depth_part import judge_depth_part
from benchmark.store.formats import schema
from benchmark.study import Depth, rate_grid
from benchmark.study.unit import Unit
from search_spaces.errors import InvalidInput

PART = Depth(
    name="nets",
    space="mlp",
    options={"width": 8},
    rules=("effective-depth",),
    depths=(3, 7, 15, 31, 63),
    seeds=3,
    rates=rate_grid(1e-5, 10, 49),
    neighbours=False,
)
BY_EPOCH, BY_TENTH, LIMIT = 0.0, -1.5, 10.0
LAW = "Best rate ~ depth^−3/2"


def rows(unit: Unit, *, tail: bool = True, curve: bool = False) -> list[dict[str, Any]]:
    """One best rate for every depth by the epoch's loss, depth^-3/2 by that of the last steps;
    rates above 10 times the latter diverge."""
    depth = int(unit.architecture.split("-")[1]) + 1
    found = []
    for each in unit.replicas:
        noise = np.random.default_rng([each.seed, depth, 1]).normal(0, 0.02)
        at = np.log10(each.lr) + noise
        late = at - np.log10(0.5 * depth**BY_TENTH)
        early = at - np.log10(2e-4 * depth**BY_EPOCH)
        outcome: dict[str, Any] = {"status": "done", "chance_loss": 2.3, "effective_depth": depth}
        outcome |= {"train_loss": float(min(0.3 + 0.3 * early**2, 2.3))}
        if curve:
            sizes = [[depth * size, depth * size] for size in (4.0, 2.0, 1.0)]
            outcome |= {"update_curve_steps": [0, 50, 100], "update_curve": sizes}
        if tail:
            outcome["train_loss_last_tenth"] = float(min(0.3 + 0.3 * late**2, 2.3))
        if late > np.log10(LIMIT):
            outcome |= {"status": "diverged", "train_loss": None, "train_loss_last_tenth": None}
        found.append(schema.make_row(unit, each, outcome))
    return found


def find_answers(part: Depth, *, tail: bool = True) -> dict[str, tuple[Interval | None, str]]:
    """Exponent and answer about depth^-3/2 by every criterion of the table."""
    _, blocks = judge_depth_part(*plant_part(part, partial(rows, tail=tail)))
    (table,) = [
        item
        for block in blocks
        for item in block.items
        if isinstance(item, Table) and "by other criteria" in item.title
    ]
    return {str(row[1]): row[3:5] for row in table.rows if row[2] == LAW}  # type: ignore[misc]


def test_every_criterion_has_its_exponent_and_its_answer() -> None:
    """The epoch's loss has one best rate for all depths; the last steps and the limit do not."""
    answers = find_answers(PART)
    late, answer = answers["best rate by the loss of the last 10% of steps"]
    assert late is not None
    assert late.estimate == pytest.approx(BY_TENTH, abs=0.05)
    assert answer == "yes"
    stable, answer = answers["largest stable rate"]
    assert stable is not None
    assert stable.estimate == pytest.approx(BY_TENTH, abs=0.15)
    assert answer == "yes"
    good, answer = answers["largest rate within one standard error"]
    assert good is not None
    assert good.estimate == pytest.approx(BY_EPOCH, abs=0.2)
    assert answer == "no"


def test_the_criterion_of_a_part_decides_what_is_planned_and_told() -> None:
    """The base rate that rules start from is that of the loss which the part asks for."""
    late = replace(PART, criterion="last-tenth")
    verdicts, _ = judge_depth_part(*plant_part(late, rows))
    (law,) = [v for v in verdicts if v.topic == LAW]
    assert law.answer == "yes"
    other, answer = find_answers(late)["best rate by the mean loss of the last epoch"]
    assert other is not None
    assert other.estimate == pytest.approx(BY_EPOCH, abs=0.05)
    assert answer == "no"
    predicted = {
        part.criterion: plant_part(part, rows)[1].to_pylist()[-1]["base_lr"]
        for part in (PART, late)
    }
    assert predicted["last-epoch"] == pytest.approx(2e-4, rel=0.1)
    assert predicted["last-tenth"] == pytest.approx(0.5 * 4**BY_TENTH, rel=0.1)


def test_rows_of_an_earlier_version_have_no_loss_of_the_last_steps() -> None:
    """Such results are read as before, and a part that asks for the loss is refused."""
    assert set(find_answers(PART, tail=False)) == {
        "largest stable rate",
        "largest rate within one standard error",
    }
    with pytest.raises(InvalidInput, match="criterion=last-tenth needs train_loss_last_tenth"):
        plant_part(replace(PART, criterion="last-tenth"), partial(rows, tail=False))
    with pytest.raises(InvalidInput, match="part nets: field criterion"):
        replace(PART, criterion="last-step")  # type: ignore[arg-type]


def test_rungs_that_share_a_rate_of_the_grid_may_differ_by_its_step() -> None:
    """A coarse grid has one largest stable rate for all rungs: no exact exponent of 0."""
    coarse = replace(PART, rates=(1e-5, 3e-5, 1e-4, 3e-4, 1e-3, 1e-2, 10.0), depths=(1, 2, 3))
    stable, _ = find_answers(coarse)["largest stable rate"]
    assert stable is not None
    assert stable.estimate == pytest.approx(0, abs=1e-9)
    assert stable.low < -1.5 < 0 < stable.high


def test_the_size_of_steps_in_training_is_drawn_where_it_was_measured() -> None:
    """They fall to a quarter of the first at every depth; no figure without the measurement."""
    _, blocks = judge_depth_part(*plant_part(PART, partial(rows, curve=True)))
    found = [item for block in blocks for item in block.items if isinstance(item, Figure)]
    (figure,) = [each for each in found if "update-curves" in each.name]
    assert len(figure.data.rows) == 3 * len(PART.depths)
    assert [row[3:5] for row in figure.data.rows[:3]] == [(1, 1.0), (51, 0.5), (101, 0.25)]
    _, blocks = judge_depth_part(*plant_part(PART, rows))
    found = [item for block in blocks for item in block.items if isinstance(item, Figure)]
    assert not any("update-curves" in each.name for each in found)
