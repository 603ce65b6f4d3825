"""Every architecture of a rank part: its place, gains and rates, and its graph."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from benchmark.analysis.intervals import Array
from benchmark.analysis.ranking.movers import Movers, find_movers
from benchmark.findings.content import (
    Architectures,
    Block,
    Table,
    TableCell,
    format_number,
    make_slug,
)
from benchmark.findings.ranking.rank_arrays import RankArrays
from search_spaces.nasbench201.cell import read, write_code
from search_spaces.nasbench201.space import NasBench201
from search_spaces.registry import create
from search_spaces.space import SearchSpace

SHOWN: Final = 240
"""Rows on the page at most; every architecture is in data/."""

FAR: Final = 2.0
"""Pooled seed errors beyond which a move is marked: chance alone marks 1 in 20."""


def show_architectures(part: Mapping[str, Any], ranked: RankArrays) -> Block:
    """The architectures, the widest move first; the widest and the best where there are many."""
    found = {rule: find_movers(ranked.base_AS, acc_AS) for rule, acc_AS in ranked.others.items()}
    size_A = np.max([np.abs(each.score_A) for each in found.values()], axis=0)
    order_A = np.argsort(-size_A, kind="stable")
    if len(order_A) > SHOWN:
        place_A = next(iter(found.values())).rank_reference_A
        best_A = place_A <= np.sort(place_A)[SHOWN // 2 - 1]
        kept = np.union1d(order_A[: SHOWN // 2], np.flatnonzero(best_A)[: SHOWN // 2])
        order_A = order_A[np.isin(order_A, kept)]
    space = create(part["space"], **part["options"])
    names = [ranked.architectures[a] for a in order_A]
    graphs = {name: space.graph(name) for name in names}
    lines = tuple(
        (name, *describe_architecture(ranked, found, a))
        for a, name in zip(order_A, names, strict=True)
    )
    rows: list[tuple[TableCell, ...]] = []
    first = next(iter(found.values()))
    for a, name in zip(order_A, names, strict=True):
        gains = [mark_gain(each, a) for each in found.values()]
        accuracy = 100 * float(ranked.base_AS[a].mean())
        rows.append(
            (
                shorten_name(space, name),
                float(first.rank_reference_A[a]),
                accuracy,
                float(size_A[a]),
                *gains,
            )
        )
    beyond = [f"{int((np.abs(m.score_A) > FAR).sum()):,} under {rule}" for rule, m in found.items()]
    title = (
        f"{len(rows)} of {len(ranked.architectures):,} architectures, the widest move first: place "
        f"and test accuracy under {ranked.base}, mean over seeds; the widest move in seed errors; "
        "change of accuracy under each rule, in points. * moved by more than twice the pooled seed "
        f"error: {', '.join(beyond)} (chance alone: 1 in 20). A row opens its drawing and rates"
    )
    columns = ("architecture", "place", "accuracy (%)", "widest move", *found)
    shown = Table(title, columns, rows)
    made = (tabulate_architectures(ranked, found), shown, graphs, lines)
    return Block(
        "movers", ranked.name, [Architectures(make_slug(ranked.name, "architectures"), *made)]
    )


def shorten_name(space: SearchSpace, architecture: str) -> str:
    """The architecture's name, or a NAS-Bench-201 cell's official index and short code."""
    if not isinstance(space, NasBench201):
        return architecture
    return f"{space.index(architecture)} ({write_code(read(architecture))})"


def mark_gain(moved: Movers, a: int) -> str:
    """A change of accuracy, with a star where the move is more than ``FAR`` seed errors."""
    star = "*" if abs(moved.score_A[a]) > FAR else ""
    return f"{format_gain(moved.shift_A[a])}{star}"


def format_gain(shift: float) -> str:
    """A change of accuracy in points; none where a replica diverged."""
    return "–" if np.isnan(shift) else f"{100 * shift:+.1f}".replace("-", "−")


def describe_architecture(ranked: RankArrays, found: Mapping[str, Movers], a: int) -> list[str]:
    """A line per rule: rate, accuracy, place."""
    place = next(iter(found.values())).rank_reference_A[a]
    lines = [(ranked.base, ranked.base_AS, place, "")]
    lines += [
        (rule, ranked.others[rule], each.rank_rule_A[a], f", {format_gain(each.shift_A[a])} points")
        for rule, each in found.items()
    ]
    return [
        f"{rule}: {describe_rates(ranked.rates[rule][a])}, accuracy "
        f"{format_number(100 * float(acc_AS[a].mean()))}%{change}, place {where:.1f}"
        for rule, acc_AS, where, change in lines
    ]


def describe_rates(rate_S: Array) -> str:
    """The rate of an architecture, or those of its seeds where each was dealt one."""
    told = ", ".join(map(format_number, rate_S.tolist()))
    return f"rate {told}" if len(rate_S) == 1 else f"rates by seed {told}"


def label_rates(rule: str, rate_AS: Array) -> dict[str, Array]:
    """The columns of a rule's rates: one, or one for each seed."""
    if rate_AS.shape[1] == 1:
        return {f"rate, {rule}": rate_AS[:, 0]}
    return {f"rate, {rule}, seed {seed}": rate_A for seed, rate_A in enumerate(rate_AS.T)}


def tabulate_architectures(ranked: RankArrays, found: Mapping[str, Movers]) -> Table:
    """Rate, accuracy, place and its change over its seed error, of every architecture and rule."""
    base = ranked.base
    place_A = next(iter(found.values())).rank_reference_A
    columns = {
        **label_rates(base, ranked.rates[base]),
        f"accuracy, {base}": ranked.base_AS.mean(axis=1),
        f"place, {base}": place_A,
    }
    for rule, each in found.items():
        columns |= label_rates(rule, ranked.rates[rule])
        columns[f"accuracy, {rule}"] = ranked.others[rule].mean(axis=1)
        columns[f"place, {rule}"] = each.rank_rule_A
        columns[f"move in seed errors, {rule}"] = each.score_A
    values = np.stack(list(columns.values()), axis=1).tolist()
    rows = [(name, *row) for name, row in zip(ranked.architectures, values, strict=True)]
    return Table(f"{ranked.name}: every architecture", ("architecture", *columns), rows)
