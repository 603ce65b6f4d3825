"""Published accuracies: what a rule's multiplier says of them, and what its rate classes carry."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from benchmark.analysis.intervals import Interval
from benchmark.analysis.thresholds import CARRIES, FOLLOWS, Answer, Judged
from benchmark.findings.content import (
    Block,
    Figure,
    Table,
    TableCell,
    format_interval,
    format_number,
    tabulate_intervals,
)
from benchmark.findings.plots import Curves, Forest, Line
from benchmark.findings.published.seeds import ALL, BEST, PART, Data, measure_seed_scatter
from benchmark.findings.verdict import Findings, Verdict, judge_below
from benchmark.published.agreement import find_top, measure_agreement
from benchmark.published.rate_classes import Classes, compute_multipliers, measure_rate_classes

ALONE: Final = "Does the multiplier alone, before any training, follow published accuracy?"
BETWEEN: Final = "Does most of the ranking of {} lie between rate classes, where the rule can act?"
OPPOSITE: Final[dict[Answer, Answer]] = {"yes": "no", "no": "yes", "undetermined": "undetermined"}
SHOWN: Final = "path-cubed"


def judge_multipliers(data: Sequence[Data]) -> Findings:
    """How the multipliers follow accuracy, and how far a rule could matter."""
    rho, carried = {}, {}
    for rule, multiplier_A in compute_multipliers().items():
        for each in data:
            for label, among_A in ((ALL, None), (BEST, find_top(each.long_A))):
                key = rule, f"{each.name}, {label}"
                rho[key] = measure_agreement(multiplier_A, each.long_A, among_A).spearman
                carried[key] = measure_rate_classes(multiplier_A, each.long_A, among_A)
    first = data[0]
    found = [*judge_multipliers_alone(first, rho), *judge_classes(first, carried)]
    correlations, shares = (
        draw_correlations(first, rho),
        draw_shares(first, carried),
    )
    return found, [
        Block("published", "Rate multipliers", [correlations, draw_cells(first)]),
        Block("published", "How far a rule could matter", [shares, tabulate_classes(carried)]),
    ]


def judge_following(rho: Interval) -> Judged:
    """Whether a correlation lies beyond ``FOLLOWS`` on either side of 0."""
    low, high = sorted((abs(rho.low), abs(rho.high)))
    size = replace(rho, estimate=abs(rho.estimate), low=0 if rho.contains(0) else low, high=high)
    answer, why, _ = judge_below(size, FOLLOWS, f"{FOLLOWS}, the least that counts as following")
    return Judged(OPPOSITE[answer], why, rho)


def judge_multipliers_alone(first: Data, rho: Mapping[tuple[str, str], Interval]) -> list[Verdict]:
    """A verdict per rule, on the first data set, with the others beside it."""
    verdicts = []
    for rule in compute_multipliers():
        own = {what: value for (who, what), value in rho.items() if who == rule}
        main = own.pop(f"{first.name}, {ALL}")
        others, best = (
            ", ".join(
                format_number(value.estimate) for what, value in own.items() if what.endswith(label)
            )
            for label in (ALL, BEST)
        )
        because = f"Spearman's rho {format_interval(main)} cells, {first.name}"
        because += f"; the other data sets {others}" if others else ""
        because += f". In the {BEST} of each: {best}."
        topic = "Multiplier follows accuracy"
        verdicts.append(Verdict(PART, topic, ALONE, rule, because, *judge_following(main)))
    return verdicts


def draw_correlations(first: Data, rho: Mapping[tuple[str, str], Interval]) -> Figure:
    """Every multiplier's correlation with accuracy, and the warning."""
    warned = [
        f"{who} {format_number(value.estimate)}"
        for (who, what), value in rho.items()
        if what == f"{first.name}, {ALL}" and judge_following(value)[0] == "yes"
    ]
    return Figure(
        "multipliers",
        f"Warning: before any training, {', '.join(warned) or 'no rule'} ({first.name}, {ALL}). "
        "Below 0, the cells that get lower rates are the better ones: a study in which such a rule "
        "moves cells along its multiplier moves them along accuracy, whether or not its rates are "
        "right. Among the best cells the correlation is another one.",
        tabulate_intervals("Spearman's correlation of rate multiplier and 200-epoch accuracy", rho),
        Forest(
            "Spearman's rho",
        ),
    )


