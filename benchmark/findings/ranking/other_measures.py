"""Other measures of agreement with the default, beside tau: they should tell the same story."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import numpy as np

from benchmark.analysis.intervals import RESAMPLED, Array, Interval
from benchmark.analysis.ranking.other_agreement import (
    CrossAndCeiling,
    measure_rounded_agreement,
    measure_spearman_agreement,
    measure_weighted_agreement,
    seed_deviation,
)
from benchmark.analysis.ranking.rank_agreement import RankAgreement
from benchmark.analysis.ranking.top_k import (
    measure_top_k_agreement,
    measure_top_k_overlap,
    measure_top_k_regret,
)
from benchmark.findings.content import Figure, Table, TableCell, format_number, make_slug
from benchmark.findings.plots import Curves, Line
from benchmark.findings.ranking.rank_arrays import RankArrays

SEEDS: Final = 3
"""Of more than 1000 architectures so many seeds are compared: noise is small, and each costs."""
CEILING: Final = "between seeds of one rule"
SHARE: Final = 10  # regret is of keeping one architecture in ten


def show_other_measures(ranked: RankArrays) -> tuple[Figure | Table, ...]:
    """The top K kept, tau among the best, and a table of the other measures.

    With one seed there is only the first.
    """
    kept = draw_overlap(ranked)
    if ranked.base_AS.shape[1] < 2:
        return (kept,)
    seeds = SEEDS if len(ranked.architectures) > RESAMPLED else ranked.base_AS.shape[1]
    base_AS = ranked.base_AS[:, :seeds]
    others = {rule: acc_AS[:, :seeds] for rule, acc_AS in ranked.others.items()}
    rows: list[tuple[TableCell, ...]] = [
        (rule, name, found.cross.estimate, found.ceiling.estimate, as_cell(found.delta))
        for rule, acc_AS in others.items()
        for name, found in measure_agreements(base_AS, acc_AS)
    ]
    deviation = 100 * seed_deviation(base_AS, *others.values())
    some = f"; of the first {seeds} seeds" if seeds < ranked.base_AS.shape[1] else ""
    title = (
        f"Other measures of agreement with {ranked.base}. Weighted tau (Vigna): exchanges near the "
        "top weigh more (no interval: it depends on the number of architectures). Rounded: ties "
        f"what differs by less than seeds do, {format_number(deviation)} points{some}"
    )
    return (
        kept,
        draw_tau_of_top(ranked.name, base_AS, others),
        Table(title, ("rule", "measure", "cross", "ceiling", "delta"), rows),
        tabulate_regret(ranked.base, base_AS, others),
    )


def measure_agreements(
    base_AS: Array, acc_AS: Array
) -> Iterator[tuple[str, CrossAndCeiling | RankAgreement]]:
    """Every other measure."""
    yield "Spearman's rho", measure_spearman_agreement(base_AS, acc_AS)
    yield "weighted tau", measure_weighted_agreement(base_AS, acc_AS)
    if seed_deviation(base_AS, acc_AS) > 0:
        yield "tau, rounded", measure_rounded_agreement(base_AS, acc_AS, permutations=0)


def draw_over_k(
    part: str,
    stem: str,
    data: Table,
    finding: str,
    *,
    bars: tuple[str, str] | None = None,
    also: Sequence[Line] = (),
) -> Figure:
    """Rows of (rule, K, value, ..., ceiling): a line per rule, and dashed its ceiling."""
    ks = sorted({int(str(row[1])) for row in data.rows})
    ceilings: list[Line] = []
    for rule in dict.fromkeys(str(row[0]) for row in data.rows):
        own = [float(str(row[-1])) for row in data.rows if row[0] == rule]
        ceilings.append(Line("ceiling", ks, own, "ceiling", rule))
    axes, lines = ("K", data.columns[2], "rule"), [*also, *ceilings]
    plot = Curves(axes, bars=bars, log="x", ticks=ks, lines=lines)
    return Figure(make_slug(part, stem), finding, data, plot)


def draw_overlap(ranked: RankArrays) -> Figure:
    """The share of the top K that a rule keeps, beside what another seed keeps and chance."""
    architectures = len(ranked.architectures)
    ks = sorted({max(1, round(architectures * share)) for share in np.geomspace(0.05, 1, 9)})
    rows = [
        (rule, each.k, each.cross, each.chance, each.ceiling)
        for rule, acc_AS in ranked.others.items()
        for each in measure_top_k_overlap(ranked.base_AS, acc_AS, ks)
    ]
    fifth = min(ks, key=lambda k: abs(k - architectures / 5))
    said = [f"{row[0]} {row[2]:.0%} (ceiling {row[4]:.0%})" for row in rows if row[1] == fifth]
    columns = ("rule", "K", "share of the top K in common", "chance", CEILING)
    return draw_over_k(
        ranked.name,
        "top",
        Table(f"{ranked.name}: the top K, kept or not", columns, rows),
        f"Of {ranked.base}'s top {fifth:,}, kept by: {', '.join(said)}; by chance "
        f"{fifth / architectures:.0%}. No interval: the border of a top K has none that holds.",
        also=[Line("chance", ks, [k / architectures for k in ks], "chance")],
    )


def draw_tau_of_top(part: str, base_AS: Array, others: Mapping[str, Array]) -> Figure:
    """tau as a function of K, and its ceiling."""
    ks = sorted({round(k) for k in np.geomspace(min(8, len(base_AS)), len(base_AS), 7)})
    rows = [
        (rule, k, each.cross.estimate, each.cross.low, each.cross.high, each.ceiling.estimate)
        for rule, acc_AS in others.items()
        for k, each in zip(ks, measure_top_k_agreement(base_AS, acc_AS, ks), strict=True)
    ]
    said = [
        f"{row[0]} {format_number(row[2])} ({format_number(row[5])})"
        for row in rows
        if row[1] == ks[0]
    ]
    columns = ("rule", "K", "tau among the top K", "low", "high", CEILING)
    return draw_over_k(
        part,
        "top-tau",
        Table(f"{part}: agreement among the top K", columns, rows),
        f"Among the top {ks[0]:,}, cross and in brackets the ceiling: {', '.join(said)}. Both fall "
        "as K shrinks, since the best differ by less: a rule moves the best only where its line "
        "lies below its dashed ceiling. The top is chosen by both rules' mean rank.",
        bars=("low", "high"),
    )


def tabulate_regret(base: str, base_AS: Array, others: Mapping[str, Array]) -> Table:
    """What is lost by choosing under a rule, scored under the default on other seeds."""
    k = max(1, len(base_AS) // SHARE)
    rows: list[tuple[TableCell, ...]] = []
    for rule, acc_AS in {base: base_AS, **others}.items():
        if np.isfinite(base_AS).any(axis=0).all():
            found = measure_top_k_regret(acc_AS, base_AS, k)
            low, high = min(found.per_seed), max(found.per_seed)
            rows.append((rule, *(100 * value for value in (found.regret, low, high, found.chance))))
    title = (
        f"Regret at {k:,}: accuracy lost, in points, by keeping a rule's {k:,} best of one seed "
        f"and training them under {base} on the other seeds, against the best there is"
    )
    return Table(title, ("chosen under", "regret", "least seed", "worst seed", "by chance"), rows)


def as_cell(value: Interval) -> TableCell:
    """The interval where it is determined, else the estimate alone."""
    return value if value.determined else value.estimate
