"""Published accuracies: how far seeds agree, and how far 12 epochs stand for 200."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Final

import numpy as np

from benchmark.analysis.correlation.kendall import tau
from benchmark.analysis.intervals import Array, Interval
from benchmark.analysis.thresholds import TAU_MARGIN
from benchmark.findings.content import (
    Block,
    Figure,
    Table,
    TableCell,
    format_interval,
    format_number,
    tabulate_intervals,
)
from benchmark.findings.plots import Curves, Forest
from benchmark.findings.verdict import Findings, Verdict, judge_below
from benchmark.published.agreement import (
    DATASETS,
    TOP,
    Agreement,
    Index,
    Mask,
    find_top,
    jackknife_statistic,
    measure_agreement,
    two_seeds,
)
from benchmark.published.table import Published

PART: Final = "Published accuracies"
ALL, BEST = "all cells", f"top {TOP}"
SEED, THIRD, SHORT = "two seeds", "two seeds, top by a third", "12 and 200 epochs"
KS: Final = (100, 200, 500, 1000, 2000, 5000, 15_625)


@dataclass(frozen=True)
class Data:
    """One data set: mean test accuracies after 200 and 12 epochs, and its single seeds.

    ``pair_A2`` has two seeds of every cell that has them.
    """

    name: str
    long_A: Array
    short_A: Array
    seeds_AS: Array
    pair_A2: Array

    @classmethod
    def of(cls, table: Published, name: str) -> Data:
        """A data set's columns of the table."""
        seeds_AS = table.seeds_AS(name)
        mean = table.accuracy_A(name), table.accuracy_A(name, 12)
        return cls(DATASETS[name], *mean, seeds_AS, two_seeds(seeds_AS))

    @property
    def cells(self) -> int:
        """How many cells have a mean 200-epoch accuracy."""
        return int(np.count_nonzero(~np.isnan(self.long_A)))

    def among_seeds(self, k: int = TOP) -> Mask:
        """The top ``k`` by the mean, of the cells with two seeds."""
        return find_top(np.where(np.isnan(self.pair_A2[:, 0]), np.nan, self.long_A), k)

    def by_third(self, k: int = TOP) -> Mask:
        """The top by the third seed: as large a share of the cells with three seeds as ``k`` is of
        all. The choice owes nothing to the noise of the first two, which are then compared."""
        if self.seeds_AS.shape[1] < 3:
            return np.zeros(self.long_A.shape, dtype=bool)
        whole_A = ~np.isnan(self.seeds_AS[:, :3]).any(axis=1)
        size = round(k * np.count_nonzero(whole_A) / len(self.long_A))
        return find_top(np.where(whole_A, self.seeds_AS[:, 2], np.nan), size)

    def agreements(self, k: int) -> dict[str, Agreement]:
        """What agrees how far among the top ``k``."""
        first_A, second_A = self.pair_A2.T
        found = {}
        if not np.isnan(first_A).all():
            found[SEED] = measure_agreement(first_A, second_A, self.among_seeds(k))
        if self.by_third(k).any():
            found[THIRD] = measure_agreement(first_A, second_A, self.by_third(k))
        return found | {
            SHORT: measure_agreement(self.short_A, self.long_A, find_top(self.long_A, k))
        }


def judge_seeds(data: Sequence[Data]) -> Findings:
    """The ceiling that seeds set, and how 12 epochs stand against it."""
    among = {(each.name, k): each.agreements(k) for each in data for k in KS}
    found = {
        (of, f"{each.name}, {label}"): value
        for each in data
        for label, k in ((ALL, KS[-1]), (BEST, TOP))
        for of, value in among[each.name, k].items()
        if (of, label) != (THIRD, ALL)
    }
    told = [
        f"{what}{' by a third seed' if of == THIRD else ''} "
        f"{format_number(each.tau.estimate)} (rho "
        f"{format_number(each.spearman.estimate)})"
        for (of, what), each in found.items()
        if of != SHORT
    ]
    figure = Figure(
        "agreement",
        f"Tau between two published seeds: {'; '.join(told) or 'unknown, as no cell has two'}. The "
        "top is chosen by mean 200-epoch accuracy, of the cells compared, unless said otherwise.",
        tabulate_agreements("How far seeds agree, and 12 epochs with 200", found),
        Forest(
            "tau-b",
            at=(0, 1),
        ),
    )
    items = (figure, draw_agreement_by_k(among), tabulate_deviations(data))
    return list(judge_epochs(data)), [Block("published", "Seeds and epochs", items)]