def draw_cells(each: Data) -> Figure:
    """Every cell's accuracy against its multiplier, with the mean of each rate class."""
    multiplier_A = compute_multipliers()[SHOWN].round(9)
    cells = np.flatnonzero(~np.isnan(multiplier_A) & ~np.isnan(each.long_A))
    x_N, y_N = multiplier_A[cells], 100 * each.long_A[cells]
    rate_C, class_N = np.unique(x_N, return_inverse=True)
    mean_C = np.bincount(class_N, y_N) / np.bincount(class_N)
    x, y = f"{SHOWN}'s rate multiplier", f"{each.name} test accuracy (%)"
    points = zip(cells.tolist(), x_N.tolist(), y_N.tolist(), strict=True)
    rows = [(str(index), "one cell", rate, share) for index, rate, share in points]
    return Figure(
        "accuracy-by-multiplier",
        f"Each point is one of {len(cells):,} cells with a path, the line the mean of its rate "
        f"class. The {len(rate_C)} classes overlap: cells of one class get one rate, however far "
        "apart their accuracies.",
        Table("Accuracy against rate multiplier", ("index", "of", x, y), rows),
        Curves(
            (x, y, "of"),
            joined=False,
            log="x",
            lines=[Line("mean of a rate class", rate_C, mean_C, "mean")],
        ),
    )


def judge_classes(first: Data, carried: Mapping[tuple[str, str], Classes]) -> list[Verdict]:
    """A verdict per rule on all cells and on the top, on the first data set."""
    verdicts = []
    for label in (ALL, BEST):
        for rule in compute_multipliers():
            each = carried[rule, f"{first.name}, {label}"]
            answer, why, _ = judge_below(each.share, CARRIES, f"{CARRIES:.0%}")
            because = (
                f"Between its {each.classes} classes lies {format_interval(each.share, 100, '%')} "
                f"of the variance of ranks ({first.name}); {each.pairs:.0%} of pairs share a rate."
            )
            topic = "Rate classes carry ranks" + (", top" if label == BEST else "")
            question = BETWEEN.format(f"the {label}" if label == BEST else label)
            head = (PART, topic, question, rule)
            verdicts.append(Verdict(*head, because, OPPOSITE[answer], why, each.share))
    return verdicts


def draw_shares(first: Data, carried: Mapping[tuple[str, str], Classes]) -> Figure:
    """The share of the ranks' variance that lies between rate classes."""
    among = carried[SHOWN, f"{first.name}, {BEST}"].between
    noise = measure_seed_scatter(first)
    told = (
        f"In the {BEST} on {first.name}, {SHOWN}'s classes differ by {format_number(100 * among)} "
        f"points, seeds of one cell by {format_number(100 * noise)} (standard deviations): lifting "
        "some classes by so little reorders the top, and one seed per cell cannot show it."
    )
    return Figure(
        "classes",
        "Cells of a class get one rate, so a rule can tell only classes apart. The share between "
        f"classes is the most that any function of the multiplier explains; shuffled is what "
        f"chance gives. {'' if np.isnan(noise) else told}",
        tabulate_intervals(
            "Share of the variance of ranks between rate classes (%)",
            {key: each.share for key, each in carried.items()},
            100,
        ),
        Forest(
            "between classes (%)",
            at=(0, 100),
        ),
    )


def tabulate_classes(carried: Mapping[tuple[str, str], Classes]) -> Table:
    """How many classes, how coarse, and how far apart."""
    rows: list[tuple[TableCell, ...]] = [
        (f"{rule}, {what}", c.classes, 100 * c.pairs, 100 * c.between, 100 * c.within)
        for (rule, what), c in carried.items()
    ]
    columns = ("rule, data set, among", "classes", "pairs in one class (%)", "between", "within")
    return Table(
        "Rate classes: standard deviation of accuracy between and within them, in points",
        columns,
        rows,
    )
