"""Local exponents of the one-step rate: by the mean, the median or the log-mean over seeds.

Shapes: D rungs, L layers (their number differs between rungs), S seeds, B resamples, C contrasts.
"""

import math
from collections.abc import Sequence
from typing import Final, Literal

import numpy as np
from scipy import stats

from benchmark.analysis.intervals import (
    LEVEL,
    NO_SPREAD,
    RESAMPLES,
    Array,
    Interval,
    check_level,
    student_interval,
)
from benchmark.analysis.ladders.local_exponents import (
    Contrasts,
    ExponentProfile,
    check_depths,
    combine_misfit,
    find_refuting_level,
)
from search_spaces.errors import InvalidInput

Over = Literal["mean", "median", "log-mean"]
FEWEST_SEEDS: Final[dict[Over, int]] = {"mean": 4, "log-mean": 4, "median": 8}


def fit_update_profile(
    depth_D: Array,
    moments: Sequence[Array],
    *,
    over: Over = "mean",
    level: float = LEVEL,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> ExponentProfile:
    """Local exponents of the one-step rate eta* = (mean over layers of S_l)^(-1/2), over seeds.

    The theory speaks of the expectation, so the mean over seeds is the first choice. In deep narrow
    chains it is carried by rare seeds, and then the log-mean (exp of the mean logarithm) and the
    median describe the typical network instead: where the three disagree, the tails are heavy and
    the width is too small for the depth.

    Seeds are paired over rungs: a resample draws the same seeds on every rung, so what a seed does
    to all rungs alike drops out. Intervals are Student's t for log-means (each seed has its own
    exponent), symmetric bootstrap-t for means, and symmetric bootstrap for medians. The line is
    tested by its curvature, and for log-means, with seeds to spare, by Hotelling's T^2 (1931) of
    its residuals too.

    Args:
        depth_D: depth of each rung in the unit of the law that is judged, increasing, at least 3.
        moments: per rung the second moments at unit rate, layers x seeds; the same seeds on every
            rung, in the same order.
        over: how seeds are summarized.

    Returns:
        Exponents of eta* against depth; undetermined intervals below 4 seeds, for medians below 8.
    """
    check_level(level)
    depth_D = check_depths(depth_D, len(moments))
    if len(depth_D) < 3:
        raise InvalidInput("an exponent needs at least 3 rungs of different depth")
    if len({np.shape(moment_LS)[-1] for moment_LS in moments}) != 1:
        raise InvalidInput("every rung needs the same seeds: they are paired")
    mean_DS = np.array([np.asarray(m, dtype=np.float64).mean(axis=0) for m in moments])
    if not (np.isfinite(mean_DS) & (mean_DS > 0)).all():
        raise InvalidInput("second moments must be finite, not negative, and not all zero")
    contrasts = Contrasts.of(depth_D)
    weight_CD = -contrasts.weight_CD / 2
    estimate_C = weight_CD @ _summarize(mean_DS, over)
    seeds = mean_DS.shape[1]
    if seeds < FEWEST_SEEDS[over]:
        reason = f"fewer than {FEWEST_SEEDS[over]} seeds"
        undetermined = [Interval.undetermined(reason, estimate=x, n=seeds) for x in estimate_C]
        return contrasts.assemble(undetermined, math.nan)
    if over == "log-mean":
        log_DS = np.log(mean_DS)
        error_C = (weight_CD @ log_DS).std(axis=1, ddof=1) / math.sqrt(seeds)
        intervals = [
            student_interval(x, e, seeds - 1, seeds, level=level, method="Student t over seeds")
            for x, e in zip(estimate_C.tolist(), error_C.tolist(), strict=True)
        ]
        refuting = student_interval(
            *(float(estimate_C[0]), float(error_C[0]), seeds - 1, seeds),
            level=find_refuting_level(level),
            method="Student t over seeds",
        )
        if error_C[-1] < NO_SPREAD:
            return contrasts.assemble(intervals, math.nan, refuting)
        bent = float(2 * stats.t.sf(abs(estimate_C[-1]) / error_C[-1], seeds - 1))
        misfit_p = combine_misfit(bent, _residual_p(contrasts.residual_DD, log_DS))
        return contrasts.assemble(intervals, misfit_p, refuting)
    levels = np.array([level, find_refuting_level(level)])
    (half_C, refuting_C), bent = _bootstrap(mean_DS, weight_CD, over, levels, resamples, seed)
    method = "symmetric bootstrap" + ("-t" if over == "mean" else "")
    intervals = [
        Interval(x, x - half, x + half, seeds, method, level)
        for x, half in zip(estimate_C.tolist(), half_C.tolist(), strict=True)
    ]
    line, half = float(estimate_C[0]), float(refuting_C[0])
    refuting = Interval(line, line - half, line + half, seeds, method, float(levels[1]))
    return contrasts.assemble(intervals, bent if half_C[-1] > NO_SPREAD else math.nan, refuting)


def _summarize(mean_DS: Array, over: Over) -> Array:
    """The logarithm of each rung's summary over the last axis."""
    if over == "log-mean":
        return np.asarray(np.log(mean_DS).mean(axis=-1))
    if over == "median":
        return np.asarray(np.log(np.median(mean_DS, axis=-1)))
    return np.asarray(np.log(mean_DS.mean(axis=-1)))


def _bootstrap(
    mean_DS: Array, weight_CD: Array, over: Over, levels: Array, resamples: int, seed: int
) -> tuple[Array, float]:
    """Half the width of every contrast's interval, levels x C, and p of a curvature of 0.

    Whole seeds are resampled.
    """
    seeds = mean_DS.shape[1]
    drawn_BS = np.random.default_rng(seed).integers(0, seeds, (resamples, seeds))
    drawn_BS = drawn_BS[np.ptp(drawn_BS, axis=1) > 0]  # a single seed drawn S times has no spread
    drawn_DBS = mean_DS[:, drawn_BS]
    log_D = _summarize(mean_DS, over)
    off_CB = np.abs(weight_CD @ (_summarize(drawn_DBS, over) - log_D[:, None]))
    error_CB, error_C = np.ones_like(off_CB), np.ones(len(off_CB))
    if over == "mean":
        error_CB = _errors(drawn_DBS, weight_CD)
        error_C = _errors(mean_DS[:, None], weight_CD)[:, 0]
        flat_CB = error_CB <= NO_SPREAD * error_C[:, None]
        error_CB, off_CB = np.where(flat_CB, 1.0, error_CB), np.where(flat_CB, 0.0, off_CB)
    ratio_CB = off_CB / error_CB
    bent = float(np.abs(weight_CD[-1] @ log_D))
    p = (1 + int((ratio_CB[-1] * error_C[-1] >= bent).sum())) / (1 + len(drawn_BS))
    return np.asarray(np.quantile(ratio_CB, levels, axis=1) * error_C), p


def _errors(value_DBS: Array, weight_CD: Array) -> Array:
    """The delta method's standard errors of every contrast of log means over seeds, (C, B)."""
    share_DBS = value_DBS / value_DBS.mean(axis=2, keepdims=True)
    own_CBS = np.tensordot(weight_CD, share_DBS, axes=1)
    return np.asarray(own_CBS.std(axis=2, ddof=1) / math.sqrt(value_DBS.shape[2]))


def _residual_p(residual_DD: Array, log_DS: Array) -> float:
    """Hotelling's T^2 of the residuals around the line; NaN with fewer than 2 seeds for each."""
    rungs, seeds = log_DS.shape
    spare = rungs - 2
    if seeds < 2 * spare + 2:
        return math.nan
    left_RS = np.linalg.svd(residual_DD)[2][:spare] @ log_DS
    left_R, spread_RR = left_RS.mean(axis=1), np.atleast_2d(np.cov(left_RS)) / seeds
    squared = float(left_R @ np.linalg.solve(spread_RR, left_R))
    freedom = seeds - spare
    return float(stats.f.sf(squared * freedom / (spare * (seeds - 1)), spare, freedom))