def tabulate_agreements(title: str, found: Mapping[tuple[str, str], Agreement]) -> Table:
    """Intervals of tau-b, and Spearman's rho with its bounds behind them."""
    table = tabulate_intervals(title, {key: each.tau for key, each in found.items()})
    columns = (*table.columns, "Spearman's rho", "rho low", "rho high")
    rhos = [each.spearman for each in found.values()]
    rows = [
        (*row, rho.estimate, rho.low, rho.high) for row, rho in zip(table.rows, rhos, strict=True)
    ]
    return Table(title, columns, rows)


def judge_epochs(data: Sequence[Data]) -> Iterator[Verdict]:
    """Whether one 12-epoch run ranks as another 200-epoch seed would; the top by a third seed."""
    for label, each in product((ALL, BEST), data):
        among_A = ~np.isnan(each.pair_A2).any(axis=1) & ~np.isnan(each.short_A)
        if label == BEST:
            among_A &= each.by_third()
        lost, because = Interval.undetermined("the table lacks the seeds for it"), ""
        if np.count_nonzero(among_A) > 1:
            pair_N2, short_N = each.pair_A2[among_A], each.short_A[among_A]
            lost = measure_tau_lost(pair_N2, short_N)
            because = (
                f"Two seeds agree at tau {format_number(tau(*pair_N2.T))}, a seed and 12 epochs at "
                f"{format_number(tau(pair_N2[:, 0], short_N))}: {format_interval(lost)} less."
            )
        judged = judge_below(lost, TAU_MARGIN, f"{TAU_MARGIN}, the smallest change of interest")
        topic = "12 epochs as 200" + (", top" if label == BEST else "")
        among = f"the {label}" if label == BEST else label
        question = f"Do 12 epochs rank {among} as another seed of 200 epochs would?"
        yield Verdict(PART, topic, question, each.name, because, *judged)


def measure_tau_lost(pair_N2: Array, short_N: Array) -> Interval:
    """Tau of two seeds less tau of one of them with the short run, over the same cells."""
    seed_N, other_N = pair_N2.T

    def lost(rows: Index) -> float:
        return tau(seed_N[rows], other_N[rows]) - tau(seed_N[rows], short_N[rows])

    return jackknife_statistic(lost, len(seed_N))


def draw_agreement_by_k(among: Mapping[tuple[str, int], Mapping[str, Agreement]]) -> Figure:
    """Agreement among the top K, for every data set and K."""
    rows: list[tuple[TableCell, ...]] = []
    told = []
    for (name, k), agreements in among.items():
        for of, found in agreements.items():
            value = found.tau
            bounds = (value.n, value.estimate, value.low, value.high)
            rows.append((f"top {k:,} of 15,625", of, name, *bounds))
            if k == KS[0]:
                told.append(f"{name}, {of} {format_number(value.estimate)}")
    names = ("among", "of", "data set", "K", "tau-b", "low", "high")
    return Figure(
        "agreement-by-k",
        "The best cells differ by little, so any two rankings of them differ much. Among the top "
        f"{KS[0]}: {'; '.join(told)}. A top chosen by the mean is chosen on its seeds' noise, so "
        "that they agree less in it; a third seed chooses without it.",
        Table("Agreement among the top K", names, rows),
        Curves(
            ("K", "tau-b", "of"),
            panel="data set",
            bars=("low", "high"),
            log="x",
            level=0,
        ),
    )


def tabulate_deviations(data: Sequence[Data]) -> Table:
    """What seeds scatter by, beside what the best cells differ by."""
    rows: list[tuple[TableCell, ...]] = []
    for each in data:
        best_N = each.long_A[find_top(each.long_A)]
        spread = (float(np.nanstd(each.long_A)), float(np.std(best_N)), float(np.ptp(best_N)))
        rows.append((each.name, *(100 * value for value in (measure_seed_scatter(each), *spread))))
    columns = ("data set", "seeds of one cell (median)", ALL, BEST, f"range of the {BEST}")
    return Table("Standard deviations of 200-epoch test accuracy, in points", columns, rows)


def measure_seed_scatter(each: Data) -> float:
    """The median over cells of the standard deviation over seeds; NaN without two seeds."""
    several_A = (~np.isnan(each.seeds_AS)).sum(axis=1) > 1
    if not several_A.any():
        return float("nan")
    return float(np.median(np.nanstd(each.seeds_AS[several_A], axis=1, ddof=1)))
