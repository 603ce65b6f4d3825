"""The constants of a rank part: what is said of a rule counts what tuning may have chosen."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from benchmark.analysis.ranking.accuracy_shift import measure_accuracy_shift
from benchmark.findings.content import Block, Figure, Table
from benchmark.findings.ranking.constants import NOTE, ONE_SEED, tabulate_constants
from benchmark.findings.ranking.rank_arrays import RankArrays
from benchmark.findings.ranking.rank_part import judge_rank_part
from benchmark.findings.verdict import Verdict
from benchmark.plan.rank_stages import base_rates
from search_spaces.registry import create

RATES = (0.01, 0.1, 1.0, 10.0)
CELLS = create("nasbench201").architectures(24, 0)
PEAK = (0.2, 0.9, 0.3, 0.1)
PLATEAU = (0.2, 0.7, 0.7, 0.1)
FACTS = ("effective_depth", "log2_sum_cubes", "convolutions", "parameters")
Gains = Mapping[str, Mapping[float, float]]
"""What each rule gains over the default, by constant; 0 at all others."""


def row(stage: str, cell: str, rule: str, rate: float, seed: int, **found: Any) -> dict[str, Any]:
    facts = dict.fromkeys(FACTS, float(len(cell)))
    what = {"stage": stage, "architecture": cell, "rule": rule, "base_lr": rate, "lr": rate}
    none = {"valid_accuracy": None, "test_accuracy": None, "train_loss_curve": [1.0, 0.5]}
    return what | {"seed": seed, "status": "done"} | none | facts | found


def planted(
    tuning: Mapping[str, Sequence[float]],
    gains: Gains,
    *,
    seeds: int = 3,
    trained: Sequence[float] = (0.1, 1.0),
    apart: Sequence[str] = (),
) -> tuple[dict[str, Any], pa.Table]:
    """A part of the default and these rules, whose mean base accuracies are ``tuning``; its rows.

    The tuning's noise is the same for all rules but those ``apart``; the constants stage has the
    ``trained`` constants that were not chosen.
    """
    rows = []
    for number, (rule, mean_R) in enumerate(tuning.items()):
        rng = np.random.default_rng(number if rule in apart else 99)
        noise_RS = rng.normal(0, 0.02, (len(RATES), seeds))
        if seeds > 1:  # equal rates get equal means, and so equal weights
            noise_RS -= noise_RS.mean(axis=1, keepdims=True)
        rows += [
            row("base", "base", rule, rate, s, valid_accuracy=mean_R[r] + noise_RS[r, s])
            for r, rate in enumerate(RATES)
            for s in range(seeds)
        ]
    chosen = base_rates(pa.Table.from_pylist(rows))
    rng = np.random.default_rng(5)
    quality_A = rng.uniform(0.4, 0.7, len(CELLS))
    for rule in ("default", *tuning):
        for rate in dict.fromkeys((chosen.get(rule, 0.1), *(trained if rule in tuning else ()))):
            stage = "rank" if rate == chosen.get(rule, 0.1) else "constants"
            acc_AS = quality_A[:, None] + gains.get(rule, {}).get(rate, 0.0)
            acc_AS = acc_AS + rng.normal(0, 0.005, (len(CELLS), seeds))
            rows += [
                row(stage, cell, rule, rate, seed, test_accuracy=float(acc_AS[a, seed]))
                for a, cell in enumerate(CELLS)
                for seed in range(seeds)
            ]
    part: dict[str, Any] = {"name": "cells", "kind": "rank", "space": "nasbench201", "options": {}}
    part |= {"rules": ["default", *tuning], "seeds": seeds}
    return part, pa.Table.from_pylist(rows)


def find(verdicts: Sequence[Verdict], rule: str, topic: str = "Accuracy rises") -> Verdict:
    (found,) = (each for each in verdicts if (each.rule, each.topic) == (rule, topic))
    return found


def find_tables(blocks: Sequence[Block]) -> dict[str, Table]:
    """Every table by its title, and the data of every figure."""
    items = [item for block in blocks for item in block.items]
    tables = [item for item in items if isinstance(item, Table)]
    figures = [item.data for item in items if isinstance(item, Figure)]
    return {table.title: table for table in (*tables, *figures)}


def test_a_clear_constant_leaves_the_interval_as_it_is() -> None:
    part, table = planted({"path-cubed": PEAK}, {"path-cubed": {0.1: 0.03, 1.0: -0.5}})
    ranked = RankArrays.of(part, table)
    verdicts, blocks = judge_rank_part(part, table)
    found = find(verdicts, "path-cubed")
    assert found.answer == "yes"
    assert found.value == measure_accuracy_shift(ranked.base_AS, ranked.others["path-cubed"]).mean
    assert find_tables(blocks)["The rules' constants"].rows[0][4:] == (
        "0.100 (100%)",
        "0%",
        "1 of 1",
    )
    assert "What the likely constants say, one by one (changes in points)" not in find_tables(
        blocks
    )


def test_a_gain_that_hangs_on_the_constant_is_not_claimed() -> None:
    gains = {"path-cubed": {0.1: 0.06, 1.0: -0.02}}
    part, table = planted({"path-cubed": PLATEAU}, gains)
    ranked = RankArrays.of(part, table)
    weights = ranked.weighed["path-cubed"].weights
    assert not weights.clear
    verdicts, blocks = judge_rank_part(part, table)
    found = find(verdicts, "path-cubed")
    assert found.answer == "undetermined"
    assert found.value is not None
    assert found.value.determined
    share = dict(zip(ranked.weighed["path-cubed"].kept, weights.kept_weight_K, strict=True))
    mean = sum(weight * gains["path-cubed"][rate] for rate, weight in share.items())
    assert found.value.estimate == pytest.approx(mean, abs=0.003)
    assert found.value.contains(0.06)
    assert found.value.contains(-0.02)
    assert "over 2 likely constants" in found.because
    tables = find_tables(blocks)
    strip = tables["cells: mean change by constant"].rows
    shown = sorted(float(str(line[2])) for line in strip if line[1] != "all")
    assert shown == pytest.approx([-2, 6], abs=0.3)
    alone = measure_accuracy_shift(ranked.base_AS, ranked.others["path-cubed"])
    assert not (alone.mean.contains(0.06) and alone.mean.contains(-0.02)), "the choice was missing"


def test_without_the_other_constants_it_stays_open_and_says_why() -> None:
    part, table = planted(
        {"path-cubed": PLATEAU}, {"path-cubed": {0.1: 0.06, 1.0: 0.06}}, trained=()
    )
    verdicts, blocks = judge_rank_part(part, table)
    for topic in ("Accuracy rises", "Ranking changes"):
        found = find(verdicts, "path-cubed", topic)
        assert found.answer == "undetermined"
        assert "not trained" in found.why
        assert "with the constant chosen alone" in found.because
    told = find_tables(blocks)["What the likely constants say, one by one (changes in points)"]
    assert "not trained" in [line[4] for line in told.rows]
    assert "cells: mean change by constant" not in find_tables(blocks)


def test_a_gain_at_every_likely_constant_is_a_gain() -> None:
    gains = {"path-cubed": {0.1: 0.06, 1.0: 0.05}}
    found = find(judge_rank_part(*planted({"path-cubed": PLATEAU}, gains))[0], "path-cubed")
    assert found.answer == "yes"


def test_a_rule_and_its_placebo_that_were_tuned_together_choose_together() -> None:
    gains = {"path-cubed": {0.1: 0.07, 1.0: -0.01}, "shuffled": {0.1: 0.05, 1.0: -0.03}}
    tuning = {"path-cubed": PLATEAU, "shuffled": PLATEAU}
    together = find(judge_rank_part(*planted(tuning, gains))[0], "path-cubed", "Beats the placebo")
    assert together.answer == "yes"
    assert together.value is not None
    assert together.value.estimate == pytest.approx(0.02, abs=0.003)
    assert "over 2 likely constants" in together.because
    part, table = planted(tuning, gains, apart=("shuffled",))
    apart = find(judge_rank_part(part, table)[0], "path-cubed", "Beats the placebo")
    assert apart.value is not None
    assert "over 4 likely constants" in apart.because
    assert apart.answer == "undetermined"


def test_a_tuned_reference_is_mixed_too() -> None:
    gains = {"tuned-constant": {0.1: 0.08}, "path-cubed": {0.1: 0.05, 1.0: 0.05}}
    part, table = planted({"tuned-constant": PLATEAU, "path-cubed": PEAK}, gains)
    part["rules"] = ["tuned-constant", "path-cubed"]
    found = find(judge_rank_part(part, table)[0], "path-cubed")
    assert found.value is not None
    assert found.answer == "undetermined"
    assert found.value.contains(-0.03)
    assert found.value.contains(0.05)


def test_one_seed_on_one_architecture_says_so() -> None:
    ranked = RankArrays.of(*planted({"path-cubed": PEAK}, {}, seeds=1))
    assert ranked.weighed == {}
    assert tabulate_constants(ranked) == (ONE_SEED,)


@pytest.mark.parametrize("seed", range(30))
def test_the_choice_is_the_one_that_the_plan_made(seed: int) -> None:
    """With ties, and with diverged replicas, which count as 0."""
    rng = np.random.default_rng(seed)
    acc_RS = rng.integers(0, 4, (len(RATES), 3)) / 4.0
    acc_RS[rng.random(acc_RS.shape) < 0.2] = np.nan
    part, table = planted({"a": PEAK}, {})
    base = pa.Table.from_pylist(
        [
            row("base", "base", "a", rate, s, valid_accuracy=float(acc_RS[r, s]))
            | {"status": "done" if np.isfinite(acc_RS[r, s]) else "diverged"}
            for r, rate in enumerate(RATES)
            for s in range(3)
        ],
        schema=table.schema,
    )
    rest = table.filter(pa.compute.field("stage") != "base")
    ranked = RankArrays.of(part, pa.concat_tables([base, rest]))
    found = ranked.weighed["a"]
    assert found.chosen == base_rates(base)["a"]
    sum_R = np.nan_to_num(acc_RS).sum(axis=1)  # of quarters: exact
    assert found.chosen == max(zip(sum_R, RATES, strict=True))[1]
    (shown, note) = tabulate_constants(ranked)
    assert isinstance(shown, Table)
    assert note == NOTE
    assert shown.rows[0][2] == pytest.approx(100 * sum_R.max() / 3)
