"""The optimum of each rung and the slope over depth."""

import math

import numpy as np
import pytest

from benchmark.analysis.intervals import Array
from benchmark.analysis.ladders.optimum import find_optima
from benchmark.analysis.ladders.parabola import REACHES, Curve, Reach
from benchmark.analysis.ladders.slope import fit_depth_slope, fit_slope
from search_spaces.errors import InvalidInput

RATES = np.logspace(-3, 0.5, 15)
CHANCE = math.log(10)


def bowl(optimum_D: list[float], seeds: int = 2) -> Array:
    """Exact parabolas (D, R, S) with the least loss, 1, at these log10 rates."""
    distance_DR = np.log10(RATES)[None] - np.array(optimum_D)[:, None]
    return np.repeat((1 + 0.2 * distance_DR**2)[..., None], seeds, axis=2)


def test_a_parabola_is_recovered_exactly() -> None:
    for optimum, log10_rate in zip(
        find_optima(RATES, bowl([-1.03, -0.5]), CHANCE), [-1.03, -0.5], strict=True
    ):
        assert optimum.status == "fitted"
        assert math.log10(optimum.rate) == pytest.approx(log10_rate, abs=1e-9)
        assert optimum.loss == pytest.approx(1.0)
        assert optimum.log10_rate.contains(math.log10(optimum.rate))
        assert optimum.stable_censored


def test_the_vertex_is_much_tighter_than_the_argmin() -> None:
    rng = np.random.default_rng(0)
    error = []
    for _ in range(300):
        log10_rate = rng.uniform(-1.5, -0.5)
        loss_DRS = bowl([log10_rate]) + 0.003 * rng.standard_normal((1, len(RATES), 2))
        optimum = find_optima(RATES, loss_DRS, CHANCE)[0]
        rates = np.log10([optimum.rate, optimum.grid_rate])
        error.append(rates - log10_rate)
    fitted, argmin = np.sqrt((np.array(error) ** 2).mean(axis=0))
    assert fitted < argmin / 2.5


@pytest.mark.parametrize(("log10_rate", "status"), [(-4.0, "censored-low"), (1.0, "censored-high")])
def test_an_optimum_at_the_edge_is_censored_and_not_fitted(log10_rate: float, status: str) -> None:
    optimum = find_optima(RATES, bowl([log10_rate]), CHANCE)[0]
    assert optimum.status == status
    assert not optimum.usable
    assert not optimum.log10_rate.determined
    assert optimum.rate == optimum.grid_rate


def test_a_rung_near_chance_is_untrained() -> None:
    barely = bowl([-1.0]) + 0.96 * CHANCE - 1
    assert find_optima(RATES, barely, CHANCE)[0].status == "untrained"
    trained = bowl([-1.0]) + 0.9 * CHANCE - 1
    assert find_optima(RATES, trained, CHANCE)[0].status == "fitted"
    seeds_disagree = trained + np.array([-0.4, 0.4])
    assert find_optima(RATES, seeds_disagree, CHANCE)[0].status == "untrained"


def test_pure_noise_at_chance_is_untrained() -> None:
    rng = np.random.default_rng(1)
    loss_DRS = CHANCE + 0.05 * rng.standard_normal((500, len(RATES), 2))
    statuses = [optimum.status for optimum in find_optima(RATES, loss_DRS, CHANCE)]
    assert statuses.count("untrained") >= 490


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_divergence_bounds_the_stable_rates_and_is_never_fitted(bad: float) -> None:
    loss_DRS = bowl([-0.5])  # the best measured rate is RATES[10]
    loss_DRS[0, 12:, 1] = bad
    optimum = find_optima(RATES, loss_DRS, CHANCE)[0]
    assert optimum.status == "fitted"
    assert math.log10(optimum.rate) == pytest.approx(-0.5)
    assert optimum.largest_stable_rate == RATES[11]
    assert not optimum.stable_censored
    loss_DRS[0, 11:, 0] = bad
    cliff = find_optima(RATES, loss_DRS, CHANCE)[0]
    assert (cliff.status, cliff.rate, cliff.usable) == ("cliff", RATES[10], True)
    loss_DRS[0] = bad
    gone = find_optima(RATES, loss_DRS, CHANCE)[0]
    assert gone.status == "diverged"
    assert math.isnan(gone.rate)
    assert math.isnan(gone.largest_stable_rate)


def test_a_lucky_seed_does_not_make_a_rate_the_best() -> None:
    loss_DRS = bowl([-0.5])
    loss_DRS[0, 12, 0], loss_DRS[0, 12, 1] = 0.1, math.inf
    assert find_optima(RATES, loss_DRS, CHANCE)[0].grid_rate == RATES[10]


def test_rungs_may_have_grids_of_their_own() -> None:
    loss_DRS = bowl([-1.0, -1.0])
    rate_DR = np.tile(RATES, (2, 1))
    rate_DR[1, :4] = rate_DR[1, 13:] = math.nan
    loss_DRS[1, :4] = loss_DRS[1, 13:] = math.nan
    whole, padded = find_optima(rate_DR, loss_DRS, CHANCE)
    assert padded.status == "fitted"
    assert padded.rate == pytest.approx(whole.rate)
    assert padded.stable_censored


