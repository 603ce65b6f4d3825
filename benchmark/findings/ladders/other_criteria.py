"""The laws of the best rate by other criteria than the part's own.

Papers differ in which rate they mean: effective depth speaks of the maximal stable rate, Chen et
al. (arXiv 2402.17440) tune by the largest rate whose loss is as good as the best, and the mean loss
of one epoch rewards early speed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

from benchmark.analysis.intervals import Array
from benchmark.analysis.ladders.exponent_verdict import judge_slope
from benchmark.analysis.ladders.optimum import Optimum
from benchmark.analysis.ladders.slope import Slope, fit_good_slope, fit_stable_slope
from benchmark.analysis.thresholds import Judged
from benchmark.findings.content import Table, TableCell
from benchmark.findings.ladders.arrays.ladder_arrays import (
    BY_LOSS,
    GOOD,
    STABLE,
    DepthArrays,
    Scheme,
)
from benchmark.findings.ladders.laws import LAWS, Law, fit_profiles, judge_law
from benchmark.study.rates import other_criterion

GRID_SLOPES: Final[Mapping[str, Callable[[Array, Sequence[Optimum]], Slope]]] = {
    STABLE: fit_stable_slope,
    GOOD: fit_good_slope,
}
"""Rates that are read from the grid, and how their exponent is fitted."""


def tabulate_other_criteria(ladder: DepthArrays) -> tuple[Table, ...]:
    """Per initialization, criterion and law the exponent in the law's own unit of depth, and the
    answer; none where no law's unit counts the rungs."""
    rows: list[tuple[TableCell, ...]] = []
    for scheme in ladder.schemes:
        judged = [
            (criterion, law.topic, answer)
            for law in LAWS
            if law.unit in ladder.units
            for criterion, answer in judge_criteria(ladder, scheme, law)
        ]
        for criterion in dict.fromkeys(named for named, *_ in judged):
            own = [(topic, answer) for named, topic, answer in judged if named == criterion]
            if not own[0][1].value.determined:  # no rates to fit: the same of every law
                own = [("every law", own[0][1])]
            for topic, found in own:
                value = found.value if found.value.determined else None
                rows.append((scheme.name, criterion, topic, value, found.answer, found.why))
    title = (
        "The laws by other criteria: which rate is meant, its exponent in the law's own unit of "
        "depth, and whether it is the law's. Exponents of rates that are read from the grid have "
        "intervals over rungs, at least as wide as the grid's steps make them"
    )
    columns = ("initialization", "criterion", "law", "exponent", "answer", "why")
    return (Table(title, columns, rows),) if rows else ()


def judge_criteria(ladder: DepthArrays, scheme: Scheme, law: Law) -> Iterator[tuple[str, Judged]]:
    """Each criterion, and whether the law holds by it."""
    by_unit = fit_profiles(ladder.units, scheme.other_optima) if scheme.other_optima else {}
    if law.unit in by_unit:
        yield BY_LOSS[other_criterion(ladder.criterion)], judge_law(law, by_unit)
    for criterion, fit in GRID_SLOPES.items():
        value = fit(ladder.units[law.unit], scheme.optima).exponent
        others = {
            unit: (fit(ladder.units[unit], scheme.optima).exponent, rivals)
            for unit, rivals in law.elsewhere.items()
            if unit in ladder.units
        }
        yield criterion, judge_slope(value, law.exponent, law.rivals, elsewhere=others)
