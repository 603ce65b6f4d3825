"""A rank part beside NAS-Bench-201's published numbers: does its recipe stand for theirs?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from benchmark.analysis.correlation.kendall import tau
from benchmark.analysis.correlation.spearman import spearman_rows
from benchmark.analysis.intervals import Array, Interval
from benchmark.analysis.ranking.accuracy_shift import measure_accuracy_shift
from benchmark.analysis.ranking.rank_agreement import measure_rank_agreement
from benchmark.analysis.thresholds import FOLLOWS, TAU_MARGIN
from benchmark.findings.arrays import arrange_rates
from benchmark.findings.content import (
    Block,
    Figure,
    Table,
    TableCell,
    format_interval,
    format_number,
    make_slug,
)
from benchmark.findings.plots import Forest
from benchmark.findings.published.seeds import ALL, BEST, SEED, SHORT, Data, tabulate_agreements
from benchmark.findings.ranking.rank_arrays import RankArrays
from benchmark.findings.verdict import Findings, Verdict, judge_below
from benchmark.published.agreement import (
    DATASETS,
    TOP,
    Index,
    Mask,
    find_top,
    jackknife_statistic,
    measure_agreement,
)
from benchmark.published.rate_classes import compute_multipliers
from benchmark.published.table import Published
from benchmark.rules import Control, find
from search_spaces.nasbench201.cell import index_cells, read

QUESTION: Final = "Does its ranking stand for the published 200-epoch one, up to seed noise?"
PUBLISHED: Final = "published"


@dataclass(frozen=True)
class Beside:
    """A part's cells beside what was published on one data set: their mean 200-epoch accuracies,
    two seeds of those that have them, and whether they are in the published top 1,000."""

    data: Data
    mean_A: Array
    pair_A2: Array
    top_A: Mask

    @classmethod
    def of(cls, data: Data, index_A: Index) -> Beside:
        """The cells of these official indices."""
        best_A = find_top(data.long_A)[index_A]
        return cls(data, data.long_A[index_A], data.pair_A2[index_A], best_A)


def compare_with_published(part: Mapping[str, Any], rows: pa.Table, table: Published) -> Findings:
    """Whether the default's ranking stands for the published one, and what each rule changes."""
    ranked = RankArrays.of(part, rows)
    index_A = np.array([index_cells()[read(n)] for n in ranked.architectures], dtype=np.intp)
    there = {name: Data.of(table, name) for name in DATASETS}
    beside = {name: Beside.of(each, index_A) for name, each in there.items() if each.cells}
    main = beside.get(part["dataset"]) or next(iter(beside.values()), None)
    known = 0 if main is None else int((~np.isnan(main.mean_A)).sum())
    if main is None or known < 6:
        said = f"{known} of {len(ranked.architectures)} cells have a published 200-epoch accuracy"
        return [], [Block("published", ranked.name, [f"Nothing to compare: {said}."])]
    intro = (
        f"Published accuracies: {table.source}; {known} of this part's cells are among them, "
        f"{int(main.top_A.sum())} in the top {TOP} on {main.data.name}. This part trained for "
        f"{part['recipe']['epochs']} epochs on {part['dataset']}, the published numbers are of 200."
    )
    items = [
        intro,
        draw_standing(ranked, list(beside.values()), main),
        *tabulate_moves(ranked, main),
    ]
    return [judge_standing(ranked, main)], [Block("published", ranked.name, items)]


def judge_standing(ranked: RankArrays, main: Beside) -> Verdict:
    """The answer, from single seeds on both sides."""
    held_A = ~np.isnan(main.pair_A2[:, 0])
    if held_A.sum() < 6:
        delta = Interval.undetermined("the table has no two seeds of these cells")
        because = ""
    else:
        ours_AS, theirs_AS = ranked.base_AS[held_A], main.pair_A2[held_A]
        found = measure_rank_agreement(ours_AS, theirs_AS, shared_seeds=False, permutations=0)
        delta = found.delta
        because = (
            f"Delta {format_interval(delta)}: a seed of ours and a published one agree at tau "
            f"{format_number(found.cross.estimate)}, two of either at "
            f"{format_number(found.ceiling.estimate)} on average."
        )
    topic = "Stands for 200 epochs"
    answer = judge_below(delta, TAU_MARGIN, f"{TAU_MARGIN}, the smallest change of interest")
    return Verdict(ranked.name, topic, QUESTION, ranked.base, because, *answer)


