"""A rank part beside NAS-Bench-201's published numbers: does its recipe stand for theirs?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from benchmark.analysis.bootstrap import Interval
from benchmark.analysis.kendall import tau
from benchmark.analysis.ranking import rank_agreement
from benchmark.analysis.shift import accuracy_shift
from benchmark.published import Published
from benchmark.published_ranks import (
    DATASETS,
    TOP,
    Array,
    Index,
    agreement,
    jackknifed,
    multipliers,
    top,
    two_seeds,
)
from benchmark.report.arrays import first
from benchmark.report.content import Block, Cell, Table, interval, intervals, number, slug
from benchmark.report.figures import forest
from benchmark.report.rank import Ranked
from benchmark.report.verdict import TAU_MARGIN, Findings, Verdict, below
from search_spaces.nasbench201_cell import positions, read

QUESTION: Final = "Does its ranking stand for the published 200-epoch one, up to seed noise?"
SEEDS: Final = "published"
FOLLOWS: Final = 0.3
"""A multiplier whose Spearman correlation with accuracy is beyond this follows accuracy."""


@dataclass(frozen=True)
class Beside:
    """A part's cells with what was published of them on one data set.

    ``mean_A`` and ``pair_A2`` (two seeds) are of the part's cells, the rest of all 15,625;
    ``top_A`` says which of the part's cells are in the published top 1,000.
    """

    dataset: str
    mean_A: Array
    pair_A2: Array
    top_A: Any
    every_A: Array
    every_A2: Array

    @classmethod
    def of(cls, ranked: Ranked, table: Published, dataset: str) -> Beside:
        """The published accuracies of a part's cells."""
        index_A = np.array([positions()[read(n)] for n in ranked.architectures], dtype=np.intp)
        every_A, every_A2 = table.accuracy_A(dataset), two_seeds(table.seeds_AS(dataset))
        own = every_A[index_A], every_A2[index_A], top(every_A)[index_A]
        return cls(DATASETS[dataset], *own, every_A, every_A2)


def findings(
    part: Mapping[str, Any], rows: pa.Table, table: Published, colors: Mapping[str, int]
) -> Findings:
    """Whether the default's ranking stands for the published one, and what each rule changes."""
    ranked = Ranked.of(part, rows)
    there = [name for name in DATASETS if not np.isnan(table.accuracy_A(name)).all()]
    beside = [Beside.of(ranked, table, name) for name in there]
    main = next((b for b in beside if b.dataset == DATASETS.get(part["dataset"])), None)
    main = main or next(iter(beside), None)
    known = 0 if main is None else int((~np.isnan(main.mean_A)).sum())
    if main is None or known < 6:
        said = f"{known} of {len(ranked.architectures)} cells have a published 200-epoch accuracy"
        return [], [Block("published", ranked.name, [f"Nothing to compare: {said}."])]
    judged, said = verdict(ranked, main, part["recipe"]["epochs"])
    intro = (
        f"Published accuracies: {table.source}; {known} of this part's cells are among them, "
        f"{int(main.top_A.sum())} in the top {TOP:,} on {main.dataset}. {said}"
    )
    items = [intro, standing(ranked, beside, main, colors), *moved(ranked, main)]
    return [judged], [Block("published", ranked.name, items)]


def verdict(ranked: Ranked, main: Beside, epochs: int) -> tuple[Verdict, str]:
    """The answer, from single seeds on both sides, and it in a sentence."""
    held_A = ~np.isnan(main.pair_A2[:, 0])
    if held_A.sum() < 6:
        delta = Interval.undetermined("the table has no two seeds of these cells")
        because = ""
    else:
        ours_AS, theirs_AS = ranked.base_AS[held_A], main.pair_A2[held_A]
        found = rank_agreement(ours_AS, theirs_AS, shared_seeds=False, permutations=0)
        delta = found.delta
        because = (
            f"Delta {interval(delta)}: a seed of ours and a published one agree at tau "
            f"{number(found.cross.estimate)}, two of either at {number(found.ceiling.estimate)} "
            "on average."
        )
    topic = "Stands for 200 epochs"
    answer = below(delta, TAU_MARGIN, f"{TAU_MARGIN}, the smallest change of interest")
    said = f"Trained for {epochs} epochs against the published 200."
    return Verdict(ranked.name, topic, QUESTION, ranked.base, because, *answer), said


