"""The loss-minimizing rate of each rung, from a log grid of rates x seeds.

Shapes: D rungs, R rates, S seeds.
A non-finite loss is a diverged replica. A rate at which any seed diverged is unstable: its mean
over the lucky seeds would flatter it, so it is neither the optimum nor fitted.
"""

import math
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from benchmark.analysis.intervals import LEVEL, Array, Interval, check_level, student_interval
from benchmark.analysis.ladders.parabola import REACHES, Curve, choose_reach
from benchmark.analysis.thresholds import CHANCE_SHARE
from search_spaces.errors import InvalidInput

# fitted: a parabola's vertex. cliff: the next larger rate diverges, so the best measured rate
# stands. censored: the best rate is at the grid's edge, the optimum may lie beyond. untrained: the
# best rate does not clearly beat chance. diverged: no rate is stable.
OptimumStatus = Literal["fitted", "cliff", "censored-low", "censored-high", "untrained", "diverged"]


@dataclass(frozen=True)
class Optimum:
    """One rung's optimum.

    `rate` and `loss` belong to the vertex where `status` is fitted, else to the best measured rate.
    `log10_rate` is the interval of log10 of the rate over seeds. `largest_stable_rate` is the
    largest rate below which nothing diverged; if nothing did, `stable_censored` says that the true
    one lies beyond the grid. `largest_good_rate` is the largest rate whose mean loss lies within
    one standard error of the best (pooled over the window around it), NaN with one seed; it is
    censored where the grid ends there. `deviation_S` says by how many decades each seed moves the
    fitted vertex, and is empty where there is none. `log10_error` is the standard error of log10 of
    the rate, of `freedom` degrees of freedom; NaN where there is none. `reach` is the index of the
    window that all rungs share (`parabola.REACHES`). `stable_gap` and `good_gap` are the decades
    from the largest stable and the largest good rate to the next rate that was measured, NaN where
    there is none.
    """

    status: OptimumStatus
    rate: float
    loss: float
    grid_rate: float
    log10_rate: Interval
    largest_stable_rate: float
    stable_censored: bool
    largest_good_rate: float
    good_censored: bool
    deviation_S: tuple[float, ...] = ()
    log10_error: float = math.nan
    freedom: int = 0
    reach: int = 0
    stable_gap: float = math.nan
    good_gap: float = math.nan

    @property
    def usable(self) -> bool:
        """Whether the rate is an optimum that a slope or a regret may rest on."""
        return self.status in ("fitted", "cliff")


def check_curves(rate_DR: Array, loss_DRS: Array) -> tuple[Array, Array]:
    """Rates as (D, R) and losses as (D, R, S); raises InvalidInput where they do not match.

    A rate of NaN pads a rung whose grid is shorter. The measured rates of a rung must be positive
    and increasing.
    """
    loss_DRS = np.asarray(loss_DRS, dtype=np.float64)
    if loss_DRS.ndim != 3 or 0 in loss_DRS.shape:
        raise InvalidInput(f"loss_DRS must be rungs x rates x seeds; got shape {loss_DRS.shape}")
    rate_DR = np.asarray(rate_DR, dtype=np.float64)
    if rate_DR.shape not in (loss_DRS.shape[:2], loss_DRS.shape[1:2]):
        raise InvalidInput(f"rates of shape {rate_DR.shape} do not fit losses {loss_DRS.shape}")
    rate_DR = np.broadcast_to(rate_DR, loss_DRS.shape[:2])
    for rung, rate_R in enumerate(rate_DR):
        measured_R = rate_R[~np.isnan(rate_R)]
        if not len(measured_R) or measured_R[0] <= 0 or (np.diff(measured_R) <= 0).any():
            raise InvalidInput(f"the rates of rung {rung} must be positive and increasing")
    return rate_DR, loss_DRS


def mean_curve(rate_R: Array, loss_RS: Array) -> tuple[Array, Array, Array]:
    """Measured rates, their losses per seed, and the mean over seeds: +inf where any diverged."""
    measured_R = ~np.isnan(rate_R)
    loss_RS = loss_RS[measured_R]
    stable_R = np.isfinite(loss_RS).all(axis=1)
    mean_R = np.full(len(loss_RS), math.inf)
    mean_R[stable_R] = loss_RS[stable_R].mean(axis=1)
    return rate_R[measured_R], loss_RS, mean_R