def draw_standing(ranked: RankArrays, beside: Sequence[Beside], main: Beside) -> Figure:
    """The default against every published data set, beside what seeds agree on."""
    name = main.data.name
    found = {
        (ranked.base, b.data.name): measure_agreement(ranked.base_AS, b.mean_A) for b in beside
    }
    found[ranked.base, f"{name}, in the {BEST}"] = measure_agreement(
        ranked.base_AS, main.mean_A, main.top_A
    )
    if ranked.base_AS.shape[1] > 1:
        first_A, second_A = ranked.base_AS[:, 0], ranked.base_AS[:, 1]
        found[ranked.base, "another seed of ours"] = measure_agreement(first_A, second_A)
    if not np.isnan(main.data.pair_A2).all():
        here = measure_agreement(main.pair_A2[:, 0], main.pair_A2[:, 1])
        every, best = main.data.agreements(len(main.data.long_A)), main.data.agreements(TOP)
        found[PUBLISHED, f"{SEED}, {name}, these cells"] = here
        found[PUBLISHED, f"{SEED}, {name}, {ALL}"] = every[SEED]
        found |= {(PUBLISHED, f"{of}, {name}, {BEST}"): v for of, v in best.items() if of != SHORT}
    ours = found[ranked.base, name]
    ceilings = [
        f"{what.removeprefix(f'{SEED}, ')} {format_number(each.tau.estimate)}"
        for (who, what), each in found.items()
        if who == PUBLISHED
    ]
    limit = f"Two published seeds agree at tau: {'; '.join(ceilings)}." if ceilings else ""
    return Figure(
        make_slug(ranked.name, "published"),
        f"{ranked.base}'s ranking and the published 200-epoch one ({main.data.name}) agree at tau "
        f"{format_interval(ours.tau)}, Spearman's rho {format_number(ours.spearman.estimate)}. "
        f"{limit}",
        tabulate_agreements(f"{ranked.name}: against the published 200-epoch accuracies", found),
        Forest(
            "tau-b",
            at=(0, 1),
        ),
    )


def tabulate_moves(ranked: RankArrays, main: Beside) -> tuple[Table | str, ...]:
    """Every rule against the published ranking, what its changes would do there, and a warning."""
    y_A, rows, warned = main.mean_A, [], []
    for rule, acc_AS in ranked.others.items():
        own = ranked.table.filter(pc.field("rule") == rule)
        seeds = range(acc_AS.shape[1])
        multiplier_AS = arrange_rates(own, ranked.architectures, seeds)
        all_cells = correlate_multiplier(rule, main.data)
        change_A = measure_accuracy_shift(ranked.base_AS, acc_AS).shift_A
        row: list[TableCell] = [
            rule,
            measure_agreement(acc_AS, y_A).tau,
            measure_approach(ranked.base_AS, acc_AS, y_A),
        ]
        row += [
            measure_agreement(y_A + change_A, y_A).tau,
            measure_agreement(multiplier_AS, y_A).spearman,
        ]
        rows.append([*row, all_cells])
        if all_cells and abs(all_cells) > FOLLOWS:
            warned.append(f"{rule}'s {format_number(all_cells)}")
    columns = (
        "rule",
        "tau with published",
        "less the default's",
        "published, changes added",
        "multiplier, these cells",
        "multiplier, all cells",
    )
    table = Table(
        f"What each rule would move ({main.data.name}, 200 epochs). Changes added: tau of the "
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


def correlate_multiplier(rule: str, data: Data) -> float | None:
    """Spearman's correlation of a rule's multiplier with accuracy; None where it has but one, and
    for a control that deals every seed anew among the cells of a study."""
    found = find(rule)
    own = rule if isinstance(found, Control) else rule.partition(":")[0]
    multiplier_A = compute_multipliers().get(own)
    if multiplier_A is None:
        return None
    both_A = ~np.isnan(multiplier_A) & ~np.isnan(data.long_A)
    return float(spearman_rows(multiplier_A[None, both_A], data.long_A[None, both_A])[0])


def measure_approach(base_AS: Array, rule_AS: Array, y_A: Array) -> Interval:
    """A rule's mean tau with the published ranking less the default's, over the same cells."""
    known_A = ~np.isnan(y_A)
    base_SN, rule_SN, y_N = base_AS[known_A].T, rule_AS[known_A].T, y_A[known_A]

    def gain(rows: Index) -> float:
        pairs = zip(rule_SN[:, rows], base_SN[:, rows], strict=True)
        return float(np.mean([tau(new, y_N[rows]) - tau(old, y_N[rows]) for new, old in pairs]))

    return jackknife_statistic(gain, len(y_N))
