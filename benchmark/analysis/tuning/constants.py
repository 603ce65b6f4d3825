"""The constant of a tuned rule: the rate that did best where it was tuned, and its rivals."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from math import inf

import numpy as np

from benchmark.analysis.intervals import Array
from benchmark.analysis.tuning.tuned_constants import ConstantWeights, weigh_constants

Trial = tuple[str, float, float | None]
"""Rule, rate, and validation accuracy of one replica; None where it diverged."""
PlacedTrial = tuple[str, str, float, int, float | None]
"""Rule, base cell, rate, seed and validation accuracy of one replica; None where it diverged."""


def choose_constants(trials: Iterable[Trial]) -> dict[str, float]:
    """Each rule's constant: the rate of highest mean validation accuracy, the larger if tied.

    A replica that diverged counts as accuracy 0, so that a rate is not chosen for the seeds that
    survived it. Accuracies are added in the order given, so equal trials give equal choices.
    """
    accuracies: dict[tuple[str, float], list[float]] = defaultdict(list)
    for rule, rate, accuracy in trials:
        accuracies[rule, rate].append(0.0 if accuracy is None else accuracy)
    best: dict[str, tuple[float, float]] = {}
    for (rule, rate), values in accuracies.items():
        candidate = (sum(values) / len(values), rate)
        best[rule] = max(best.get(rule, (-inf, 0.0)), candidate)
    return {rule: rate for rule, (_, rate) in best.items()}


@dataclass(frozen=True)
class WeighedConstants:
    """A rule's tuning: its rates, what each scored and how often it would be chosen again.

    ``accuracy_CRS`` are validation accuracies, base cells x rates x seeds, 0 where a replica
    diverged; ``chosen`` is the constant of ``choose_constants``.
    """

    rate_R: tuple[float, ...]
    accuracy_CRS: Array
    weights: ConstantWeights
    chosen: float

    @property
    def kept(self) -> tuple[float, ...]:
        """The rates that are likely enough to be counted, by falling weight."""
        return tuple(self.rate_R[rate] for rate in self.weights.kept)

    def list_others(self, most: int) -> tuple[float, ...]:
        """The likely constants beside the chosen one, so that at most ``most`` are trained."""
        return tuple(rate for rate in self.kept if rate != self.chosen)[: most - 1]

    def shares_table(self, other: WeighedConstants) -> bool:
        """Whether both rules were tuned on the same numbers, so that they choose together."""
        return self.rate_R == other.rate_R and np.array_equal(self.accuracy_CRS, other.accuracy_CRS)


def weigh_trials(trials: Iterable[PlacedTrial]) -> dict[str, WeighedConstants]:
    """Every rule's constants with their weights (``weigh_constants``).

    Rules with equal trials get equal weights. A rule whose trials are not a whole table of base
    cells x rates x seeds is left out, and so is one with one cell and one seed: there nothing says
    what another tuning would have chosen.
    """
    placed: dict[str, dict[tuple[str, float, int], float]] = defaultdict(dict)
    for rule, cell, rate, seed, accuracy in trials:
        placed[rule][cell, rate, seed] = 0.0 if accuracy is None else accuracy
    found = {}
    for rule, scores in placed.items():
        cells, rates, seeds = (tuple(dict.fromkeys(axis)) for axis in zip(*scores, strict=True))
        whole = len(scores) == len(cells) * len(rates) * len(seeds)
        if not whole or len(cells) == len(seeds) == 1:
            continue
        rates = tuple(sorted(rates))
        accuracy_CRS = np.array(
            [[[scores[cell, rate, seed] for seed in seeds] for rate in rates] for cell in cells]
        )
        (chosen,) = choose_constants(
            (rule, rate, accuracy) for (_, rate, _), accuracy in scores.items()
        ).values()
        found[rule] = WeighedConstants(rates, accuracy_CRS, weigh_constants(accuracy_CRS), chosen)
    return found
