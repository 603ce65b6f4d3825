"""Local exponents, the test of the straight line, and what a verdict may say of them."""

import math

import numpy as np
import pytest

from benchmark.analysis.intervals import Array, Interval
from benchmark.analysis.ladders.exponent_verdict import judge_exponent
from benchmark.analysis.ladders.local_exponents import (
    ExponentProfile,
    LocalExponent,
    fit_local_exponents,
)
from benchmark.analysis.ladders.one_step import measure_flatness
from benchmark.analysis.ladders.optimum import Optimum, find_optima
from benchmark.analysis.ladders.slope import fit_good_slope, fit_stable_slope
from benchmark.analysis.ladders.update_profile import Over, fit_update_profile
from search_spaces.errors import InvalidInput

BLOCKS = np.array([1.0, 2.0, 4.0, 8.0, 16.0])
RATES = np.logspace(-3, 0.5, 15)
RIVALS = (-1.0, 0.0)


def plant(
    power: float, spread: float = 0.05, seeds: int = 3, seed: int = 0, depth_D: Array = BLOCKS
) -> tuple[Optimum, ...]:
    """Optima at 0.8 * depth^power; each seed moves each rung's by `spread` decades."""
    rng = np.random.default_rng(seed)
    own_DS = np.log10(0.8 * depth_D**power)[:, None] + spread * rng.standard_normal(
        (len(depth_D), seeds)
    )
    distance_DRS = np.log10(RATES)[None, :, None] - own_DS[:, None, :]
    return find_optima(RATES, 1 + 0.5 * distance_DRS**2, 3.0)


def profile(depth_D: Array, optima: tuple[Optimum, ...]) -> ExponentProfile:
    found = fit_local_exponents(depth_D, optima)
    assert found is not None
    return found


def test_a_power_law_has_its_exponent_everywhere() -> None:
    found = profile(BLOCKS, plant(-1.5, spread=0.0))
    values = [found.line, found.deepest.exponent, *(n.exponent for n in found.neighbors)]
    assert [value.estimate for value in values] == pytest.approx([-1.5] * 6)
    assert found.curvature.estimate == pytest.approx(0.0, abs=1e-9)
    assert (found.deepest.shallow, found.deepest.deep) == (4.0, 16.0)
    assert [(n.shallow, n.deep) for n in found.neighbors][-1] == (8.0, 16.0)
    assert found.fits


def test_what_a_seed_does_to_all_rungs_alike_is_no_error_of_an_exponent() -> None:
    rng = np.random.default_rng(1)
    common_S = 0.2 * rng.standard_normal(3)
    distance_DRS = (np.log10(RATES)[:, None] - common_S) - np.log10(0.5 / BLOCKS)[:, None, None]
    found = profile(BLOCKS, find_optima(RATES, 1 + 0.5 * distance_DRS**2, 3.0))
    assert found.line.high - found.line.low == pytest.approx(0.0, abs=1e-6)


def test_a_wrong_unit_shows_in_the_local_exponents_and_in_the_test_of_the_line() -> None:
    optima = plant(-1.0, spread=0.01)
    found = profile(BLOCKS + 2, optima)
    local = [neighbor.exponent.estimate for neighbor in found.neighbors]
    assert local == sorted(local)
    assert local[0] < -2
    assert local[-1] > -1.3
    assert found.line.estimate == pytest.approx(-1.5, abs=0.1)
    assert not found.fits
    assert profile(BLOCKS, optima).fits


@pytest.mark.parametrize("spread", [0.02, 0.05, 0.1])
@pytest.mark.parametrize("seeds", [2, 3])
def test_a_law_of_blocks_never_passes_for_another_because_a_unit_adds_two(
    spread: float, seeds: int
) -> None:
    """K^-1 optima: no yes to -3/2 in blocks, nor in K + 2 where K^-1 in blocks is the rival."""
    said = {"blocks": 0, "blocks + 2": 0}
    for k in range(60):
        optima = plant(-1.0, spread, seeds, seed=k)
        blocks, added = profile(BLOCKS, optima), profile(BLOCKS + 2, optima)
        rivals = {"blocks": (blocks, (-1.0,))}
        said["blocks"] += judge_exponent(blocks, -1.5, RIVALS).answer == "yes"
        said["blocks + 2"] += judge_exponent(added, -1.5, RIVALS, elsewhere=rivals).answer == "yes"
    assert said["blocks"] == 0
    assert said["blocks + 2"] <= 1


@pytest.mark.parametrize("power", [-1.5, -1.0])
def test_a_true_law_of_blocks_is_told(power: float) -> None:
    rivals = [p for p in (-1.5, -1.0, 0.0) if p != power]
    answers = [
        judge_exponent(profile(BLOCKS, plant(power, 0.03, seed=1000 + k)), power, rivals).answer
        for k in range(200)
    ]
    assert answers.count("yes") >= 140
    assert answers.count("no") <= 20


def interval(estimate: float, half: float = 0.1) -> Interval:
    return Interval(estimate, estimate - half, estimate + half, 5, "made")


