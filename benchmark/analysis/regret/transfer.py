"""What a rule's predicted rate costs: regret in loss, and the error of the rate itself.

Shapes: D rungs, R rates, S seeds.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.interpolate import Akima1DInterpolator

from benchmark.analysis.intervals import (
    LEVEL,
    Array,
    Interval,
    pearson_interval,
    t_interval,
)
from benchmark.analysis.ladders.optimum import Optimum, OptimumStatus, check_curves
from benchmark.analysis.regret.base_error import (
    QUADRATURE,
    add_base_error,
    spread_reads,
    widen_regret,
)
from benchmark.analysis.regret.excess_loss import score_losses
from search_spaces.errors import InvalidInput

FINE = 2001
"""Points at which an interpolated curve is searched for its lowest."""


@dataclass(frozen=True)
class RungTransfer:
    """One rule on one rung.

    `loss` is capped at chance; `regret` is loss minus the rung's optimum, NaN where the rate lies
    outside the grid and was not measured. On a censored rung it is a lower bound. `log10_error` is
    positive where the rule's rate is too large. Where the rule deals every seed a rate of its own,
    `predicted_rate` is their geometric mean, `loss`, `regret` and `log10_error` are means over
    seeds, and so is `absolute_log10_error`: rates that are wrong both ways are not right on
    average.
    """

    predicted_rate: float
    loss: float
    regret: float
    log10_error: float
    absolute_log10_error: float
    status: OptimumStatus
    interpolated: bool
    outside: bool
    diverged: bool


@dataclass(frozen=True)
class Transfer:
    """One rule over a ladder; the means count only rungs whose optimum is usable.

    `correlation` is Pearson's, of the logarithms of predicted and measured rates: it ignores a
    constant factor, and a wrong exponent too, so it is no test of a rule. `outside` and `diverged`
    count those rungs where the predicted rate left the grid unmeasured, or diverged.
    """

    regret: Interval
    log10_error: Interval
    absolute_log10_error: Interval
    correlation: Interval
    outside: int
    diverged: int
    rungs: tuple[RungTransfer, ...]


def measure_transfer(
    rate_DR: Array,
    loss_DRS: Array,
    optima: Sequence[Optimum],
    predicted_DS: Array,
    chance_loss: float,
    *,
    measured_DS: Array | None = None,
    base: Optimum | None = None,
    level: float = LEVEL,
) -> Transfer:
    """Regret and rate error of one rule's predictions.

    The loss at the predicted rate is `measured_DS` where it was trained, else the rung's own mean
    curve interpolated in log rate (modified Akima, which does not ring at a cliff), flagged
    `interpolated`; beyond the grid nothing is extrapolated. A diverged replica, or one worse than
    guessing, is scored at `chance_loss`. Interpolated between a stable and an unstable rate, it
    counts as diverged. On the interpolated curve regret is the loss above that same curve's lowest
    point, so it is never negative; a measured loss is compared with the optimum's fitted loss, and
    a small negative regret there is noise: the optimum is an estimate too.

    For regret in accuracy give error rates as losses, with chance_loss = 1 - 1 / classes.

    Intervals are Student's t over rungs. They hold the spread between rungs and are exact where it
    is normal; for strongly skewed regrets (one rung lost, the others fine) 6 rungs cover about
    0.89 at 95%, and some 60 would be needed.

    All rungs share one constant, from the base rung's optimum, and its error moves all of them
    together. With `base`, the variance of the rate error is that of the rungs plus that of the base
    (Satterthwaite's degrees of freedom), and the regret is read again on each rung's curve at
    10^(+-sqrt(3) standard errors) times the rate, the outer points of a three-point quadrature: the
    interval reaches from the lowest to the highest reading, plus the rungs' own scatter (scaled
    chi-square). Simulated coverage at 95% with 4 to 6 rungs and a base error of 0, 0.1 and 0.15
    decades: 0.94 to 0.96 for the rate error, at least 0.93 for the regret (0.99 where the rule is
    right, for it cannot be known to be).

    Args:
        rate_DR, loss_DRS, chance_loss: as in `find_optima`.
        optima: its result.
        predicted_DS: the rule's rate on each rung, (D,), or for each seed too, (D, S); positive.
        measured_DS: losses trained at `predicted_DS`; non-finite where diverged.
        base: the optimum of the rung that gave the constant, from the `find_optima` of all rungs.
    """
    rate_DR, loss_DRS = check_curves(rate_DR, loss_DRS)
    predicted_DS = np.asarray(predicted_DS, dtype=np.float64)
    predicted_DS = predicted_DS[:, None] if predicted_DS.ndim == 1 else predicted_DS
    rungs = len(loss_DRS)
    if predicted_DS.ndim != 2 or len(predicted_DS) != rungs or len(optima) != rungs:
        raise InvalidInput(f"predicted_DS and optima need one positive rate per rung ({rungs})")
    if not predicted_DS.size or not (predicted_DS > 0).all():
        raise InvalidInput(f"predicted_DS and optima need one positive rate per rung ({rungs})")
    if measured_DS is not None and (measured_DS.ndim != 2 or len(measured_DS) != rungs):
        raise InvalidInput(f"measured_DS must be {rungs} rungs x seeds; got {measured_DS.shape}")
    found = tuple(
        _measured_rung(predicted_DS[d], measured_DS[d], optimum, chance_loss)
        if measured_DS is not None
        else _interpolated_seeds(predicted_DS[d], rate_DR[d], loss_DRS[d], optimum, chance_loss)
        for d, optimum in enumerate(optima)
    )
    counted = [rung for rung, optimum in zip(found, optima, strict=True) if optimum.usable]
    regret_D = np.array([rung.regret for rung in counted if not math.isnan(rung.regret)])
    error_D = np.array([rung.log10_error for rung in counted])
    size_D = np.array([rung.absolute_log10_error for rung in counted])
    log10_D = np.log10([rung.predicted_rate for rung in counted])
    regret = t_interval(regret_D, level=level)
    error = t_interval(error_D, level=level)
    absolute = t_interval(size_D, level=level)
    if base is not None and base.log10_error > 0:
        reach = QUADRATURE * base.log10_error
        usable_D = [optimum.usable for optimum in optima]
        rate_D = np.array([optimum.rate for optimum in optima])[usable_D]
        error_DS = np.log10(predicted_DS[usable_D] / rate_D[:, None])
        shifted_2D = np.abs(error_DS + np.array([-reach, reach])[:, None, None]).mean(axis=2)
        absolute = add_base_error(absolute, size_D, spread_reads(absolute, shifted_2D), base)
        error = add_base_error(error, error_D, base.log10_error, base)
        reads = [
            read_mean_regret(10**shift * predicted_DS, rate_DR, loss_DRS, optima, chance_loss)
            for shift in (-reach, 0.0, reach)
        ]
        regret = widen_regret(regret, regret_D, [read - reads[1] for read in reads])
    return Transfer(
        regret=regret,
        log10_error=error,
        absolute_log10_error=absolute,
        correlation=pearson_interval(log10_D, log10_D - error_D, level=level),
        outside=sum(rung.outside for rung in counted),
        diverged=sum(rung.diverged for rung in counted),
        rungs=found,
    )


def read_mean_regret(
    predicted_DS: Array,
    rate_DR: Array,
    loss_DRS: Array,
    optima: Sequence[Optimum],
    chance_loss: float,
) -> float:
    """Mean regret on the usable rungs' own curves; rates beyond a grid are read at its end."""
    regrets = []
    for predicted, rate_R, loss_RS, optimum in zip(
        predicted_DS, rate_DR, loss_DRS, optima, strict=True
    ):
        if optimum.usable:
            inside_S = np.clip(np.atleast_1d(predicted), np.nanmin(rate_R), np.nanmax(rate_R))
            found = _interpolated_seeds(inside_S, rate_R, loss_RS, optimum, chance_loss)
            regrets.append(found.regret)
    return float(np.mean(regrets)) if regrets else math.nan


