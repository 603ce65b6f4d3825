"""The constants of two rules that are compared: which pairs of them tuning may choose.

Shapes: R rates, K kept constants or pairs, A architectures, S seeds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import isnan, nan

import numpy as np
from scipy import stats

from benchmark.analysis.intervals import Array, Interval
from benchmark.analysis.tuning.constants import WeighedConstants
from benchmark.analysis.tuning.tuned_constants import ConstantWeights, mix_constants, mixture_p

Measure = Callable[[Array, Array], tuple[Interval, float]]
"""From the accuracies of two rules, architectures x seeds, a statistic and its p."""


@dataclass(frozen=True)
class TunedAccuracies:
    """A rule's accuracies, architectures x seeds, at every constant with which it was trained.

    ``weighed`` is None for a rule whose constant is not tuned, or where nothing is known of the
    tuning; ``chosen_AS`` are the accuracies with the constant that was chosen.
    """

    chosen_AS: Array
    weighed: WeighedConstants | None = None
    trained: dict[float, Array] | None = None

    @property
    def chosen(self) -> float | None:
        """The constant that was chosen; None for a rule that has none, or nothing to weigh."""
        return None if self.weighed is None else self.weighed.chosen

    def list_likely(self) -> list[tuple[float | None, float, Array | None]]:
        """Every likely constant, its weight among all rates, and its accuracies if trained."""
        if self.weighed is None:
            return [(None, 1.0, self.chosen_AS)]
        rate_R, weights = self.weighed.rate_R, self.weighed.weights
        trained = self.trained or {self.weighed.chosen: self.chosen_AS}
        return [
            (rate_R[kept], float(weights.weight_R[kept]), trained.get(rate_R[kept]))
            for kept in weights.kept
        ]


@dataclass(frozen=True)
class ConstantPair:
    """One choice of both constants (None where a rule has none), and the statistic with it.

    ``value`` is None where a constant was not trained. ``weight`` is the pair's among the likely.
    """

    reference: float | None
    rule: float | None
    weight: float
    value: Interval | None


@dataclass(frozen=True)
class Mixture:
    """A statistic of two tuned rules, with the choice of their constants in its interval.

    ``fixed`` is the same with the constants that were chosen, as if there had been no choice;
    ``pairs`` are by falling weight, ``left_out`` is the weight of those that were too unlikely.
    """

    interval: Interval
    p: float
    fixed: Interval
    pairs: tuple[ConstantPair, ...]
    left_out: float


def mix_statistic(
    reference: TunedAccuracies, rule: TunedAccuracies, measure: Measure, *, one_sided: bool = False
) -> Mixture:
    """A statistic over the likely constants of both rules (``mix_constants``).

    Rules that were tuned on the same numbers choose together; others choose independently, so that
    a pair has the product of their weights. Where there is but one likely pair, the statistic's own
    interval and p stand. Undetermined where a likely pair was not trained and none has 0.95 of the
    weight.

    Args:
        measure: the statistic of two tables of accuracies, and its p; called with those of the
            chosen constants first.
        one_sided: whether p is for a statistic above 0, not for one that differs from 0.
    """
    fixed = measure(reference.chosen_AS, rule.chosen_AS)
    drawn = pair_constants(reference, rule)
    total = sum(weight for _, _, weight, _ in drawn)
    chosen = (reference.chosen, rule.chosen)
    values = [
        None if both is None else fixed if (first, second) == chosen else measure(*both)
        for first, second, _, both in drawn
    ]
    pairs = tuple(
        ConstantPair(first, second, weight / total, None if value is None else value[0])
        for (first, second, weight, _), value in zip(drawn, values, strict=True)
    )
    left_out = max(0.0, 1 - total)
    if values[0] is not None and (len(pairs) == 1 or not values[0][0].determined):
        return Mixture(values[0][0], values[0][1], fixed[0], pairs, left_out)
    weight_K = np.array([weight for _, _, weight, _ in drawn])
    weights = ConstantWeights(weight_K, tuple(range(len(pairs))), weight_K / total, left_out)
    known = [pair.value for pair in pairs]
    mixed = mix_constants(
        weights,
        [nan if value is None else value.estimate for value in known],
        [nan if value is None else read_error(value) for value in known],
        min((value.n for value in known if value is not None), default=fixed[0].n),
    )
    if isnan(mixed.estimate):
        mixed = replace(mixed, estimate=fixed[0].estimate, n=fixed[0].n)
    if not mixed.determined:
        return Mixture(mixed, nan, fixed[0], pairs, left_out)
    p = mixture_p(mixed)
    if one_sided:
        p = p / 2 if mixed.estimate > 0 else 1 - p / 2
    return Mixture(mixed, p, fixed[0], pairs, left_out)


def pair_constants(
    reference: TunedAccuracies, rule: TunedAccuracies
) -> list[tuple[float | None, float | None, float, tuple[Array, Array] | None]]:
    """Likely constants of both, their weight, and their accuracies if trained; likeliest first."""
    firsts, seconds = reference.list_likely(), rule.list_likely()
    together = (
        reference.weighed is not None
        and rule.weighed is not None
        and reference.weighed.shares_table(rule.weighed)
    )
    if together:
        joined = [(a, b, a[1]) for a, b in zip(firsts, seconds, strict=True)]
    else:
        joined = [(a, b, a[1] * b[1]) for a in firsts for b in seconds]
    found = [
        (a[0], b[0], weight, None if a[2] is None or b[2] is None else (a[2], b[2]))
        for a, b, weight in joined
    ]
    return sorted(found, key=lambda each: -each[2])


def read_error(value: Interval) -> float:
    """The standard error that Student's t would need for an interval of this width, n - 1 free."""
    if not value.determined or value.n < 2:
        return nan
    quantile = float(stats.t.ppf((1 + value.level) / 2, value.n - 1))
    return (value.high - value.low) / 2 / quantile
