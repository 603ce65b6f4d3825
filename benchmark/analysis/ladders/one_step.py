"""One-step updates: how far a step at initialization moves each layer, against depth.

S_l = E[(dz_l)^2], the second moment of the change of layer l's pre-activations after one step.
AM-muP (arXiv 2510.04327) asks that its mean over layers be 1, which defines the one-step rate
eta* = (mean_l S_l at unit rate)^(-1/2), since S_l grows as eta^2.

Shapes: D rungs, L layers (their number differs between rungs), S seeds, B resamples.
Moments are at unit rate: measured after a small step of rate r and divided by r^2.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from benchmark.analysis.intervals import (
    LEVEL,
    NO_SPREAD,
    RESAMPLES,
    Array,
    Interval,
    check_level,
    mean_interval,
)
from benchmark.analysis.thresholds import DEPTH_PER_WIDTH, FLAT_WIDTH, HEAVY_TAIL, Answer, Judged
from search_spaces.errors import InvalidInput


@dataclass(frozen=True)
class RungUpdate:
    """The mean and the maximum over layers, per seed; then over seeds.

    The expectation is what the theory speaks of. `variation` is the seeds' standard deviation over
    their mean.
    """

    mean: Interval
    maximum: Interval
    variation: float
    seeds: int


@dataclass(frozen=True)
class UpdateExponent:
    """eta* ~ depth^exponent, from the means over seeds and, as a point, from their medians.

    `heavy_tailed` warns that the seeds vary too much for the interval's level to be trusted.
    """

    exponent: Interval
    median_exponent: float
    rungs: tuple[RungUpdate, ...]
    heavy_tailed: bool


@dataclass(frozen=True)
class Flatness:
    """Whether a rule keeps the mean update flat in depth, once calibrated at the base rung.

    `mean` and `maximum` (over layers) are per rung, in units of the base rung's mean.
    """

    exponent: Interval
    verdict: Answer
    why: str
    mean: tuple[Interval, ...]
    maximum: tuple[Interval, ...]
    heavy_tailed: bool


def summarize_rung(
    moment_LS: Array, *, level: float = LEVEL, resamples: int = RESAMPLES, seed: int = 0
) -> RungUpdate:
    """Summary of one rung's moments; intervals are over seeds.

    Raises InvalidInput where moments are negative, not finite, or zero in every layer.
    """
    moment_LS = np.asarray(moment_LS, dtype=np.float64)
    if moment_LS.ndim != 2 or 0 in moment_LS.shape:
        raise InvalidInput(f"moment_LS must be layers x seeds; got shape {moment_LS.shape}")
    mean_S, maximum_S = moment_LS.mean(axis=0), moment_LS.max(axis=0)
    if not np.isfinite(moment_LS).all() or (moment_LS < 0).any() or (mean_S == 0).any():
        raise InvalidInput("second moments must be finite, not negative, and not all zero")
    seeds = len(mean_S)
    return RungUpdate(
        mean=mean_interval(mean_S, level=level, resamples=resamples, seed=seed),
        maximum=mean_interval(maximum_S, level=level, resamples=resamples, seed=seed),
        variation=float(mean_S.std(ddof=1) / mean_S.mean()) if seeds > 1 else math.nan,
        seeds=seeds,
    )


def _moment_exponent(
    depth_D: Array, mean_DS: Sequence[Array], level: float, resamples: int, seed: int
) -> Interval:
    """Least-squares exponent of the seeds' mean against depth: symmetric bootstrap-t over seeds.

    Seeds are resampled within each rung. The standard error of log(mean) is the delta method's.
    """
    x_D = np.log(depth_D)
    weight_D = (x_D - x_D.mean()) / float(((x_D - x_D.mean()) ** 2).sum())

    def fitted(value_DBS: Sequence[Array]) -> tuple[Array, Array]:
        """Exponent and its standard error, each (B,)."""
        mean_DB = np.array([value_BS.mean(axis=1) for value_BS in value_DBS])
        error_DB = np.array(
            [value_BS.std(axis=1, ddof=1) / math.sqrt(value_BS.shape[1]) for value_BS in value_DBS]
        )
        variance_B = ((weight_D[:, None] * error_DB / mean_DB) ** 2).sum(axis=0)
        return weight_D @ np.log(mean_DB), np.sqrt(variance_B)

    seeds = min(len(mean_S) for mean_S in mean_DS)
    if seeds < 4:
        means_D = np.array([mean_S.mean() for mean_S in mean_DS])
        exponent = float(weight_D @ np.log(means_D))
        return Interval.undetermined("fewer than 4 seeds", estimate=exponent, n=seeds)
    exponent_B, error_B = fitted([mean_S[None] for mean_S in mean_DS])
    exponent, error = float(exponent_B[0]), float(error_B[0])
    rng = np.random.default_rng(seed)
    drawn = [mean_S[rng.integers(0, len(mean_S), (resamples, len(mean_S)))] for mean_S in mean_DS]
    resampled_B, resampled_error_B = fitted(drawn)
    spread = resampled_error_B > NO_SPREAD * error
    if not spread.any():
        return Interval(exponent, exponent, exponent, seeds, "no spread between seeds", level)
    t_B = np.abs(resampled_B[spread] - exponent) / resampled_error_B[spread]
    half = float(np.quantile(t_B, level)) * error
    return Interval(
        exponent, exponent - half, exponent + half, seeds, "symmetric bootstrap-t", level
    )


def _check_rungs(depth_D: Array, moments: Sequence[Array]) -> Array:
    depth_D = np.asarray(depth_D, dtype=np.float64)
    if depth_D.shape != (len(moments),) or not (np.isfinite(depth_D) & (depth_D > 0)).all():
        raise InvalidInput("depth_D needs one positive depth for each rung's moments")
    if len(np.unique(depth_D)) < 3:
        raise InvalidInput("an exponent needs at least 3 rungs of different depth")
    return depth_D


def fit_update_exponent(
    depth_D: Array,
    moments: Sequence[Array],
    *,
    level: float = LEVEL,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> UpdateExponent:
    """The exponent of the one-step rate against depth, with its interval over seeds.

    The interval is for the least-squares line through these rungs. Simulated coverage at 95%, 6
    rungs: 0.93 to 0.95 from 4 seeds on where the seeds of a rung vary by 30% (log-normal). Where
    the deepest rung's log has standard deviation 1, it is 0.91 at 8 and 0.93 at 32 seeds; at 1.5,
    0.87 to 0.90 even with 64. `heavy_tailed` is set where some rung's seeds vary by more than 80%
    of their mean: then widen the network, or average over more inputs, before trusting the level.

    Args:
        depth_D: effective depth of each rung, at least 3 different ones.
        moments: per rung the second moments at unit rate, layers x seeds.
    """
    check_level(level)
    depth_D = _check_rungs(depth_D, moments)
    rungs = tuple(summarize_rung(m, level=level, resamples=resamples, seed=seed) for m in moments)
    mean_DS = [np.asarray(m, dtype=np.float64).mean(axis=0) for m in moments]
    grown = _moment_exponent(depth_D, mean_DS, level, resamples, seed)
    x_D = np.log(depth_D)
    median_D = np.log([float(np.median(mean_S)) for mean_S in mean_DS])
    return UpdateExponent(
        exponent=replace(
            grown, estimate=-grown.estimate / 2, low=-grown.high / 2, high=-grown.low / 2
        ),
        median_exponent=-float(np.polyfit(x_D, median_D, 1)[0]) / 2,
        rungs=rungs,
        heavy_tailed=_heavy_tailed(rungs),
    )


def check_tail(depth_D: Array, width: int | None) -> str:
    """Why one-step moments of so deep and narrow a chain carry no verdict; empty where they do.

    Args:
        depth_D: depth of each rung.
        width: units or channels of every layer; None for networks without this limit.
    """
    deepest = float(np.max(depth_D))
    if width is None or deepest <= DEPTH_PER_WIDTH * width:
        return ""
    return (
        f"depth {deepest:g} at width {width} has too heavy a tail: a verdict needs a width of at "
        f"least {math.ceil(deepest / DEPTH_PER_WIDTH)}"
    )


def _heavy_tailed(rungs: Sequence[RungUpdate]) -> bool:
    return any(rung.variation > HEAVY_TAIL for rung in rungs)


def judge_flat(exponent: Interval) -> Judged:
    """Is a growth with depth to this exponent none? The bounds are those of `measure_flatness`."""
    if not exponent.determined:
        return Judged("undetermined", exponent.reason, exponent)
    if not exponent.contains(0):
        return Judged("no", "", exponent)
    if exponent.high - exponent.low <= 2 * FLAT_WIDTH:
        return Judged("yes", "", exponent)
    why = f"the interval holds 0 and is wider than ±{FLAT_WIDTH:g}"
    return Judged("undetermined", why, exponent)


def measure_flatness(
    depth_D: Array,
    moments: Sequence[Array],
    rates: Sequence[Array | float] | Array,
    *,
    base: int = 0,
    width: int | None = None,
    layers_D: Array | None = None,
    level: float = LEVEL,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Flatness:
    """Is the mean update flat in depth under a rule, calibrated to 1 at the base rung?

    At the rule's rate the moments are rate^2 times those at unit rate. Verdict: *no* where the
    interval of the exponent excludes 0; *yes* where it contains 0 and reaches at most 0.5 to either
    side of its estimate (half the distance between the updates of rates L^-3/2 and L^-1);
    *undetermined* where it is wider, or there is no interval, or where the deepest rung is deeper
    than an eighth of the width: there the expectation is carried by rare seeds (the logarithm of a
    chain's moments has a variance that grows as depth / width), and no affordable number of seeds
    meets them.

    Args:
        rates: the rule's rate (or multiplier) on each rung, or one for each of its seeds where the
            rule deals every seed its own; a common factor does not matter.
        moments: at unit rate, layers x seeds, under the rule's own initialization.
        base: which rung calibrates.
        width: units or channels of every layer, for networks whose moments are products over
            layers (chains); None where branches keep the tail light at any depth.
        layers_D: how many layers each rung of such a chain has; its depth where not given.
    """
    check_level(level)
    depth_D = _check_rungs(depth_D, moments)
    squares = [np.asarray(rate, dtype=np.float64) ** 2 for rate in rates]
    if len(squares) != len(depth_D) or not all(
        (np.isfinite(square) & (square > 0)).all()
        and square.shape in ((), (1,), np.shape(moment_LS)[1:])
        for square, moment_LS in zip(squares, moments, strict=True)
    ):
        raise InvalidInput("rates needs one positive rate for each rung, or one for each seed")
    if not 0 <= base < len(depth_D):
        raise InvalidInput(f"base must be a rung from 0 to {len(depth_D) - 1}; got {base}")
    unit = (np.asarray(moments[base], dtype=np.float64) * squares[base]).mean()
    scaled = [np.asarray(m) * square / unit for m, square in zip(moments, squares, strict=True)]
    rungs = tuple(summarize_rung(m, level=level, resamples=resamples, seed=seed) for m in scaled)
    exponent = _moment_exponent(depth_D, [m.mean(axis=0) for m in scaled], level, resamples, seed)
    why = check_tail(depth_D if layers_D is None else layers_D, width)
    judged = Judged("undetermined", why, exponent) if why else judge_flat(exponent)
    return Flatness(
        exponent,
        judged.answer,
        judged.why,
        mean=tuple(rung.mean for rung in rungs),
        maximum=tuple(rung.maximum for rung in rungs),
        heavy_tailed=_heavy_tailed(rungs),
    )
