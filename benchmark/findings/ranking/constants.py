"""Every rule's constant in a rank part: which rate was chosen, and what others would have meant."""

from __future__ import annotations

from collections.abc import Mapping
from math import sqrt
from typing import Final

import numpy as np

from benchmark.analysis.intervals import Array, Interval
from benchmark.analysis.thresholds import CLEAR_WEIGHT, KEPT_WEIGHT
from benchmark.analysis.tuning.constant_pairs import ConstantPair, Mixture
from benchmark.findings.content import (
    Figure,
    Table,
    TableCell,
    format_interval,
    format_number,
    make_slug,
    tabulate_intervals,
)
from benchmark.findings.plots import Forest
from benchmark.findings.ranking.rank_arrays import RankArrays

COLUMNS: Final = (
    "rule",
    "constant chosen",
    "validation accuracy (%)",
    "standard error (points)",
    "likely constants and their weights",
    "weight left out",
    "trained",
)
NOTE: Final = (
    "Weights say how often each rate would be chosen if the tuning were repeated (a bootstrap over "
    f"base architectures and seeds); likely are those of {KEPT_WEIGHT:.0%} or more. The mean "
    "change, delta and the difference from the placebo are means over the likely constants by "
    "weight, and their intervals hold the choice. Where a likely constant was not trained (field "
    "constants of the part) they are undetermined, unless one constant has "
    f"{CLEAR_WEIGHT:.0%} of the weight. All else in this part holds for the constants chosen."
)
ONE_SEED: Final = (
    "The constants were tuned on one architecture with one seed: nothing says which others a "
    "second tuning would have chosen, and every interval of this part holds for the chosen ones."
)
TITLES: Final = ("Mean change of test accuracy", "Delta", "Mean change against the placebo")
"""What is mixed over constants, as tables call it."""


def tell_mixture(mixture: Mixture, scale: float = 1, unit: str = "") -> str:
    """A statistic in words: over the likely constants, or with the chosen one where others are
    missing."""
    if mixture.interval.determined or not mixture.fixed.determined:
        said = format_interval(mixture.interval, scale, unit)
        trained = sum(pair.value is not None for pair in mixture.pairs)
        return f"{said} over {trained} likely constants" if trained > 1 else said
    return f"{format_interval(mixture.fixed, scale, unit)} with the constant chosen alone"


def find_error(accuracy_CRS: Array) -> float:
    """The standard error of a difference between two rates: the seed deviation is the median over
    base cells and rates. NaN with one seed."""
    cells, _, seeds = accuracy_CRS.shape
    if seeds < 2:
        return float("nan")
    return float(np.median(accuracy_CRS.std(axis=2, ddof=1)) * sqrt(2 / seeds / cells))


def tabulate_constants(ranked: RankArrays) -> tuple[Table | str, ...]:
    """A table of the constants and what they mean for the intervals, or why there is none."""
    rows: list[tuple[TableCell, ...]] = []
    for rule, found in ranked.weighed.items():
        weights = found.weights
        likely = zip(found.kept, weights.weight_R[list(weights.kept)].tolist(), strict=True)
        trained = set(ranked.trained.get(rule, ())) & set(found.kept)
        mean_R = found.accuracy_CRS.mean(axis=(0, 2))
        rows.append(
            (
                *(rule, found.chosen, 100 * float(mean_R[found.rate_R.index(found.chosen)])),
                100 * find_error(found.accuracy_CRS),
                ", ".join(f"{format_number(rate)} ({weight:.0%})" for rate, weight in likely),
                f"{max(0.0, weights.left_out):.0%}",
                f"{len(trained)} of {len(found.kept)}",
            )
        )
    if not rows:
        return (ONE_SEED,) if ranked.base_AS.shape[1] == 1 else ()
    return Table("The rules' constants", COLUMNS, rows), NOTE


def name_choice(pair: ConstantPair) -> str:
    """The constants of a pair, as a row says them."""
    both = [format_number(rate) for rate in (pair.rule, pair.reference) if rate is not None]
    return " against ".join(dict.fromkeys(both))


def show_mixtures(
    ranked: RankArrays, mixtures: Mapping[str, Mapping[str, Mixture]]
) -> tuple[Figure | Table, ...]:
    """Each statistic at each likely constant: all in a table, the mean change in a figure too.

    ``mixtures`` are by title and rule; nothing is shown where no rule has several constants.
    """
    rows: list[tuple[TableCell, ...]] = []
    strip: dict[tuple[str, str], Interval] = {}
    for title, by_rule in mixtures.items():
        scale = 1 if title == TITLES[1] else 100
        for rule, mixture in by_rule.items():
            if len(mixture.pairs) == 1:
                continue
            for pair in mixture.pairs:
                choice = name_choice(pair)
                value = pair.value
                told = "not trained" if value is None else format_interval(value, scale)
                rows.append((title, rule, choice, f"{pair.weight:.0%}", told))
                if title == TITLES[0] and value is not None:
                    strip[rule, f"{choice} ({pair.weight:.0%})"] = value
            known = mixture.interval.determined
            told = format_interval(mixture.interval, scale) if known else "undetermined"
            rows.append((title, rule, "all", "100%", told))
            if title == TITLES[0]:
                strip[rule, "all"] = mixture.interval
    if not rows:
        return ()
    columns = ("statistic", "rule", "constant", "weight", "value")
    table = Table("What the likely constants say, one by one (changes in points)", columns, rows)
    if len(strip) <= 2 * len({rule for rule, _ in strip}):  # one constant of each rule was trained
        return (table,)
    figure = Figure(
        make_slug(ranked.name, "constants"),
        "The mean change at every likely constant that was trained, with its weight, and over all "
        "of them: where the rows of a rule disagree, its change hangs on what tuning chose.",
        tabulate_intervals(f"{ranked.name}: mean change by constant", strip, 100),
        Forest("mean change of test accuracy (percentage points)"),
    )
    return figure, table
