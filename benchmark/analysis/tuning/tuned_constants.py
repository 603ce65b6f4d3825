"""How sure a tuned constant is: which rates another tuning might have chosen, and what then.

An interval that holds the chosen constant fixed covers what the rule gains with that constant, not
what tuning and rule gain together: on a plateau of rates a second tuning picks another constant,
and the gain moves with it.

Shapes: C base cells, R rates, S seeds, K kept constants, B draws.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from benchmark.analysis.intervals import LEVEL, Array, Interval, check_level, student_interval
from benchmark.analysis.thresholds import CLEAR_WEIGHT, KEPT_WEIGHT
from search_spaces.errors import InvalidInput

DRAWS = 4000
MOST_KEPT = 4


@dataclass(frozen=True)
class ConstantWeights:
    """How often each rate of the grid would be chosen if the tuning were repeated.

    `kept` are the indices of the rates that are worth training, by falling weight; `kept_weight_K`
    are their weights, adding up to 1, and `left_out` is the weight of all others.
    """

    weight_R: Array
    kept: tuple[int, ...]
    kept_weight_K: Array
    left_out: float

    @property
    def clear(self) -> bool:
        """Whether one constant alone has enough of the weight to stand for the rule."""
        return bool(self.weight_R.max() >= CLEAR_WEIGHT)


def weigh_constants(score_CRS: Array, *, draws: int = DRAWS, seed: int = 0) -> ConstantWeights:
    """The weight of every rate as a tuned constant: a joint bootstrap over base cells and seeds.

    Each draw resamples the base cells, adds to every rate's mean a normal error (so that with that
    of the cells' own means it has the size that the seeds leave), and chooses the rate of the
    highest mean, the larger of equals. What a seed or a cell does to all rates alike changes no
    choice, so it is removed before the error is estimated; the error is pooled over cells and
    rates, for 2 or 3 seeds resampled as they are would repeat themselves. With one
    cell, the choice of the base cell is not in the weights.

    Args:
        score_CRS: what is maximized, base cells x rates x seeds, rates increasing: validation
            accuracy, or minus the loss. A diverged replica has the score of guessing.
        draws: how many tunings are drawn.

    Returns:
        Weights; kept are rates of weight 0.05 or more, at most 4 of them.
    """
    score_CRS = np.asarray(score_CRS, dtype=np.float64)
    if score_CRS.ndim != 3 or 0 in score_CRS.shape or not np.isfinite(score_CRS).all():
        raise InvalidInput(
            "score_CRS must be base cells x rates x seeds, finite: give a diverged replica the "
            f"score of guessing; got shape {score_CRS.shape}"
        )
    cells, rates, seeds = score_CRS.shape
    mean_CR = score_CRS.mean(axis=2)
    residual_CRS = score_CRS - mean_CR[:, :, None] - score_CRS.mean(axis=1, keepdims=True)
    residual_CRS += mean_CR.mean(axis=1)[:, None, None]
    freedom = cells * max(rates - 1, 1) * (seeds - 1)
    # Resampled cells bring (C - 1) / C of the seeds' error with them. The rest would be error / C;
    # a little more stands for the spread between cells, of which a few cells show too little.
    error = math.sqrt(float((residual_CRS**2).sum()) / freedom / seeds) if freedom else 0.0
    error /= cells**0.75
    rng = np.random.default_rng(seed)
    drawn_BC = rng.multinomial(cells, np.full(cells, 1 / cells), size=draws) / cells
    mean_BR = drawn_BC @ mean_CR + error * rng.standard_normal((draws, rates))
    chosen_B = rates - 1 - np.argmax(mean_BR[:, ::-1], axis=1)
    weight_R = np.bincount(chosen_B, minlength=rates) / draws
    order_R = np.argsort(-weight_R, kind="stable")
    kept = [int(r) for r in order_R[:MOST_KEPT] if weight_R[r] >= KEPT_WEIGHT] or [int(order_R[0])]
    total = float(weight_R[kept].sum())
    return ConstantWeights(weight_R, tuple(kept), weight_R[kept] / total, 1 - total)


def mix_constants(
    weights: ConstantWeights,
    value_K: Sequence[float],
    error_K: Sequence[float],
    n: int,
    *,
    level: float = LEVEL,
) -> Interval:
    """A statistic of a tuned rule with the choice of its constant in its interval.

    The estimate is the mean of the statistic over the kept constants by their weights; its variance
    is the spread between constants plus the mean of their own squared errors (the law of total
    variance), and Student's t has n - 1 degrees of freedom. Where a constant that is kept was not
    trained, and no constant alone has 0.95 of the weight, the statistic is undetermined.

    Args:
        weights: of `weigh_constants`.
        value_K, error_K: the statistic and its standard error with each kept constant, in the order
            of `weights.kept`; NaN where a constant was not trained.
        n: how many architectures each statistic rests on.
    """
    check_level(level)
    value, error = np.asarray(value_K, dtype=np.float64), np.asarray(error_K, dtype=np.float64)
    if value.shape != weights.kept_weight_K.shape or error.shape != value.shape:
        raise InvalidInput(f"each of {len(weights.kept)} kept constants needs a value and an error")
    trained_K = np.isfinite(value) & np.isfinite(error)
    if not trained_K[0]:
        return Interval.undetermined("the likeliest constant was not trained", n=n)
    if not trained_K.all() and not weights.clear:
        reason = (
            f"{int((~trained_K).sum())} of {len(value)} likely constants were not trained, and "
            f"none has {CLEAR_WEIGHT:.0%} of the weight"
        )
        return Interval.undetermined(reason, estimate=float(value[0]), n=n)
    weight_K = weights.kept_weight_K[trained_K] / weights.kept_weight_K[trained_K].sum()
    value, error = value[trained_K], error[trained_K]
    estimate = float(weight_K @ value)
    variance = float(weight_K @ (value - estimate) ** 2 + weight_K @ error**2)
    method = "mixture over constants" if len(value) > 1 else "Student t"
    return student_interval(estimate, math.sqrt(variance), n - 1, n, level=level, method=method)


def mixture_p(interval: Interval) -> float:
    """Two-sided p of 0 from a mixture's interval; NaN where it is undetermined."""
    if not interval.determined or interval.n < 2 or interval.high == interval.low:
        return math.nan
    quantile = float(stats.t.ppf((1 + interval.level) / 2, interval.n - 1))
    error = (interval.high - interval.low) / 2 / quantile
    return float(2 * stats.t.sf(abs(interval.estimate) / error, interval.n - 1))
