"""Excess loss over the best rule, the best single rate in hindsight, and rates chosen anew."""

import math

import numpy as np
import pytest

from benchmark.analysis.intervals import Array
from benchmark.analysis.ladders.optimum import find_optima
from benchmark.analysis.regret.excess_loss import find_oracle_constant, measure_excess_losses
from benchmark.analysis.regret.rechosen_rate import measure_rechosen_regret, rechoose_rates
from benchmark.analysis.regret.transfer import measure_transfer
from search_spaces.errors import InvalidInput

RATES = np.logspace(-3, 0.5, 29)
CHANCE = math.log(10)
OPTIMUM_D = np.array([-0.6, -1.0, -1.4, -1.7])


def plant(noise: float, seed: int = 0, seeds: int = 3) -> Array:
    """Parabolas with their optima at OPTIMUM_D; each loss has noise of its own."""
    rng = np.random.default_rng(seed)
    loss_DRS = 1 + 0.2 * (np.log10(RATES)[None, :, None] - OPTIMUM_D[:, None, None]) ** 2
    return np.asarray(loss_DRS + noise * rng.standard_normal((4, len(RATES), seeds)))


def test_a_rule_that_ruins_a_network_pays_for_it() -> None:
    """Regret against its own optimum would be zero; the untrained rung counts like any other."""
    found = measure_excess_losses(
        {
            "good": np.array([[1.0, 1.1], [1.0, 1.2]]),
            "ruined": np.array([[1.2, 1.3], [math.nan, 5.0]]),
        },
        2.3,
    )
    assert [rung.estimate for rung in found["good"].rungs] == pytest.approx([0.0, 0.0])
    assert [rung.estimate for rung in found["ruined"].rungs] == pytest.approx([0.2, 1.2])
    assert found["ruined"].worst == 1
    assert found["ruined"].mean.estimate == pytest.approx(0.7)
    assert found["good"].mean.high == 0.0


def test_the_best_of_a_rung_may_be_a_point_of_the_grid() -> None:
    reached = {"grid": np.array([[0.5, 0.6]])}
    found = measure_excess_losses({"rule": np.array([[1.0, 1.1]])}, 2.3, reached=reached)
    assert found["rule"].mean.estimate == pytest.approx(0.5)


def test_excess_is_paired_by_seed_and_one_seed_has_no_interval() -> None:
    wild_DS = np.array([[0.2, 1.0, 1.8]]) + np.zeros((3, 1))
    found = measure_excess_losses({"a": wild_DS, "b": wild_DS + 0.1}, 2.3)["b"]
    assert found.mean.high - found.mean.low == pytest.approx(0.0, abs=1e-9)
    one = measure_excess_losses({"a": wild_DS[:, :1], "b": wild_DS[:, :1] + 0.1}, 2.3)["b"]
    assert one.mean.estimate == pytest.approx(0.1)
    assert not one.mean.determined
    with pytest.raises(InvalidInput, match="one table"):
        measure_excess_losses({"a": wild_DS, "b": wild_DS[:, :2]}, 2.3)


def test_the_oracle_constant_is_the_best_single_rate() -> None:
    loss_DRS = plant(0.0)
    oracle = find_oracle_constant(RATES, loss_DRS, CHANCE)
    assert math.log10(oracle.rate) == pytest.approx(OPTIMUM_D.mean(), abs=0.07)
    assert oracle.mean_loss == pytest.approx(1 + 0.2 * OPTIMUM_D.var(), abs=2e-3)
    assert oracle.loss_DS.shape == (4, 3)
    assert not oracle.at_edge
    loss_DRS[3, oracle.rate <= RATES] = math.nan  # diverged on the deepest: guessing there
    lower = find_oracle_constant(RATES, loss_DRS, CHANCE)
    assert lower.rate < oracle.rate
    with pytest.raises(InvalidInput, match="do not fit"):
        find_oracle_constant(RATES[1:], loss_DRS, CHANCE)


def test_rates_chosen_anew_spread_at_least_as_fresh_tunings_do() -> None:
    """And at most two thirds more, for their curves had noise before more was added."""
    fresh = [find_optima(RATES, plant(0.03, k), CHANCE)[0].log10_rate.estimate for k in range(300)]
    spreads = [
        np.log10(rechoose_rates(RATES, plant(0.03, 1000 + k)[0], CHANCE, resamples=60)).std()
        for k in range(20)
    ]
    assert 0.85 < np.mean(spreads) / np.std(fresh) < 1.67


def test_what_a_seed_does_to_all_rates_alike_moves_no_choice() -> None:
    loss_RS = plant(0.0)[0] + np.array([0.0, 0.3, 0.6])
    assert np.ptp(np.log10(rechoose_rates(RATES, loss_RS, CHANCE))) < 1e-6


def test_the_rechosen_interval_holds_the_fixed_one_and_says_how_much_wider_it_is() -> None:
    loss_DRS = plant(0.03)
    optima = find_optima(RATES, loss_DRS, CHANCE)
    multiplier_D = 10 ** (OPTIMUM_D - OPTIMUM_D[0])
    found = measure_rechosen_regret(RATES, loss_DRS, optima, 1.5 * multiplier_D / 1.5, CHANCE)
    assert found.rate_rechosen.low <= found.rate_fixed.low
    assert found.rate_rechosen.high > found.rate_fixed.high
    assert found.ratio > 1
    assert found.log10_rate_error > 0
    assert found.lost < 0.05
    calm = plant(0.0)
    still = measure_rechosen_regret(
        RATES, calm, find_optima(RATES, calm, CHANCE), 2 * multiplier_D, CHANCE
    )
    assert still.log10_rate_error == pytest.approx(0.0, abs=1e-6)
    assert still.rate_rechosen.high == pytest.approx(still.rate_fixed.high, abs=1e-6)


def test_the_error_of_the_base_is_part_of_every_rungs() -> None:
    loss_DRS = plant(0.03)
    optima = find_optima(RATES, loss_DRS, CHANCE)
    assert optima[0].log10_error > 0
    assert optima[0].freedom == 4 * 2
    arguments = (RATES, loss_DRS[1:], optima[1:], 1.3 * 10 ** OPTIMUM_D[1:], CHANCE)
    alone, whole = measure_transfer(*arguments), measure_transfer(*arguments, base=optima[0])
    for name in ("regret", "log10_error", "absolute_log10_error"):
        narrow, wide = getattr(alone, name), getattr(whole, name)
        assert wide.estimate == narrow.estimate
        assert wide.high > narrow.high - 1e-12 or name == "log10_error"
    error = whole.log10_error
    assert error.high - error.low > 2 * 1.96 * optima[0].log10_error


def test_an_untrained_base_gives_nothing_to_choose_anew() -> None:
    loss_DRS = plant(0.0)
    loss_DRS[0] = CHANCE
    with pytest.raises(InvalidInput, match="untrained"):
        measure_rechosen_regret(
            RATES, loss_DRS, find_optima(RATES, loss_DRS, CHANCE), np.ones(4), CHANCE
        )
    with pytest.raises(InvalidInput, match="two seeds"):
        rechoose_rates(RATES, plant(0.0)[0][:, :1], CHANCE)
