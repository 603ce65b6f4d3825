"""How much of the published ranking a rule's multiplier carries by itself.

A rule gives one rate to all cells that it cannot tell apart: its rate classes. Shapes: A = 15,625
cells by official index, NaN where a cell has no value.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy import stats

from benchmark import rules
from benchmark.analysis.intervals import Array, Interval
from benchmark.published.agreement import Index, Mask, jackknife_statistic
from benchmark.rules import Control
from search_spaces.nasbench201.space import NasBench201


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


@cache
def compute_multipliers() -> Mapping[str, Array]:
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


def measure_rate_classes(
    multiplier_A: Array, accuracy_A: Array, among_A: Mask | None = None
) -> Classes:
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
        jackknife_statistic(lambda rows: between_share(class_N[rows], rank_N[rows]), n),
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