def find_optima(
    rate_DR: Array,
    loss_DRS: Array,
    chance_loss: float,
    *,
    reach: int | None = None,
    level: float = LEVEL,
) -> tuple[Optimum, ...]:
    """The optimum of every rung.

    The mean loss over seeds is fitted by a parabola in log rate around the best measured rate. All
    rungs share the widest window at which the seeds do not contradict the parabola, from half a
    decade on each side down to the neighbors (`choose_reach`). Where that is not convex, or its
    vertex lies outside, a rung takes the next narrower one. On the same runs the vertex is much
    tighter than the grid's argmin, which cannot fall between rates.

    A rung is trained if its best mean loss is at most 0.95 of `chance_loss`, and, with two seeds or
    more, still below it after adding two standard errors (pooled over the window).

    The interval of log10 rate is Student's t over seeds with the spread between seeds pooled over
    the fitted rungs: 2 seeds on one rung leave 1 degree of freedom, on 6 rungs 6. It supposes that
    seeds scatter the optimum alike on every rung, and that the parabola holds within the window.

    Args:
        rate_DR: the grid, (R,) or (D, R); NaN pads a rung with fewer rates.
        loss_DRS: final training losses; non-finite where diverged.
        chance_loss: the loss of guessing, ln(classes) for cross-entropy.
        reach: the window to take, an index of `REACHES`, where it was chosen on other data.
    """
    check_level(level)
    rate_DR, loss_DRS = check_curves(rate_DR, loss_DRS)
    if not chance_loss > 0:
        raise InvalidInput(f"chance_loss must be positive, ln(classes); got {chance_loss}")
    found = [
        find_grid_optimum(*curve, chance_loss) for curve in zip(rate_DR, loss_DRS, strict=True)
    ]
    if reach is None:
        reach = choose_reach([curve for _, curve in found if curve is not None])
    fitted = [fit_vertex(optimum, curve, reach) for optimum, curve in found]
    seeds = loss_DRS.shape[2]
    spread_DS = np.array([each.deviation_S for each in fitted if each.deviation_S])
    freedom = len(spread_DS) * (seeds - 1)
    if freedom == 0:
        return tuple(fitted)
    error = math.sqrt(float((spread_DS**2).sum()) / freedom / seeds)
    return tuple(
        replace(
            optimum,
            log10_rate=student_interval(
                math.log10(optimum.rate),
                error,
                freedom,
                seeds,
                level=level,
                method="Student t over seeds, pooled over rungs",
            ),
            log10_error=error,
            freedom=freedom,
        )
        if optimum.deviation_S
        else optimum
        for optimum in fitted
    )


def fit_vertex(optimum: Optimum, curve: Curve | None, reach: int) -> Optimum:
    """The optimum at its parabola's vertex, and by how much each seed moves that; as it is where
    there is no curve to fit."""
    if curve is None:
        return replace(optimum, reach=reach)
    found = curve.fit(reach)
    if found is None:
        flat = replace(optimum.log10_rate, reason="the curve is flat at its best rate")
        return replace(optimum, status="cliff", log10_rate=flat, reach=reach)
    fit, window = found
    deviation_S = fit.gradient_W @ (curve.loss_RS[window] - curve.mean_R[window, None])
    return replace(
        optimum,
        rate=10**fit.vertex,
        loss=fit.loss,
        log10_rate=replace(optimum.log10_rate, estimate=fit.vertex),
        deviation_S=tuple(deviation_S.tolist()),
        reach=reach,
    )


def find_grid_optimum(
    rate_R: Array, loss_RS: Array, chance_loss: float
) -> tuple[Optimum, Curve | None]:
    """One rung's best measured rate, and its curve where that may be fitted."""
    rate_R, loss_RS, mean_R = mean_curve(rate_R, loss_RS)
    seeds = loss_RS.shape[1]
    unstable = np.flatnonzero(np.isinf(mean_R))
    first_unstable = int(unstable[0]) if len(unstable) else len(rate_R)
    best = int(np.argmin(mean_R))
    curve = Curve(np.log10(rate_R), loss_RS, mean_R, best)
    largest_good = math.nan
    gap_R = np.append(np.diff(np.log10(rate_R)), math.nan)

    def found(status: OptimumStatus, rate: float, loss: float, reason: str) -> Optimum:
        return Optimum(
            status=status,
            rate=rate,
            loss=loss,
            grid_rate=float(rate_R[best]) if status != "diverged" else math.nan,
            log10_rate=Interval.undetermined(reason, estimate=math.log10(rate), n=seeds),
            largest_stable_rate=float(rate_R[first_unstable - 1]) if first_unstable else math.nan,
            stable_censored=not len(unstable),
            largest_good_rate=largest_good,
            good_censored=largest_good == rate_R[-1],
            stable_gap=float(gap_R[first_unstable - 1]) if first_unstable else math.nan,
            good_gap=float(gap_R[rate_R == largest_good].sum()) or math.nan,
        )

    if len(unstable) == len(rate_R):
        return found("diverged", math.nan, math.nan, "every rate diverged"), None
    grid_rate, grid_loss = float(rate_R[best]), float(mean_R[best])
    error = 0.0
    if seeds > 1:
        near = curve.window(REACHES[0])
        error = math.sqrt(float(loss_RS[near].var(axis=1, ddof=1).mean()) / seeds)
        largest_good = float(rate_R[mean_R <= grid_loss + error].max())
    if grid_loss > CHANCE_SHARE * chance_loss or grid_loss + 2 * error >= chance_loss:
        return found("untrained", grid_rate, grid_loss, "untrained"), None
    if best == 0:
        return found("censored-low", grid_rate, grid_loss, "the grid starts too high"), None
    if best == len(rate_R) - 1:
        return found("censored-high", grid_rate, grid_loss, "the grid ends too low"), None
    if np.isinf(mean_R[best + 1]) or np.isinf(mean_R[best - 1]):
        return found("cliff", grid_rate, grid_loss, "the next rate diverges"), None
    return found("fitted", grid_rate, grid_loss, "one seed"), curve