def _rung(
    predicted: float,
    loss: float,
    optimum: Optimum,
    *,
    best: float | None = None,
    interpolated: bool = False,
    outside: bool = False,
    diverged: bool = False,
) -> RungTransfer:
    return RungTransfer(
        predicted_rate=predicted,
        loss=loss,
        regret=loss - (optimum.loss if best is None else best),
        log10_error=math.log10(predicted / optimum.rate),
        absolute_log10_error=abs(math.log10(predicted / optimum.rate)),
        status=optimum.status,
        interpolated=interpolated,
        outside=outside,
        diverged=diverged,
    )


def _measured_rung(
    predicted_S: Array, loss_S: Array, optimum: Optimum, chance_loss: float
) -> RungTransfer:
    loss = float(score_losses(loss_S, chance_loss).mean())
    diverged = not np.isfinite(loss_S).all()
    return _average_seeds(
        [_rung(p, loss, optimum, diverged=diverged) for p in predicted_S.tolist()]
    )


def _interpolated_seeds(
    predicted_S: Array, rate_R: Array, loss_RS: Array, optimum: Optimum, chance_loss: float
) -> RungTransfer:
    return _average_seeds(
        [_interpolated_rung(p, rate_R, loss_RS, optimum, chance_loss) for p in predicted_S.tolist()]
    )


def _average_seeds(found: Sequence[RungTransfer]) -> RungTransfer:
    """One rung over seeds that were dealt a rate each; what is true of one is true of the rung."""
    first = found[0]
    if all(each.predicted_rate == first.predicted_rate for each in found):
        return first
    return RungTransfer(
        predicted_rate=float(np.exp(np.mean([math.log(each.predicted_rate) for each in found]))),
        loss=float(np.mean([each.loss for each in found])),
        regret=float(np.mean([each.regret for each in found])),
        log10_error=float(np.mean([each.log10_error for each in found])),
        absolute_log10_error=float(np.mean([each.absolute_log10_error for each in found])),
        status=first.status,
        interpolated=any(each.interpolated for each in found),
        outside=any(each.outside for each in found),
        diverged=any(each.diverged for each in found),
    )


def _interpolated_rung(
    predicted: float, rate_R: Array, loss_RS: Array, optimum: Optimum, chance_loss: float
) -> RungTransfer:
    measured_R = ~np.isnan(rate_R)
    rate_R, loss_RS = rate_R[measured_R], loss_RS[measured_R]
    stable_R = np.asarray(np.isfinite(loss_RS).all(axis=1))
    mean_R = score_losses(loss_RS, chance_loss).mean(axis=1)
    if not rate_R[0] <= predicted <= rate_R[-1]:
        return _rung(predicted, math.nan, optimum, outside=True)
    curve = Akima1DInterpolator(np.log10(rate_R), mean_R, method="makima")
    fine = np.linspace(math.log10(rate_R[0]), math.log10(rate_R[-1]), FINE)
    best = float(curve(fine).min())
    hit = np.flatnonzero(np.isclose(rate_R, predicted, rtol=1e-9, atol=0))
    if len(hit):
        at = int(hit[0])
        loss = float(mean_R[at])
        return _rung(predicted, loss, optimum, best=min(best, loss), diverged=not stable_R[at])
    above = int(np.searchsorted(rate_R, predicted))
    loss = float(curve(math.log10(predicted)))
    return _rung(
        predicted,
        loss,
        optimum,
        best=min(best, loss),
        interpolated=True,
        diverged=not stable_R[above - 1 : above + 1].all(),
    )
