"""Regret and rate error at predicted rates."""

import math

import numpy as np
import pytest

from benchmark.analysis.ladders.optimum import find_optima
from benchmark.analysis.regret.transfer import measure_transfer
from search_spaces.errors import InvalidInput

RATES = np.logspace(-3, 0.5, 15)
CHANCE = math.log(10)
OPTIMUM_D = np.array([-0.6, -1.0, -1.4, -1.7])
LOSS_DRS = np.repeat(
    (1 + 0.2 * (np.log10(RATES)[None] - OPTIMUM_D[:, None]) ** 2)[..., None], 2, axis=2
)
OPTIMA = find_optima(RATES, LOSS_DRS, CHANCE)


def test_predicting_the_optimum_costs_nothing() -> None:
    found = measure_transfer(RATES, LOSS_DRS, OPTIMA, 10**OPTIMUM_D, CHANCE)
    assert found.regret.estimate == pytest.approx(0.0, abs=1e-3)
    assert found.log10_error.estimate == pytest.approx(0.0, abs=1e-9)
    assert found.regret.n == 4


@pytest.mark.parametrize("factor", [3.0, 1 / 3.0])
def test_a_rule_that_is_off_pays_the_curve(factor: float) -> None:
    found = measure_transfer(RATES, LOSS_DRS, OPTIMA, factor * 10**OPTIMUM_D, CHANCE)
    assert found.log10_error.estimate == pytest.approx(math.log10(factor))
    assert found.absolute_log10_error.estimate == pytest.approx(math.log10(3))
    assert found.regret.estimate == pytest.approx(0.2 * math.log10(3) ** 2, abs=2e-3)


def test_a_rate_on_the_grid_is_read_not_interpolated() -> None:
    on_grid = measure_transfer(RATES, LOSS_DRS, OPTIMA, np.full(4, RATES[7]), CHANCE).rungs
    assert not any(rung.interpolated for rung in on_grid)
    assert [rung.loss for rung in on_grid] == pytest.approx(LOSS_DRS[:, 7, 0].tolist())
    between = measure_transfer(RATES, LOSS_DRS, OPTIMA, np.full(4, 1.1 * RATES[7]), CHANCE).rungs
    assert all(rung.interpolated for rung in between)


def test_interpolated_regret_is_never_negative() -> None:
    """On noisy curves the fitted optimum lies above the lowest point of the curve itself."""
    noise = 0.2 * np.random.default_rng(0).standard_normal(LOSS_DRS.shape)
    noisy = LOSS_DRS + noise
    optima = find_optima(RATES, noisy, CHANCE)
    for rate in np.geomspace(RATES[0], RATES[-1], 60):
        for rung in measure_transfer(RATES, noisy, optima, np.full(4, rate), CHANCE).rungs:
            assert rung.regret >= 0


def test_nothing_is_extrapolated() -> None:
    predicted_D = np.array([10.0, 0.1, 0.04, 1e-5])
    found = measure_transfer(RATES, LOSS_DRS, OPTIMA, predicted_D, CHANCE)
    assert [rung.outside for rung in found.rungs] == [True, False, False, True]
    assert math.isnan(found.rungs[0].regret)
    assert (found.outside, found.regret.n, found.log10_error.n) == (2, 2, 4)


def test_divergence_is_scored_at_chance() -> None:
    loss_DRS = LOSS_DRS.copy()
    loss_DRS[:, 13:, 1] = math.inf
    loss_DRS[:, 13:, 0] = 50.0  # finite, and worse than guessing
    found = measure_transfer(RATES, loss_DRS, OPTIMA, np.full(4, RATES[13]), CHANCE)
    assert [rung.loss for rung in found.rungs] == pytest.approx([CHANCE] * 4)
    assert found.diverged == 4
    near = measure_transfer(RATES, loss_DRS, OPTIMA, np.full(4, 1.2 * RATES[12]), CHANCE)
    assert near.diverged == 4
    assert all(rung.loss <= CHANCE for rung in near.rungs)


def test_a_measured_loss_is_used_as_it_is() -> None:
    measured_DS = np.tile([1.4, 1.6], (4, 1))
    measured_DS[3, 1] = math.nan
    found = measure_transfer(
        RATES, LOSS_DRS, OPTIMA, np.full(4, 99.0), CHANCE, measured_DS=measured_DS
    )
    losses = [rung.loss for rung in found.rungs]
    assert losses == pytest.approx([1.5, 1.5, 1.5, (1.4 + CHANCE) / 2])
    assert found.diverged == 1
    assert found.outside == 0
    assert not any(rung.interpolated for rung in found.rungs)


def test_a_censored_rung_is_shown_and_not_counted() -> None:
    loss_DRS = np.concatenate(
        [LOSS_DRS, 1 + 0.2 * (np.log10(RATES) + 4)[None, :, None] ** 2 + np.zeros((1, 15, 2))]
    )
    optima = find_optima(RATES, loss_DRS, CHANCE)
    found = measure_transfer(RATES, loss_DRS, optima, np.full(5, 0.1), CHANCE)
    assert found.rungs[4].status == "censored-low"
    assert found.rungs[4].regret > 0
    assert found.regret.n == found.log10_error.n == 4


def test_bad_predictions_are_refused() -> None:
    with pytest.raises(InvalidInput, match="predicted_D"):
        measure_transfer(RATES, LOSS_DRS, OPTIMA, np.array([0.1, 0.1, 0.1, -1.0]), CHANCE)
    with pytest.raises(InvalidInput, match="measured_DS"):
        measure_transfer(
            RATES, LOSS_DRS, OPTIMA, np.full(4, 0.1), CHANCE, measured_DS=np.ones((3, 2))
        )