def test_one_seed_pools_nothing() -> None:
    optimum = find_optima(RATES, bowl([-1.0], seeds=1), CHANCE)[0]
    assert optimum.status == "fitted"
    assert not optimum.log10_rate.determined
    assert optimum.log10_rate.reason == "one seed"


def test_slope_is_recovered_with_censored_and_untrained_rungs_left_out() -> None:
    depth_D = np.array([2.0, 4.0, 8.0, 16.0, 32.0, 64.0])
    log10_rate = np.log10(0.5 * depth_D**-1.5)
    loss_DRS = bowl(log10_rate.tolist())
    loss_DRS[1] = CHANCE
    slope = fit_depth_slope(depth_D, find_optima(RATES, loss_DRS, CHANCE))
    assert slope.used_D == (True, False, True, True, True, False)
    assert slope.exponent.estimate == pytest.approx(-1.5)
    assert slope.prefactor == pytest.approx(0.5)
    assert slope.r_squared == pytest.approx(1.0)
    assert slope.exponent.n == 4


def test_inside_names_the_theories_that_the_interval_admits() -> None:
    depth_D = np.array([2.0, 3.0, 4.0, 6.0, 8.0, 12.0])
    wobble_D = np.array([1, -1, 1, -1, 1, -1]) * 0.02
    slope = fit_slope(depth_D, np.exp(wobble_D) / depth_D)
    assert dict(slope.inside) == {-1.5: False, -1.0: True, 0.0: False}


def test_fewer_than_three_rungs_are_undetermined_and_say_why() -> None:
    optima = find_optima(RATES, bowl([-1.0, -1.5, -4.0, 1.0]), CHANCE)
    slope = fit_depth_slope(np.array([2.0, 4.0, 8.0, 16.0]), optima)
    assert not slope.exponent.determined
    assert slope.inside == ()
    assert "1 censored-high, 1 censored-low" in slope.exponent.reason


def test_three_rungs_of_one_depth_have_no_slope() -> None:
    assert not fit_slope(np.full(3, 4.0), np.array([0.1, 0.2, 0.3])).exponent.determined


def test_bad_curves_are_refused() -> None:
    with pytest.raises(InvalidInput, match="increasing"):
        find_optima(RATES[::-1], bowl([-1.0]), CHANCE)
    with pytest.raises(InvalidInput, match="do not fit"):
        find_optima(RATES[:3], bowl([-1.0]), CHANCE)
    with pytest.raises(InvalidInput, match="chance_loss"):
        find_optima(RATES, bowl([-1.0]), 0.0)
    with pytest.raises(InvalidInput, match="rungs x rates x seeds"):
        find_optima(RATES, bowl([-1.0])[0], CHANCE)
    with pytest.raises(InvalidInput, match="positive"):
        fit_slope(np.array([0.0, 1, 2]), np.ones(3))


@pytest.mark.parametrize("reach", REACHES)
def test_more_rates_never_narrow_a_window(reach: Reach) -> None:
    """However dense the grid, a window reaches as many decades, and as many rates."""
    rng = np.random.default_rng(24)
    for count in (7, 12, 30, 80):
        x_R = np.sort(rng.uniform(-2, 2, count))
        best = int(np.argmin(np.abs(x_R)))
        curve = Curve(x_R, x_R[:, None] ** 2, x_R**2, best)
        window = curve.window(reach)
        for end in (window.start, window.stop - 1):
            whole = end in (0, count - 1)
            assert whole or abs(x_R[end] - x_R[best]) >= reach.decades
            assert whole or abs(end - best) >= reach.rates


@pytest.mark.parametrize(("noise", "reach"), [(0.5, 0), (0.003, 2)])
def test_a_lopsided_curve_is_fitted_in_a_narrow_window_where_seeds_can_tell(
    noise: float, reach: int
) -> None:
    """On the right of the optimum the loss rises four times as fast as on the left."""
    rng = np.random.default_rng(25)
    rates = np.logspace(-2, 2, 41)
    x_R = np.log10(rates)
    loss_R = np.where(x_R < 0, x_R**2, 4 * x_R**2)
    loss_DRS = 1 + loss_R[None, :, None] + noise * rng.standard_normal((4, 41, 3))
    assert {optimum.reach for optimum in find_optima(rates, loss_DRS, 9.0)} == {reach}


def test_a_dense_grid_is_fitted_over_decades_not_neighbors() -> None:
    """The same noise: five times as many rates must give a tighter optimum, not a looser one."""
    rng = np.random.default_rng(21)

    def scatter(count: int) -> float:
        rates = np.logspace(-3, 0.5, count)
        errors = []
        for _ in range(300):
            loss_R = 1 + 0.5 * (np.log10(rates) + 1.1) ** 2 + 0.02 * rng.standard_normal(count)
            (optimum,) = find_optima(rates, loss_R[None, :, None], 3.0)
            errors.append(np.log10(optimum.rate) + 1.1)
        return float(np.std(errors))

    assert scatter(71) < 0.8 * scatter(15)
