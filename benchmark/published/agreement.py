"""What the published accuracies say of ranking studies before anything is trained.

How far seeds agree (the ceiling of any study of ranks), how far few epochs stand for many, how much
of the ranking a rule's multiplier carries by itself. Shapes: A = 15,625 cells by official index,
NaN where a cell has no value.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from benchmark import rules
from benchmark.analysis.intervals import Interval, jackknife_interval
from benchmark.analysis.ranking.kendall import tau
from benchmark.analysis.ranking.spearman import spearman_rows
from benchmark.rules import Control
from search_spaces.nasbench201.space import NasBench201

Array = NDArray[np.float64]
Index = NDArray[np.intp]
Mask = NDArray[np.bool_]

TOP: Final = 1000
"""The published top is the best this many cells by mean 200-epoch accuracy, of those compared."""
FOLLOWS: Final = 0.3
"""A multiplier whose Spearman correlation with accuracy lies beyond this follows accuracy."""
DATASETS: Final = {
    "cifar10": "CIFAR-10",
    "cifar100": "CIFAR-100",
    "imagenet16-120": "ImageNet16-120",
}
EACH: Final = 200  # up to so many rows the jackknife leaves out one at a time
GROUPS: Final = 40  # above, one group of rows at a time


@dataclass(frozen=True)
class Agreement:
    """How two columns rank the same cells: tau-b and Spearman's rho."""

    tau: Interval
    spearman: Interval


@dataclass(frozen=True)
class Classes:
    """What a rule cannot tell apart: the cells that get the same multiplier.

    ``pairs`` is the share of pairs of cells inside one class; ``share`` the share of the variance
    of ranks that lies between classes, the most that any function of the multiplier could explain.
    ``within`` and ``between`` are standard deviations of accuracy, as shares.
    """

    classes: int
    pairs: float
    share: Interval
    within: float
    between: float


def jackknifed(statistic: Callable[[Index], float], n: int) -> Interval:
    """Student's t interval on the jackknife error of a statistic of n rows.

    ``statistic`` takes the indices of the rows to use. Rows are left out one by one up to 200, in
    40 random groups above. Undetermined below 6 rows.
    """
    every_N = np.arange(n)
    estimate = statistic(every_N) if n > 1 else np.nan
    if n < 6:
        return Interval.undetermined("fewer than 6 architectures", estimate=estimate, n=n)
    groups = n if n <= EACH else GROUPS
    group_N = np.random.default_rng(0).permutation(every_N % groups)
    without_G = [statistic(every_N[group_N != group]) for group in range(groups)]
    return jackknife_interval(estimate, np.array(without_G), n)


def agreement(x_AS: Array, y_A: Array, among_A: Mask | None = None) -> Agreement:
    """tau-b and Spearman's rho over the cells that have all values (and are ``among_A``).

    Of several seeds, (A, S), the mean over single seeds. Intervals are over cells, for the cells
    chosen.
    """
    x_AS = x_AS[:, None] if x_AS.ndim == 1 else x_AS
    whole_A = ~np.isnan(x_AS).any(axis=1) & ~np.isnan(y_A) & (True if among_A is None else among_A)
    x_SN, y_N = stats.rankdata(x_AS[whole_A].T, axis=1), stats.rankdata(y_A[whole_A])

    def taus(rows: Index) -> float:
        return float(np.mean([tau(x_N[rows], y_N[rows]) for x_N in x_SN]))

    def rhos(rows: Index) -> float:
        y_SN = np.broadcast_to(y_N[rows], (len(x_SN), len(rows)))
        return float(np.mean(spearman_rows(x_SN[:, rows], y_SN)))

    return Agreement(clipped(jackknifed(taus, len(y_N))), clipped(jackknifed(rhos, len(y_N))))


def clipped(value: Interval) -> Interval:
    """The interval of a correlation, which ends at -1 and 1."""
    if not value.determined:
        return value
    return replace(value, low=max(value.low, -1.0), high=min(value.high, 1.0))


def top(score_A: Array, k: int = TOP) -> Mask:
    """The best ``k`` of the cells that have a score; of equal scores the lower index first."""
    order = np.argsort(-score_A, kind="stable")  # NaN sorts last
    chosen_A = np.zeros(len(score_A), dtype=bool)
    chosen_A[order[: min(k, int((~np.isnan(score_A)).sum()))]] = True
    return chosen_A


def two_seeds(value_AS: Array) -> Array:
    """The first two seeds that each cell has, (A, 2); NaN for a cell with fewer.

    Seeds are exchangeable, so which two does not matter; every cell with two or more counts.
    """
    held_AS = ~np.isnan(value_AS)
    pair_A2 = np.full((len(value_AS), 2), np.nan)
    enough_A = held_AS.sum(axis=1) >= 2
    if enough_A.any():
        first_AS = np.argsort(~held_AS[enough_A], axis=1, kind="stable")[:, :2]
        pair_A2[enough_A] = np.take_along_axis(value_AS[enough_A], first_AS, axis=1)
    return pair_A2


@cache
def multipliers() -> Mapping[str, Array]:
    """Every rule's multiplier of all cells, (A,), NaN where a cell is untrainable.

    Rules that give all cells the same rate say nothing of a ranking and are left out, as are those
    that need a measurement.
    """
    space = NasBench201()
    cells = space.architectures()
    found = {
        name: [
            None if each is None else each.lr_multiplier
            for each in rules.bundles(name, space, cells)
        ]
        for name, rule in rules.registry().items()
        if isinstance(rule, Control)
    }
    found |= {name: each.multipliers for name, each in rules.multipliers(space, cells).items()}
    value = {name: np.array(each, dtype=np.float64) for name, each in sorted(found.items())}
    return {name: value_A for name, value_A in value.items() if np.nanstd(value_A) > 1e-9}


def classes(multiplier_A: Array, accuracy_A: Array, among_A: Mask | None = None) -> Classes:
    """The rate classes of a rule, and what of a ranking they can carry."""
    both_A = (
        ~np.isnan(multiplier_A) & ~np.isnan(accuracy_A) & (True if among_A is None else among_A)
    )
    accuracy_N, rank_N = accuracy_A[both_A], stats.rankdata(accuracy_A[both_A])
    # Equal rates may differ in their last digits.
    _, class_N, size_C = np.unique(
        multiplier_A[both_A].round(9), return_inverse=True, return_counts=True
    )
    n = len(class_N)
    mean_N = (np.bincount(class_N, accuracy_N) / size_C)[class_N]
    return Classes(
        len(size_C),
        float((size_C * (size_C - 1)).sum() / (n * (n - 1))) if n > 1 else np.nan,
        jackknifed(lambda rows: between_share(class_N[rows], rank_N[rows]), n),
        float(np.std(accuracy_N - mean_N)),
        float(np.std(mean_N)),
    )


def between_share(class_N: Index, rank_N: Array) -> float:
    """Epsilon squared (Kelley, 1935): the share of the ranks' variance that lies between classes,
    less what as many classes would take up by chance."""
    kept, class_N = np.unique(class_N, return_inverse=True)
    if len(kept) >= len(rank_N):
        return float("nan")
    rank_N = stats.rankdata(rank_N)
    mean_N = (np.bincount(class_N, rank_N) / np.bincount(class_N))[class_N]
    within = ((rank_N - mean_N) ** 2).sum() / (len(rank_N) - len(kept))
    return float(1 - within / np.var(rank_N, ddof=1))