def standing(ranked: Ranked, beside: list[Beside], main: Beside, colors: Mapping[str, int]) -> Any:
    """The default against every published data set, beside what seeds agree on."""
    best_A = top(np.where(np.isnan(main.every_A2[:, 0]), np.nan, main.every_A))
    found = {}
    for each in beside:
        found[ranked.base, each.dataset] = agreement(ranked.base_AS, each.mean_A)
    few = f"{main.dataset}, in the top {TOP:,}"
    found[ranked.base, few] = agreement(ranked.base_AS, main.mean_A, main.top_A)
    if ranked.base_AS.shape[1] > 1:
        found[ranked.base, "another seed of ours"] = agreement(
            ranked.base_AS[:, 0], ranked.base_AS[:, 1]
        )
    if not np.isnan(main.every_A2).all():
        every = main.every_A2[:, 0], main.every_A2[:, 1]
        found[SEEDS, f"seeds, {main.dataset}, these cells"] = agreement(
            main.pair_A2[:, 0], main.pair_A2[:, 1]
        )
        found[SEEDS, f"seeds, {main.dataset}, all cells"] = agreement(*every)
        found[SEEDS, f"seeds, {main.dataset}, top {TOP:,}"] = agreement(*every, best_A)
    ours = found[ranked.base, main.dataset]
    ceilings = [
        f"{what.rpartition(', ')[2]} {number(each.tau.estimate)}"
        for (who, what), each in found.items()
        if who == SEEDS
    ]
    limit = f"Between two published seeds tau is: {'; '.join(ceilings)}." if ceilings else ""
    return forest(
        slug(ranked.name, "published"),
        f"{ranked.base}'s ranking and the published 200-epoch one ({main.dataset}) agree at tau "
        f"{interval(ours.tau)}, Spearman's rho {number(ours.spearman.estimate)}. {limit}",
        with_spearman(f"{ranked.name}: against the published 200-epoch accuracies", found),
        {**colors, SEEDS: 0},
        "tau-b",
        at=(0, 1),
    )


def with_spearman(title: str, found: Mapping[tuple[str, str], Any]) -> Table:
    """Intervals of tau-b, and Spearman's rho with its bounds behind them."""
    table = intervals(title, {key: each.tau for key, each in found.items()})
    columns = (*table.columns, "Spearman's rho", "rho low", "rho high")
    rhos = [each.spearman for each in found.values()]
    rows = [
        (*row, rho.estimate, rho.low, rho.high) for row, rho in zip(table.rows, rhos, strict=True)
    ]
    return Table(title, columns, rows)


def moved(ranked: Ranked, main: Beside) -> tuple[Table | str, ...]:
    """Every rule against the published ranking, what its changes would do there, and a warning."""
    y_A, rows, warned = main.mean_A, [], []
    for rule, acc_AS in ranked.others.items():
        own = ranked.table.filter(pc.field("rule") == rule)
        by_cell = first(own, "architecture", "lr_multiplier")
        multiplier_A = np.array([by_cell[name] for name in ranked.architectures], dtype=np.float64)
        every_A = multipliers().get(rule.partition(":")[0])
        all_cells = None if every_A is None else agreement(every_A, main.every_A).spearman
        change_A = accuracy_shift(ranked.base_AS, acc_AS).shift_A
        row: list[Cell] = [rule, agreement(acc_AS, y_A).tau, closer(ranked.base_AS, acc_AS, y_A)]
        row += [agreement(y_A + change_A, y_A).tau, agreement(multiplier_A, y_A).spearman]
        rows.append([*row, all_cells])
        if all_cells and abs(all_cells.estimate) > FOLLOWS:
            warned.append(f"{rule}'s {number(all_cells.estimate)}")
    columns = (
        *("rule", "tau with published", "less the default's", "published, changes added"),
        *("multiplier, these cells", "multiplier, all cells"),
    )
    table = Table(
        f"What each rule would move ({main.dataset}, 200 epochs). Changes added: tau of the "
        "published accuracies with themselves plus the rule's measured changes, whose own seed "
        "noise counts as movement. Multiplier: Spearman's correlation of the rate multiplier, "
        "untrained, with published accuracy",
        columns,
        rows,
    )
    warning = (
        "Warning: a multiplier can follow accuracy before anything is trained. Spearman's "
        f"correlation with the published accuracy over all cells is {', '.join(warned)}. A rule "
        "that moves cells along its multiplier moves them along accuracy too: that alone does not "
        "show that its rates are right."
    )
    return (table, warning) if warned else (table,)


def closer(base_AS: Array, rule_AS: Array, y_A: Array) -> Interval:
    """A rule's mean tau with the published ranking less the default's, over the same cells."""
    known_A = ~np.isnan(y_A)
    base_SN, rule_SN, y_N = base_AS[known_A].T, rule_AS[known_A].T, y_A[known_A]

    def gain(rows: Index) -> float:
        pairs = zip(rule_SN[:, rows], base_SN[:, rows], strict=True)
        return float(np.mean([tau(new, y_N[rows]) - tau(old, y_N[rows]) for new, old in pairs]))

    return jackknifed(gain, len(y_N))
