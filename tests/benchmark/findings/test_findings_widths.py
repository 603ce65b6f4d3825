"""Ladders over depth and width: laws at every width, exponents in width, what each rule loses."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from support.carried_out import plant_part

from benchmark.analysis.ladders.optimum import find_optima
from benchmark.analysis.ladders.width_exponent import fit_width_exponent
from benchmark.findings.answers.study import answer_study
from benchmark.findings.content import Block, Figure, Table
from benchmark.findings.ladders.depth_part import judge_depth_part
from benchmark.findings.updates.updates_part import judge_updates_part
from benchmark.store.formats import schema
from benchmark.study import Depth, Updates, rate_grid
from benchmark.study.recipe import Recipe
from benchmark.study.unit import Unit

WIDTHS = (8, 16, 32)
PART = Depth(
    name="grid",
    space="mlp",
    rules=("tuned-constant", "effective-depth"),
    depths=(1, 2, 4),
    widths=WIDTHS,
    seeds=3,
    rates=rate_grid(1e-5, 10, 25),
    neighbours=False,
    recipe=Recipe(batch=64),
)
IN_DEPTH, IN_WIDTH = -1.5, -1.0


def best_rate(unit: Unit) -> tuple[float, int]:
    """The planted optimum of a rung, and its effective depth."""
    width = int(dict(unit.space_options)["width"])
    depth = int(unit.architecture.split("-")[1]) + 1
    return 2.0 * depth**IN_DEPTH * (width / 8) ** IN_WIDTH, depth


def rows(unit: Unit) -> list[dict[str, Any]]:
    """Losses with their minimum at the planted rate, or moments of a step that grow with depth."""
    best, depth = best_rate(unit)
    found = []
    for number, each in enumerate(unit.replicas):
        noise = np.random.default_rng([number, each.seed, depth]).normal(0, 0.002)
        loss = min(0.3 + 0.3 * np.log10(each.lr / best) ** 2 + noise, 2.3)
        outcome = {"status": "done", "chance_loss": 2.3, "train_loss": float(loss)}
        if unit.measure == "updates":
            size = each.lr**2 * depth**3.0 * (1 + 0.05 * noise / 0.002)
            outcome["update_moments"] = [float(size)] * depth
        found.append(schema.make_row(unit, each, {"effective_depth": depth, **outcome}))
    return found


def carried(part: Depth | Updates) -> tuple[dict[str, Any], pa.Table]:
    """The part as its manifest says it, and the planted rows of every stage."""
    return plant_part(part, rows)


def find_table(blocks: Sequence[Block], title: str) -> Table:
    items = [item for block in blocks for item in block.items]
    (found,) = [i for i in items if isinstance(i, Table) and title in i.title]
    return found


def test_exponents_in_width_and_at_every_width_are_the_planted_ones() -> None:
    verdicts, blocks = judge_depth_part(*carried(PART))
    in_width = find_table(blocks, "exponent of the best rate in width")
    assert [row[0] for row in in_width.rows] == ["mlp-1", "mlp-2", "mlp-4"]
    for row in in_width.rows:
        assert row[2] == "8 to 32"
        assert row[3].estimate == pytest.approx(IN_WIDTH, abs=0.1)  # type: ignore[union-attr]
    laws = {v.rule: v for v in verdicts if v.topic == "Best rate ~ depth^−3/2"}
    assert list(laws) == [f"initialization he, width {width}" for width in WIDTHS]
    for law in laws.values():
        assert law.part == "grid"
        assert law.value is not None
        assert law.value.estimate == pytest.approx(IN_DEPTH, abs=0.15)


def test_a_rule_is_carried_over_all_rungs_from_the_first() -> None:
    """Effective depth is right at every depth, and too large by the planted factor of width."""
    verdicts, blocks = judge_depth_part(*carried(PART))
    (found,) = [
        v for v in verdicts if v.topic == "Loss near the best" and v.rule == "effective-depth"
    ]
    assert found.value is not None
    assert found.value.n == PART.seeds
    wide = np.array([np.log10(width / 8) for width in WIDTHS for _ in PART.depths])
    assert found.value.estimate == pytest.approx(0.3 * np.mean(wide**2), abs=0.005)
    names = {
        row[0] for block in blocks for i in block.items if hasattr(i, "data") for row in i.data.rows
    }
    assert {"mlp-1, width 16", "mlp-4, width 32"} <= names
    assert found.answer == "yes"  # a curve so shallow forgives a factor 4


def test_transfer_over_depth_and_width_is_drawn_tabulated_and_told() -> None:
    """One line per depth and width, and a loss at each width that is the planted one."""
    part, table = carried(PART)
    verdicts, blocks = judge_depth_part(part, table)
    (opening,) = [block for block in blocks if block.section == "answer"]
    figures = {item.name: item for item in opening.items if isinstance(item, Figure)}
    assert set(figures) == {"grid-curves", "grid-aligned"}
    place = list(figures["grid-aligned"].data.columns).index("depth")
    series = list(dict.fromkeys(row[place] for row in figures["grid-aligned"].data.rows))
    assert series == [f"depth {d + 1}, width {w}" for w in WIDTHS for d in PART.depths]
    by_width = find_table(blocks, "Transfer over depth and width")
    assert by_width.columns[-1] == "mlp-4, width 32"
    (right,) = [row for row in by_width.rows if row[0] == "effective-depth"]
    missed = [0.3 * np.log10(width / 8) ** 2 for width in WIDTHS]
    assert right[2:5] == pytest.approx(missed, abs=0.005)
    assert right[5].estimate == pytest.approx(missed[-1], abs=0.01)  # type: ignore[union-attr]
    (told, *_) = answer_study([part], verdicts).headline
    assert told.startswith("On MLPs of 1 to 4 hidden layers, 8 to 32 wide (Grid), ")
    assert "the loss comes near the lowest that anything reached under" in told


def test_a_part_without_widths_says_what_it_said() -> None:
    part, table = carried(replace(PART, widths=(), options={"width": 8}))
    now = judge_depth_part(part, table)
    del part["widths"]  # as results of earlier versions have it
    before = judge_depth_part(part, table)
    assert [v.because for v in now[0]] == [v.because for v in before[0]]
    assert not any("width" in v.rule for v in now[0])


def test_losses_above_the_best_are_the_planted_ones_and_one_rate_for_all_loses_less() -> None:
    """Effective depth is right; one tuned rate misses by the planted slope; hindsight halves it."""
    verdicts, blocks = judge_depth_part(*carried(replace(PART, widths=(), options={"width": 8})))
    table = find_table(blocks, "Loss above the lowest that any rule reached")
    lost = {str(row[0]).partition(" ")[0]: row for row in table.rows}
    assert [str(row[0]).partition(" ")[0] for row in table.rows] == [
        "effective-depth",
        "oracle-constant",
        "tuned-constant",
    ]
    distance_D = 1.5 * np.log10(np.array([2, 3, 5]) / 2)
    missed_D = 0.3 * distance_D**2
    at = {rule: [float(str(each)) for each in row[4:]] for rule, row in lost.items()}
    assert at["tuned-constant"] == pytest.approx(missed_D.tolist(), abs=0.01)
    assert at["effective-depth"] == pytest.approx([0, 0, 0], abs=0.01)
    hindsight = 0.3 * float(np.var(distance_D))
    assert np.mean(at["oracle-constant"]) == pytest.approx(hindsight, abs=0.01)
    assert lost["tuned-constant"][2] == "mlp-4"
    (told,) = [v for v in verdicts if (v.topic, v.rule) == ("Loss near the best", "tuned-constant")]
    assert "over all 3 rungs, the most on mlp-4" in told.because


def test_both_intervals_of_the_regret_are_shown() -> None:
    part, rows_of = carried(replace(PART, widths=(), options={"width": 8}))
    table = find_table(judge_depth_part(part, rows_of)[1], "chosen anew")
    assert [row[0] for row in table.rows] == ["tuned-constant", "effective-depth"]
    for row in table.rows:
        fixed, anew = row[1:3]
        assert anew.high - anew.low >= fixed.high - fixed.low  # type: ignore[union-attr]
        assert float(str(row[3])) >= 1
        assert 0 < float(str(row[4])) < 0.1
    one, rows_of = carried(replace(PART, widths=(), options={"width": 8}, seeds=1))
    items = [item for block in judge_depth_part(one, rows_of)[1] for item in block.items]
    titles = [item.title for item in items if isinstance(item, Table)]
    assert not any("chosen anew" in title for title in titles)


def test_steps_are_judged_at_every_width() -> None:
    steps = Updates(
        name="steps", space="cnn", rules=("tuned-constant",), depths=(2, 4, 8), widths=(4, 8)
    )
    verdicts, blocks = judge_updates_part(*carried(steps))
    assert len(blocks) == 2
    assert {v.part for v in verdicts} == {"steps"}
    assert [v.question.partition(" (")[2] for v in verdicts] == ["width 4)", "width 8)"]
    for each in verdicts:
        assert each.value is not None
        assert each.value.estimate == pytest.approx(3.0, abs=0.2)


def test_two_widths_have_the_seeds_error() -> None:
    rates = rate_grid(1e-3, 10, 17)
    rng = np.random.default_rng(0)
    loss_DRS = np.array(
        [
            [
                [0.3 + 0.3 * np.log10(rate / best) ** 2 + rng.normal(0, 0.01) for _ in range(3)]
                for rate in rates
            ]
            for best in (0.5, 0.25)
        ]
    )
    found = fit_width_exponent(np.array([8.0, 16.0]), find_optima(np.array(rates), loss_DRS, 2.3))
    assert found.determined
    assert found.contains(-1.0)
    one = find_optima(np.array(rates), loss_DRS[:, :, :1], 2.3)
    assert not fit_width_exponent(np.array([8.0, 16.0]), one).determined
