"""Regret with the base rate chosen anew in every resample of the tuning seeds.

A rule's rates hang on one base rate, chosen on 2 or 3 seeds. Re-selecting on resampled data and
reading stored results at what was selected is the idea of the bootstrap bias-corrected
cross-validation of Tsamardinos, Greasidou and Borboudakis (Machine Learning 107, 2018).

Shapes: D rungs, R rates, S seeds, B resamples.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import special

from benchmark.analysis.intervals import LEVEL, Array, Interval, check_level
from benchmark.analysis.ladders.optimum import Optimum, check_curves, find_optima
from benchmark.analysis.regret.base_error import (
    QUADRATURE_NODES,
    QUADRATURE_WEIGHTS,
    ConstantError,
    describe_base_error,
)
from benchmark.analysis.regret.regret_interval import measure_scatter, widen_regret
from benchmark.analysis.regret.rung_curve import read_noise
from benchmark.analysis.regret.transfer import list_curves, measure_transfer, read_mean_regret
from search_spaces.errors import InvalidInput

RECHOSEN = 200


@dataclass(frozen=True)
class RechosenRegret:
    """The same mean regret with two intervals: the base rate held fixed, and chosen anew.

    `ratio` is the width of the second over that of the first; `log10_rate_error` is the standard
    deviation of the chosen base rate, in decades. `lost` is the share of resamples in which the
    base had no optimum inside its grid.
    """

    rate_fixed: Interval
    rate_rechosen: Interval
    ratio: float
    log10_rate_error: float
    lost: float


def rechoose_rates(
    rate_R: Array,
    loss_RS: Array,
    chance_loss: float,
    *,
    reach: int = 0,
    resamples: int = RECHOSEN,
    seed: int = 0,
) -> Array:
    """The base rate that each resample of its tuning seeds would choose, (B,); NaN where none.

    Two or three seeds resampled as they are would repeat themselves. So each resample adds normal
    errors to the mean curve, of the size that the seeds leave in it once what a seed does to all
    rates alike is removed, and the optimum is found anew as on the data.

    Args:
        rate_R: the base rung's grid; NaN pads it.
        loss_RS: its losses, rates x seeds; non-finite where diverged.
        chance_loss: the loss of guessing.
        reach: the window of the optimum on the data (`Optimum.reach`).
    """
    (rate_R,), (loss_RS,) = check_curves(rate_R[None], loss_RS[None])
    stable_R = np.isfinite(loss_RS).all(axis=1)
    seeds, rates = loss_RS.shape[1], int(stable_R.sum())
    if seeds < 2 or rates < 2:
        raise InvalidInput(
            "choosing a rate anew needs two seeds and two rates that did not diverge"
        )
    mean_R = np.where(stable_R, loss_RS.mean(axis=1), math.inf)
    own_RS = loss_RS[stable_R] - mean_R[stable_R, None]
    own_RS = own_RS - own_RS.mean(axis=0)
    near_R = mean_R[stable_R] <= min(chance_loss, 2 * float(mean_R[stable_R].min()))
    freedom = max(int(near_R.sum()) - 1, 1) * (seeds - 1)
    error = math.sqrt(float((own_RS[near_R] ** 2).sum()) / freedom / seeds)
    drawn_BR = mean_R + error * np.random.default_rng(seed).standard_normal(
        (resamples, len(mean_R))
    )
    grid_BR = np.broadcast_to(rate_R, drawn_BR.shape)
    optima = find_optima(grid_BR, drawn_BR[..., None], chance_loss, reach=reach)
    return np.array([optimum.rate if optimum.usable else math.nan for optimum in optima])


def measure_rechosen_regret(
    rate_DR: Array,
    loss_DRS: Array,
    optima: Sequence[Optimum],
    multiplier_DS: Array,
    chance_loss: float,
    *,
    measured_DS: Array | None = None,
    level: float = LEVEL,
    resamples: int = RECHOSEN,
    seed: int = 0,
) -> RechosenRegret:
    """A rule's mean regret beyond the base, with the choice of its base rate held fixed and anew.

    Each resample chooses the base rate again (`rechoose_rates`), predicts every rung's rate from it
    and reads the rung's stored curve there; no network is trained. The first interval holds the
    rungs' own errors alone, the second that of the base's rate besides (`widen_regret`), and all of
    the first.

    Args:
        rate_DR, loss_DRS, optima, chance_loss: as in `measure_transfer`, the base rung first.
        multiplier_DS: the rule's rate on each rung over its rate on the base, (D,), the first 1;
            or (D, S) where every seed has rates of its own.
        measured_DS: losses trained at the predicted rates of rungs 1 to D - 1.
    """
    check_level(level)
    rate_DR, loss_DRS = check_curves(rate_DR, loss_DRS)
    multiplier_DS = np.asarray(multiplier_DS, dtype=np.float64)
    if len(multiplier_DS) != len(loss_DRS) or len(optima) != len(loss_DRS):
        raise InvalidInput("multiplier_DS and optima need one entry for each rung, the base first")
    if not optima[0].usable:
        raise InvalidInput(f"the base rung is {optima[0].status}: it gives no rate to choose anew")
    beyond = rate_DR[1:], loss_DRS[1:], optima[1:]
    predicted_DS = optima[0].rate * multiplier_DS[1:]
    found = measure_transfer(
        *beyond, predicted_DS, chance_loss, measured_DS=measured_DS, level=level
    )
    curves = list_curves(*beyond, chance_loss)
    regret_D = np.array(
        [
            rung.regret
            for rung, optimum in zip(found.rungs, optima[1:], strict=True)
            if optimum.usable and not math.isnan(rung.regret)
        ]
    )
    noise_D = read_noise([rung.regret for rung in found.rungs], curves, predicted_DS)
    error_D = np.array(
        [
            rung.log10_error
            for rung, optimum in zip(found.rungs, optima[1:], strict=True)
            if optimum.usable
        ]
    )
    scatter = measure_scatter(error_D)

    def read(shift_N: Array) -> Array:
        return read_mean_regret(curves, predicted_DS, shift_N)

    certain = replace(optima[0], log10_error=0.0)
    fixed = widen_regret(
        found.regret, regret_D, noise_D, read, describe_base_error(certain, *scatter)
    )
    rate_B = rechoose_rates(
        *(rate_DR[0], loss_DRS[0], chance_loss),
        reach=optima[0].reach,
        resamples=resamples,
        seed=seed,
    )
    moved_B = np.log10(rate_B[np.isfinite(rate_B)] / optima[0].rate)
    lost = 1 - len(moved_B) / len(rate_B)
    if not fixed.determined or lost > 0.5:
        reason = fixed.reason or "the base has no optimum in most resamples"
        none = Interval.undetermined(reason, estimate=fixed.estimate, n=fixed.n)
        return RechosenRegret(fixed, none, math.nan, math.nan, lost)
    rechosen = widen_regret(
        *(
            found.regret,
            regret_D,
            noise_D,
            read,
            describe_choices(moved_B, optima[0].freedom, *scatter),
        ),
        method="rates' errors read on the curves; base rate chosen anew",
    )
    rechosen = replace(
        rechosen, low=min(rechosen.low, fixed.low), high=max(rechosen.high, fixed.high)
    )
    width = fixed.high - fixed.low
    ratio = (rechosen.high - rechosen.low) / width if width > 0 else math.nan
    return RechosenRegret(fixed, rechosen, ratio, float(moved_B.std(ddof=1)), lost)


def describe_choices(
    moved_B: Array, freedom: int, own: float = 0.0, own_freedom: int = 1
) -> ConstantError:
    """The error of a base rate that was chosen anew, with the mean of the rungs' own errors.

    Args:
        moved_B: by how many decades each resample moves the rate.
        freedom: degrees of freedom of the base's seeds.
        own: the variance of the mean of the rungs' errors, of `own_freedom` degrees of freedom.
    """
    node_3 = QUADRATURE_NODES * math.sqrt(own)

    def reach(tail: float) -> float:
        return math.hypot(
            float(np.quantile(np.abs(moved_B), 1 - 2 * tail)),
            float(special.stdtrit(own_freedom, 1 - tail)) * math.sqrt(own),
        )

    variance = float(np.mean(moved_B**2))
    whole = variance + own
    return ConstantError(
        (moved_B[:, None] + node_3).ravel(),
        (QUADRATURE_WEIGHTS / len(moved_B) + np.zeros((len(moved_B), 1))).ravel(),
        reach,
        variance / whole if whole > 0 else 0.0,
        max(freedom, 1),
    )
