"""The constant of a tuned rule: the rate that did best on the architecture it was tuned on."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from math import inf

Trial = tuple[str, float, float | None]
"""Rule, rate, and validation accuracy of one replica; None where it diverged."""


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
