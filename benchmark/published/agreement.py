"""How far two columns of published accuracies rank the same cells alike.

Seeds against seeds (the ceiling of any study of ranks), few epochs against many. Shapes: A = 15,625
cells by official index, NaN where a cell has no value.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from benchmark.analysis.correlation.kendall import tau
from benchmark.analysis.correlation.spearman import spearman_rows
from benchmark.analysis.intervals import Array, Interval, jackknife_interval

Index = NDArray[np.intp]
Mask = NDArray[np.bool_]

TOP: Final = 1000
"""The published top is the best this many cells by mean 200-epoch accuracy, of those compared."""
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


def jackknife_statistic(statistic: Callable[[Index], float], n: int) -> Interval:
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


def measure_agreement(x_AS: Array, y_A: Array, among_A: Mask | None = None) -> Agreement:
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

    return Agreement(
        clip_interval(jackknife_statistic(taus, len(y_N))),
        clip_interval(jackknife_statistic(rhos, len(y_N))),
    )


def clip_interval(value: Interval) -> Interval:
    """The interval of a correlation, which ends at -1 and 1."""
    if not value.determined:
        return value
    return replace(value, low=max(value.low, -1.0), high=min(value.high, 1.0))


def find_top(score_A: Array, k: int = TOP) -> Mask:
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