@pytest.mark.parametrize(
    ("line", "deepest", "last", "misfit_p", "answer"),
    [
        (-1.5, -1.5, -1.5, 0.4, "yes"),
        (-1.5, -1.0, -1.0, 0.001, "no"),
        (-2.0, -1.5, -1.5, 0.001, "yes"),
        (-1.5, -1.45, -1.2, 0.4, "undetermined"),
        (-1.0, -1.5, -1.5, 0.4, "no"),
        (-1.5, -1.5, -1.5, math.nan, "yes"),
    ],
)
def test_the_deepest_exponent_decides_where_the_line_does_not_fit(
    line: float, deepest: float, last: float, misfit_p: float, answer: str
) -> None:
    neighbors = (LocalExponent(8, 16, interval(last)),)
    made = ExponentProfile(
        interval(line), neighbors, LocalExponent(4, 16, interval(deepest)), interval(0.0), misfit_p
    )
    judged = judge_exponent(made, -1.5, RIVALS)
    assert judged.answer == answer
    assert ("does not fit" in judged.why) == (misfit_p < 0.02)


def test_too_few_rungs_or_seeds() -> None:
    assert fit_local_exponents(BLOCKS[:2], plant(-1.5, depth_D=BLOCKS[:2])) is None
    one = profile(BLOCKS, plant(-1.5, seeds=1))
    assert not one.line.determined
    assert one.fits
    assert judge_exponent(one, -1.5, RIVALS).answer == "undetermined"
    with pytest.raises(InvalidInput, match="increase"):
        fit_local_exponents(BLOCKS[::-1], plant(-1.5))


def test_update_profiles_agree_on_a_power_law_and_pair_their_seeds() -> None:
    common_S = np.exp(np.random.default_rng(2).standard_normal(12))
    moments = [depth**3 * common_S[None] * np.ones((4, 1)) for depth in BLOCKS]
    summaries: tuple[Over, ...] = ("mean", "median", "log-mean")
    for over in summaries:
        found = fit_update_profile(BLOCKS, moments, over=over, resamples=99)
        assert found.line.estimate == pytest.approx(-1.5)
        assert found.deepest.exponent.estimate == pytest.approx(-1.5)
        assert found.line.high - found.line.low < 1e-9
        assert found.fits


def test_a_bent_update_law_is_judged_at_its_deepest() -> None:
    """S = K^2 (1 + 9 / K): K^-1/2 among the shallow, K^-1 in the end."""
    rng = np.random.default_rng(3)
    depth_D = np.array([1.0, 4.0, 16.0, 64.0, 256.0])
    mean_D = depth_D**2 * (1 + 9 / depth_D)
    moments = [m * np.exp(0.2 * rng.standard_normal((1, 16))) for m in mean_D]
    found = fit_update_profile(depth_D, moments)
    assert not found.fits
    assert judge_exponent(found, -1.0, (-1.5, -0.5)).answer == "yes"


def test_heavy_tails_part_the_mean_from_the_typical_network() -> None:
    """The log's variance grows with depth: means fall as L^-1.5 exp(-cL), medians as L^-1.5."""
    rng = np.random.default_rng(4)
    moments = [
        depth**3 * np.exp(math.sqrt(depth / 8) * rng.standard_normal((1, 4000))) for depth in BLOCKS
    ]
    mean, typical = (
        fit_update_profile(BLOCKS, moments, over=over, resamples=9).deepest.exponent.estimate
        for over in ("mean", "log-mean")
    )
    assert typical == pytest.approx(-1.5, abs=0.03)
    assert mean < -1.6


def test_no_verdict_on_a_chain_deeper_than_an_eighth_of_its_width() -> None:
    rng = np.random.default_rng(5)
    moments = [depth**3 * np.exp(0.1 * rng.standard_normal((1, 16))) for depth in BLOCKS]
    assert measure_flatness(BLOCKS, moments, BLOCKS**-1.5, width=128).verdict == "yes"
    narrow = measure_flatness(BLOCKS, moments, BLOCKS**-1.5, width=127)
    assert narrow.verdict == "undetermined"
    assert "at least 128" in narrow.why


def test_slopes_of_the_largest_stable_and_the_largest_good_rate() -> None:
    """Everything above 3 times the optimum diverges; a ladder without divergence has no limit."""
    rng = np.random.default_rng(6)
    rates = np.logspace(-4, 0.5, 91)
    distance_DRS = np.log10(rates)[None, :, None] - np.log10(0.5 * BLOCKS**-1.5)[:, None, None]
    loss_DRS = 1 + 0.5 * distance_DRS**2 + 0.01 * rng.standard_normal((5, 91, 3))
    loss_DRS[np.broadcast_to(distance_DRS > math.log10(3), loss_DRS.shape)] = math.inf
    optima = find_optima(rates, loss_DRS, 3.0)
    stable, good = fit_stable_slope(BLOCKS, optima), fit_good_slope(BLOCKS, optima)
    assert stable.exponent.estimate == pytest.approx(-1.5, abs=0.03)
    assert good.exponent.estimate == pytest.approx(-1.5, abs=0.2)
    assert all(o.grid_rate <= o.largest_good_rate <= o.largest_stable_rate for o in optima)
    calm = fit_stable_slope(BLOCKS, find_optima(rates, 1 + 0.5 * distance_DRS**2, 3.0))
    assert "5 stable at every rate" in calm.exponent.reason
