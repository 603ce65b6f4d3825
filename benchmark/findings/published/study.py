"""A study of the published accuracies alone: how far could any rule of the rate matter?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from benchmark import rules
from benchmark.analysis.intervals import Array
from benchmark.analysis.thresholds import CARRIES, FOLLOWS, TAU_MARGIN
from benchmark.findings.content import Block, Table, TableCell, format_number
from benchmark.findings.methods import read_docstring
from benchmark.findings.published.rates import judge_multipliers
from benchmark.findings.published.seeds import Data, judge_seeds
from benchmark.findings.verdict import Findings, Verdict
from benchmark.published import agreement, rate_classes
from benchmark.published.table import Published
from search_spaces.errors import InvalidInput

STUDY: Final = {
    "name": "published-ranks",
    "question": "How far could a learning-rate rule matter to the ranking of NAS-Bench-201's "
    "15,625 cells, judged by published accuracies alone?",
}


def judge_published(table: Published) -> Findings:
    """All that a table says; raises ``InvalidInput`` where it has nothing to rank."""
    data = [Data.of(table, name) for name in agreement.DATASETS]
    data = [each for each in data if each.cells > 1]
    if not data:
        raise InvalidInput(f"{table.source} has no 200-epoch test accuracies to rank")
    verdicts: list[Verdict] = []
    blocks: list[Block] = []
    for judge in (judge_seeds, judge_multipliers):
        judged, found = judge(data)
        verdicts, blocks = verdicts + judged, blocks + found
    return verdicts, [*blocks, describe_published_methods(), describe_published_table(table, data)]


def describe_published_methods() -> Block:
    """The rules, the thresholds, and the statistics in the words of the code."""
    used = [
        (rule, rules.rule(rule).formula, rules.rule(rule).source)
        for rule in rate_classes.compute_multipliers()
    ]
    words = [
        ("smallest change of ranking", format_number(TAU_MARGIN), "tau-b"),
        ("follows accuracy", format_number(FOLLOWS), "Spearman's rho, either sign"),
        ("carries the ranking", f"{CARRIES:.0%}", "of the variance of ranks"),
    ]
    statistics = [
        ("agreement", read_docstring(agreement.measure_agreement)),
        ("interval", read_docstring(agreement.jackknife_statistic)),
        ("top", read_docstring(agreement.find_top)),
        ("two seeds", read_docstring(agreement.two_seeds)),
        ("a top by a third seed", read_docstring(Data.by_third)),
        ("multiplier", read_docstring(rate_classes.compute_multipliers)),
        ("rate classes", read_docstring(rate_classes.Classes)),
        ("share between classes", read_docstring(rate_classes.between_share)),
    ]
    tables = (
        Table("Rules that give cells different rates", ("rule", "formula", "source"), used),
        Table("What an interval is held against", ("threshold", "value", "applies to"), words),
        Table("The statistics, from the code", ("statistic", "definition"), statistics),
    )
    return Block("methods", "", tables)


def describe_published_table(table: Published, data: Sequence[Data]) -> Block:
    """Which file, and how many cells it knows."""
    rows: list[tuple[TableCell, ...]] = [
        (
            each.name,
            *(count_known(value_A) for value_A in (each.long_A, each.short_A, each.pair_A2[:, 0])),
        )
        for each in data
    ]
    columns = ("data set", "200 epochs", "12 epochs", "two seeds of 200 epochs")
    items = (
        f"Published accuracies: {table.source}.",
        Table("Cells with a test accuracy", columns, rows),
    )
    return Block("provenance", "", items)


def count_known(value_A: Array) -> int:
    """How many values are no NaN."""
    return int((~np.isnan(value_A)).sum())
