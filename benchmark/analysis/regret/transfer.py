"""What a rule's predicted rate costs: regret in loss, and the error of the rate itself.

Shapes: D rungs, R rates, S seeds.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

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
    describe_base_error,
    spread_reads,
)
from benchmark.analysis.regret.regret_interval import measure_scatter, widen_regret
from benchmark.analysis.regret.rung_curve import RungCurve, read_noise, score_losses
from search_spaces.errors import InvalidInput


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
    (Satterthwaite's degrees of freedom), and the regret is read on the rungs' curves at the
    constants that these errors allow (`widen_regret`). Simulated coverage at 95% with 4 to 6 rungs
    and a base error of 0, 0.1 and 0.15 decades: 0.94 to 0.96 for the rate error; for the regret
    0.93 to 0.97, of a rule that is right and of one that is wrong.

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
        curves = list_curves(rate_DR, loss_DRS, optima, chance_loss)

        noise_D = read_noise([rung.regret for rung in found], curves, predicted_DS)
        regret = widen_regret(
            regret,
            regret_D,
            noise_D,
            lambda shift_N: read_mean_regret(curves, predicted_DS, shift_N),
            describe_base_error(base, *measure_scatter(error_D)),
        )
    return Transfer(
        regret=regret,
        log10_error=error,
        absolute_log10_error=absolute,
        correlation=pearson_interval(log10_D, log10_D - error_D, level=level),
        outside=sum(rung.outside for rung in counted),
        diverged=sum(rung.diverged for rung in counted),
        rungs=found,
    )


def list_curves(
    rate_DR: Array, loss_DRS: Array, optima: Sequence[Optimum], chance_loss: float
) -> list[RungCurve | None]:
    """The curve of every rung with a usable optimum, for `read_mean_regret`."""
    return [
        RungCurve.of(rate_R, loss_RS, chance_loss) if optimum.usable else None
        for rate_R, loss_RS, optimum in zip(rate_DR, loss_DRS, optima, strict=True)
    ]


def read_mean_regret(
    curves: Sequence[RungCurve | None], predicted_DS: Array, shift_N: Array
) -> Array:
    """Mean regret on the rungs' own curves where all rates move by so many decades, (N,).

    Rates beyond a grid are read at its end. NaN where no rung has a curve.
    """
    regret_DN = [
        curve.read(np.atleast_1d(predicted_S)[:, None] * 10**shift_N).mean(axis=0) - curve.lowest
        for curve, predicted_S in zip(curves, predicted_DS, strict=True)
        if curve is not None
    ]
    return np.mean(regret_DN, axis=0) if regret_DN else np.full(len(shift_N), math.nan)


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
    curve = RungCurve.of(rate_R, loss_RS, chance_loss)
    return _average_seeds([_interpolated_rung(p, curve, optimum) for p in predicted_S.tolist()])


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


def _interpolated_rung(predicted: float, curve: RungCurve, optimum: Optimum) -> RungTransfer:
    if not curve.holds(predicted):
        return _rung(predicted, math.nan, optimum, outside=True)
    loss = float(curve.read(np.array(predicted)))
    at = curve.find_rate(predicted)
    above = int(np.searchsorted(curve.rate_R, predicted))
    near = slice(above - 1, above + 1) if at is None else slice(at, at + 1)
    return _rung(
        predicted,
        loss if at is None else float(curve.mean_R[at]),
        optimum,
        best=min(curve.lowest, loss),
        interpolated=at is None,
        diverged=not curve.stable_R[near].all(),
    )
