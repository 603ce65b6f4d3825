"""A control deals every seed rates of its own: findings read each seed at the rate it had."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from benchmark.analysis.ladders.optimum import find_optima
from benchmark.analysis.regret.transfer import measure_transfer
from benchmark.findings.arrays import arrange_rates
from benchmark.findings.ladders.arrays.ladder_arrays import DepthArrays
from benchmark.findings.published.beside import correlate_multiplier
from benchmark.findings.ranking.movers import describe_rates, label_rates
from benchmark.findings.ranking.rank_arrays import RankArrays
from benchmark.findings.updates.updates_part import judge_updates_part

PLACEBO = "shuffled:effective-depth"
RULES = ("effective-depth", PLACEBO)
DEPTHS = (2, 4, 8, 16)
SEEDS = 4
RATES = tuple(10.0**power for power in np.arange(-4, 1.01, 0.25))


def rate_of(rule: str, depth: int, seed: int) -> float:
    """1 / depth; the placebo of an odd seed has the rates of the other end of the ladder."""
    if rule == PLACEBO and depth > DEPTHS[0] and seed % 2:
        return float(1 / {4: 16, 8: 8, 16: 4}[depth])
    return 1 / depth


def planted(stage: str, rules: tuple[str, ...] = RULES, **columns: Any) -> list[dict[str, Any]]:
    """A row per rule, rung and seed."""
    return [
        {
            "stage": stage,
            "rule": rule,
            "architecture": f"mlp-{depth}",
            "effective_depth": depth,
            "initialization": "he",
            "branch_multiplier": 1.0,
            "status": "done",
            "chance_loss": 2.3,
            "seed": seed,
            "lr_multiplier": rate_of(rule, depth, seed),
            "lr": rate_of(rule, depth, seed),
            "base_lr": 1.0,
            "valid_accuracy": 0.5,
            "test_accuracy": 0.5 + 0.01 * depth + 0.001 * seed,
        }
        | columns
        for rule in rules
        for depth in DEPTHS
        for seed in range(SEEDS)
    ]


def test_rates_are_read_by_seed_and_once_where_all_share_one() -> None:
    table = pa.Table.from_pylist(planted("rank"))
    part = {"name": "cells", "rules": RULES, "seeds": SEEDS}
    ranked = RankArrays.of(part, table)
    assert ranked.rates["effective-depth"].shape == (4, 1)
    np.testing.assert_allclose(ranked.rates[PLACEBO][1], [1 / 4, 1 / 16] * 2)
    assert describe_rates(ranked.rates[PLACEBO][1]) == "rates by seed 0.250, 0.062, 0.250, 0.062"
    assert len(label_rates(PLACEBO, ranked.rates[PLACEBO])) == SEEDS
    some = table.filter(pa.compute.field("seed") != 2)
    own = some.filter(pa.compute.field("rule") == PLACEBO)
    assert np.isnan(arrange_rates(own, ["mlp-4"], range(SEEDS))[0, 2])


def test_a_step_is_measured_at_the_rate_of_its_seed() -> None:
    """At unit rate the moments are depth squared; so 1 / depth is flat and the placebo is not."""
    chance = np.random.default_rng(0)
    rows = [
        row | {"update_moments": [(row["lr"] * row["effective_depth"]) ** 2 * noise] * 3}
        for row in planted("step")
        for noise in [float(chance.uniform(0.999, 1.001))]
    ]
    part = {"name": "steps", "rules": RULES, "space": "mlp", "options": {"width": 128}}
    verdicts, blocks = judge_updates_part(part, pa.Table.from_pylist(rows))
    value = {v.rule: v.value for v in verdicts}
    assert value["effective-depth"] is not None
    assert value["effective-depth"].estimate == pytest.approx(0, abs=0.01)
    placebo = value[PLACEBO]
    assert placebo is not None
    # Two seeds of four keep 1; the others have (depth x rate)^2, so a rung's mean is of both.
    mean_D = [(1 + (depth * rate_of(PLACEBO, depth, 1)) ** 2) / 2 for depth in DEPTHS]
    expected = np.polyfit(np.log(DEPTHS), np.log(mean_D), 1)[0]
    assert placebo.estimate == pytest.approx(expected, abs=0.01)
    told = str(blocks)
    exponents = "effective-depth, shuffled:effective-depth"  # at unit rate the two are one network
    assert exponents in told


def test_a_placebo_that_is_wrong_both_ways_is_not_right_on_average() -> None:
    grid = [
        row | {"lr": lr, "train_loss": 0.5 + (np.log10(lr * row["effective_depth"])) ** 2}
        for row in planted("grid")
        for lr in RATES
    ]
    part = {"name": "rungs", "rules": RULES, "seeds": SEEDS, "space": "mlp", "options": {}}
    (scheme,) = DepthArrays.of(part, pa.Table.from_pylist(grid)).schemes
    right, placebo = scheme.transfers["effective-depth"], scheme.transfers[PLACEBO]
    assert right.absolute_log10_error.estimate == pytest.approx(0, abs=0.02)
    # Of three rungs one keeps its rate, and of the others every second seed is off by 4.
    off = np.log10(4)
    assert placebo.absolute_log10_error.estimate == pytest.approx(off / 3, abs=0.02)
    assert placebo.log10_error.estimate == pytest.approx(0, abs=0.02)
    assert placebo.regret.estimate == pytest.approx(off**2 / 3, abs=0.02)


def test_seeds_that_share_a_rate_are_one_reading() -> None:
    loss_DRS = np.array([[[0.5 + np.log10(r * d) ** 2] * 3 for r in RATES] for d in (4, 8)])
    optima = find_optima(np.array(RATES), loss_DRS, 2.3)
    once = measure_transfer(np.tile(RATES, (2, 1)), loss_DRS, optima, np.array([0.2, 0.1]), 2.3)
    thrice = np.array([[0.2] * 3, [0.1] * 3])
    assert measure_transfer(np.tile(RATES, (2, 1)), loss_DRS, optima, thrice, 2.3) == once


def test_the_multiplier_of_a_placebo_dealt_by_seed_is_not_path_cubeds() -> None:
    data: Any = None  # never read: there is no multiplier of all cells
    assert correlate_multiplier(PLACEBO, data) is None
