"""Accuracy against a placebo: every rule against its own, and no rule against another's."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from benchmark.findings.ranking.accuracy_shift import judge_accuracy
from benchmark.findings.ranking.rank_arrays import RankArrays

GAINS = {
    "path-cubed": 0.02,
    "shuffled": 0.0,
    "effective-depth": 0.06,
    "shuffled:effective-depth": 0.05,
    "depth-mup": 0.09,
}
"""What each rule is planted to gain over the default."""


def planted(rules: tuple[str, ...]) -> RankArrays:
    rng = np.random.default_rng(0)
    names = tuple(f"cell-{index}" for index in range(40))
    base_AS = rng.uniform(0.3, 0.7, (40, 1)) + rng.normal(0, 0.001, (40, 3))
    others = {rule: base_AS + GAINS[rule] + rng.normal(0, 0.001, (40, 3)) for rule in rules}
    rates = {rule: np.ones((40, 1)) for rule in ("default", *rules)}
    columns = ("effective_depth", "log2_sum_cubes", "convolutions", "parameters")
    table = pa.table({"architecture": names} | dict.fromkeys(columns, rng.uniform(1, 9, 40)))
    return RankArrays("cells", "default", names, base_AS, others, rates, table)


@pytest.mark.parametrize("order", [1, -1])
def test_a_rule_is_judged_against_its_own_placebo_alone(order: int) -> None:
    verdicts, _ = judge_accuracy(planted(tuple(GAINS)[::order]))
    found = {v.rule: v for v in verdicts if v.topic == "Beats the placebo"}
    assert set(found) == {"path-cubed", "effective-depth"}
    for rule, gain in (("path-cubed", 0.02), ("effective-depth", 0.01)):
        value = found[rule].value
        assert value is not None
        assert value.estimate == pytest.approx(gain, abs=0.002)


def test_without_its_own_placebo_a_rule_has_no_such_verdict() -> None:
    verdicts, _ = judge_accuracy(planted(("effective-depth", "shuffled", "depth-mup")))
    assert not [v for v in verdicts if v.topic == "Beats the placebo"]
