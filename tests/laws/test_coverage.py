"""Every interval holds the planted truth as often as it says: 0.93 to 0.97 at 95%.

Seeds are fixed, so each test gives one number for good. 1000 studies put 0.007 of simulation error
on a coverage; the sizes are those of a real study (24 architectures, 6 rungs, 2 or 3 seeds).

`python -m tests.support.coverage_table` prints what each source of error does to a coverage: of the
interval that ignores it, and of the one that holds it.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from support.coverage_table import cover_excess, cover_rechosen, cover_transfers

from benchmark.analysis.correlation.spearman import spearman_interval
from benchmark.analysis.intervals import (
    Array,
    Interval,
    mean_interval,
    median_interval,
    pearson_interval,
    share_interval,
    t_interval,
)
from benchmark.analysis.ladders.exponent_verdict import judge_exponent
from benchmark.analysis.ladders.local_exponents import fit_local_exponents
from benchmark.analysis.ladders.one_step import (
    fit_update_exponent,
    measure_flatness,
    summarize_rung,
)
from benchmark.analysis.ladders.optimum import find_optima
from benchmark.analysis.ladders.slope import fit_depth_slope
from benchmark.analysis.ladders.update_profile import Over, fit_update_profile
from benchmark.analysis.ranking.accuracy_shift import measure_accuracy_shift
from benchmark.analysis.ranking.other_agreement import measure_spearman_agreement
from benchmark.analysis.ranking.rank_agreement import measure_rank_agreement
from benchmark.analysis.ranking.seed_effect import mean_of_shared_seeds
from benchmark.analysis.regret.transfer import measure_transfer
from benchmark.analysis.tuning.tuned_constants import mix_constants, weigh_constants

Draw = Callable[[np.random.Generator, int], Array]

STUDIES = 1000
DEPTHS = np.array([2.0, 4.0, 6.0, 8.0, 12.0, 16.0])
RATES = np.logspace(-3, 0.5, 15)
DENSE_RATES = np.logspace(-3, 0.5, 71)


def held(intervals: list[Interval], truth: float) -> None:
    """Assert the promise, over at least a thousand determined intervals."""
    assert len(intervals) >= STUDIES
    assert all(interval.determined for interval in intervals)
    coverage = sum(interval.contains(truth) for interval in intervals) / len(intervals)
    assert 0.93 <= coverage <= 0.97, coverage


def normal(rng: np.random.Generator, n: int) -> Array:
    return rng.standard_normal(n)


def exponential(rng: np.random.Generator, n: int) -> Array:
    return rng.exponential(size=n) - 1


def laplace(rng: np.random.Generator, n: int) -> Array:
    return rng.laplace(size=n)


@pytest.mark.parametrize(
    ("draw", "n"), [(normal, 24), (exponential, 24), (laplace, 24), (normal, 60)]
)
def test_mean(draw: Draw, n: int) -> None:
    rng = np.random.default_rng(1)
    intervals = [mean_interval(draw(rng, n), resamples=499, seed=k) for k in range(3 * STUDIES)]
    held(intervals, 0.0)


@pytest.mark.parametrize("n", [2, 6])
def test_mean_of_a_few_normal_values(n: int) -> None:
    rng = np.random.default_rng(2)
    held([t_interval(normal(rng, n)) for _ in range(2 * STUDIES)], 0.0)


@pytest.mark.parametrize(("draw", "median"), [(normal, 0.0), (exponential, math.log(2) - 1)])
@pytest.mark.parametrize("n", [6, 24, 25])
def test_median(draw: Draw, median: float, n: int) -> None:
    rng = np.random.default_rng(3)
    held([median_interval(draw(rng, n)) for _ in range(2 * STUDIES)], median)


@pytest.mark.parametrize("share", [0.3, 0.5, 0.7])
def test_share(share: float) -> None:
    rng = np.random.default_rng(4)
    held([share_interval(int(k), 24) for k in rng.binomial(24, share, 4000)], share)


@pytest.mark.parametrize("rho", [0.0, 0.9])
@pytest.mark.parametrize("n", [5, 12])
def test_pearson(rho: float, n: int) -> None:
    rng = np.random.default_rng(15)

    def study() -> Interval:
        x_N = normal(rng, n)
        return pearson_interval(x_N, rho * x_N + math.sqrt(1 - rho**2) * normal(rng, n))

    held([study() for _ in range(3 * STUDIES)], rho)


@pytest.mark.parametrize("rho", [0.0, 0.6])
def test_spearman(rho: float) -> None:
    rng = np.random.default_rng(5)
    truth = 6 / math.pi * math.asin(rho / 2)  # of two normal variables with correlation rho

    def study(k: int) -> Interval:
        x_A = normal(rng, 24)
        y_A = rho * x_A + math.sqrt(1 - rho**2) * normal(rng, 24)
        return spearman_interval(x_A, y_A, resamples=599, seed=k)

    held([study(k) for k in range(STUDIES)], truth)


def two_rules(
    rng: np.random.Generator, reliability: float, agreement: float, seeds: int, n: int = 24
) -> tuple[Array, Array]:
    """Normal accuracies (n, S): seeds correlate by `reliability`, true values by `agreement`."""
    true_A = normal(rng, n)
    other_A = agreement * true_A + math.sqrt(1 - agreement**2) * normal(rng, n)
    noise = math.sqrt(1 / reliability - 1)
    return (
        true_A[:, None] + noise * rng.standard_normal((n, seeds)),
        other_A[:, None] + noise * rng.standard_normal((n, seeds)),
    )


@pytest.mark.parametrize(
    ("reliability", "agreement", "seeds", "n"),
    [
        *((0.8, 1.0, 2, 24), (0.9, 0.8, 2, 24), (0.8, 1.0, 3, 24)),
        *((0.8, 1.0, 2, 320), (0.9, 0.8, 2, 320), (0.8, 1.0, 2, 2000)),
    ],
)
def test_tau(reliability: float, agreement: float, seeds: int, n: int) -> None:
    """tau of two normal variables with correlation rho is 2/pi asin(rho) (Greiner)."""
    rng = np.random.default_rng(6)
    ceiling = 2 / math.pi * math.asin(reliability)
    cross = 2 / math.pi * math.asin(reliability * agreement)
    found = [
        measure_rank_agreement(
            *two_rules(rng, reliability, agreement, seeds, n),
            resamples=999,
            permutations=0,
            seed=k,
        )
        for k in range(STUDIES)
    ]
    held([r.delta for r in found], ceiling - cross)
    held([r.cross for r in found], cross)
    held([r.ceiling for r in found], ceiling)


@pytest.mark.parametrize("agreement", [1.0, 0.8])
def test_spearman_agreement(agreement: float) -> None:
    rng = np.random.default_rng(12)
    ceiling, cross = (6 / math.pi * math.asin(rho / 2) for rho in (0.9, 0.9 * agreement))
    found = [
        measure_spearman_agreement(*two_rules(rng, 0.9, agreement, 2), resamples=199, seed=k)
        for k in range(STUDIES)
    ]
    held([r.delta for r in found], ceiling - cross)
    held([r.cross for r in found], cross)
    held([r.ceiling for r in found], ceiling)


@pytest.mark.parametrize("draw", [normal, exponential])
def test_shift(draw: Draw) -> None:
    rng = np.random.default_rng(7)

    def study(k: int) -> list[Interval]:
        true_A = normal(rng, 24)
        gain_A = 0.3 + 0.5 * draw(rng, 24)
        reference_AS = true_A[:, None] + 0.5 * rng.standard_normal((24, 2))
        rule_AS = (true_A + gain_A)[:, None] + 0.5 * rng.standard_normal((24, 2))
        shift = measure_accuracy_shift(reference_AS, rule_AS, nested=True, resamples=999, seed=k)
        return [shift.mean, *shift.thirds]

    for intervals in zip(*(study(k) for k in range(STUDIES)), strict=True):
        held(list(intervals), 0.3)


@pytest.mark.parametrize("seeds", [2, 3])
@pytest.mark.parametrize("common", [0.0, 0.2, 0.3])
def test_shift_of_shared_seeds(seeds: int, common: float) -> None:
    """A seed moves all architectures at once, by `common` where their own shifts spread by 0.5."""
    rng = np.random.default_rng(18)

    def study(k: int) -> Interval:
        gain_AS = 0.3 + 0.5 * rng.standard_normal((24, 1)) + common * rng.standard_normal(seeds)
        noise_AS = math.sqrt(0.5) * rng.standard_normal((24, seeds))
        return mean_of_shared_seeds(gain_AS + noise_AS, resamples=199, seed=k)

    held([study(k) for k in range(2 * STUDIES)], 0.3)


@pytest.mark.parametrize("plateau", [0.0, 0.5, 0.9])
@pytest.mark.parametrize(("cells", "spread"), [(1, 0.0), (5, 0.0), (5, 0.15)])
def test_shift_of_a_tuned_rule(plateau: float, cells: int, spread: float) -> None:
    """What tuning and rule gain together, over a plateau of rates `plateau` decades wide.

    Each base cell has its own optimum, `spread` decades away; the gain falls off with the rate.
    """
    rng = np.random.default_rng(19)
    log_rate_R = np.linspace(-2, 0.5, 9)
    gain_R = 1 - 3 * (log_rate_R + 0.9) ** 2

    def tune(studies: int) -> Array:
        """Scores of base cells x rates x seeds, (studies, C, R, 3)."""
        at_KCR = log_rate_R + 0.55 + spread * rng.standard_normal((studies, cells, 1))
        score_KCR = -25 * np.maximum(np.abs(at_KCR) - plateau / 2, 0) ** 2
        common_KCS = 0.5 * rng.standard_normal((studies, cells, 1, 3))
        own_KCRS = 0.6 * rng.standard_normal((studies, cells, 9, 3))
        return np.asarray(score_KCR[..., None] + common_KCS + own_KCRS)

    truth = float(gain_R[np.argmax(tune(20_000).mean(axis=(1, 3)), axis=1)].mean())

    def study(k: int, score_CRS: Array) -> Interval:
        weights = weigh_constants(score_CRS, draws=1000, seed=k)
        own_A, noise_A = 1.2 * normal(rng, 24), 0.8 / math.sqrt(3) * normal(rng, 24)
        kept = [gain_R[r] + own_A * (1 + 0.3 * (log_rate_R[r] + 0.9)) for r in weights.kept]
        shift_KA = np.array(kept) + noise_A
        error_K = shift_KA.std(axis=1, ddof=1) / math.sqrt(24)
        return mix_constants(weights, shift_KA.mean(axis=1), error_K, 24)

    held([study(k, score_CRS) for k, score_CRS in enumerate(tune(STUDIES))], truth)


def ladder(
    rng: np.random.Generator, seeds: int, top: float = 0.6, rates: Array = RATES
) -> tuple[Array, Array]:
    """Losses (D, R, S) with optima at top * depth^-1.5, and log10 of these (D,).

    Seeds move the optimum (0.05 decades), the level of the curve, and each loss by itself.
    """
    optimum_D = np.log10(top * DEPTHS**-1.5)
    own_DS = 0.05 * rng.standard_normal((len(DEPTHS), seeds))
    distance_DRS = np.log10(rates)[None, :, None] - optimum_D[:, None, None] - own_DS[:, None, :]
    level_S = 0.05 * rng.standard_normal(seeds)
    noise_DRS = 0.02 * rng.standard_normal(distance_DRS.shape)
    return 1 + 0.5 * distance_DRS**2 + level_S + noise_DRS, optimum_D


@pytest.mark.parametrize(("seeds", "top"), [(1, 0.6), (2, 0.6), (3, 0.6), (2, 0.05)])
def test_slope(seeds: int, top: float) -> None:
    """With top = 0.05 the optima of the deepest rungs lie below the grid and are censored."""
    rng = np.random.default_rng(8)
    found = [find_optima(RATES, ladder(rng, seeds, top)[0], 3.0) for _ in range(STUDIES)]
    censored = [sum(o.status == "censored-low" for o in optima) for optima in found]
    assert (min(censored) >= 1) == (top < 0.1)
    held([fit_depth_slope(DEPTHS, optima).exponent for optima in found], -1.5)


@pytest.mark.parametrize("seeds", [2, 3])
def test_local_exponents(seeds: int) -> None:
    """What a seed does to all optima is no error of an exponent; the line is not rejected."""
    rng = np.random.default_rng(16)
    profiles = []
    for _ in range(STUDIES):
        profile = fit_local_exponents(DEPTHS, find_optima(RATES, ladder(rng, seeds)[0], 3.0))
        assert profile is not None
        profiles.append(profile)
    held([p.line for p in profiles], -1.5)
    held([p.deepest.exponent for p in profiles], -1.5)
    held([n.exponent for p in profiles for n in p.neighbors], -1.5)
    assert np.mean([p.fits for p in profiles]) >= 0.93


@pytest.mark.parametrize(("over", "seeds"), [("mean", 12), ("log-mean", 4), ("median", 12)])
def test_local_update_exponents(over: Over, seeds: int) -> None:
    """Moments that grow as depth^3; a seed moves its rungs together and each by itself."""
    rng = np.random.default_rng(17)
    profiles = []
    for k in range(STUDIES):
        log_DS = 0.3 * rng.standard_normal(seeds) + 0.4 * rng.standard_normal((6, seeds))
        moments = [d**3 * np.exp(log_S)[None] for d, log_S in zip(DEPTHS, log_DS, strict=True)]
        profiles.append(fit_update_profile(DEPTHS, moments, over=over, resamples=199, seed=k))
    held([p.line for p in profiles], -1.5)
    held([p.deepest.exponent for p in profiles], -1.5)
    assert np.mean([p.fits for p in profiles]) >= 0.93


@pytest.mark.parametrize(("seeds", "rates"), [(2, RATES), (3, RATES), (2, DENSE_RATES)])
def test_optimum(seeds: int, rates: Array) -> None:
    rng = np.random.default_rng(9)
    shifted: list[Interval] = []
    for _ in range(STUDIES):
        loss_DRS, optimum_D = ladder(rng, seeds, rates=rates)
        optimum = find_optima(rates, loss_DRS, 3.0)[2]
        log10_rate = optimum.log10_rate
        low, high = log10_rate.low - optimum_D[2], log10_rate.high - optimum_D[2]
        shifted.append(Interval(log10_rate.estimate - optimum_D[2], low, high, seeds, ""))
    held(shifted, 0.0)


def refine_grid(rng: np.random.Generator, noise: float, seeds: int) -> tuple[Array, Array]:
    """Rates (4, 12) and losses (4, 12, S) of optima at 0.2 * depth^-1.5: ten rates, then the two
    half-way to the neighbors of the best, as a study trains them. From 0.8 decades above its best
    rate a rung diverges; it never does worse than guessing."""
    grid = np.linspace(-3, 0.18, 10)

    def train(x_R: Array, best: float) -> Array:
        distance_R1 = (x_R - best)[:, None]
        loss_RS = 0.8 + 1.5 * distance_R1**2 + noise * rng.standard_normal((len(x_R), seeds))
        return np.asarray(np.where(distance_R1 > 0.8, np.inf, np.minimum(loss_RS, 2.3)))

    rates, losses = [], []
    for best in np.log10(0.2 * np.array([1.0, 2.0, 4.0, 6.0]) ** -1.5):
        first_RS = train(grid, best)
        at = int(np.argmin(first_RS.mean(axis=1)))
        near_2 = (grid[[at - 1, at + 1]] + grid[at]) / 2
        order = np.argsort(np.concatenate([grid, near_2]))
        rates.append(10 ** np.concatenate([grid, near_2])[order])
        losses.append(np.concatenate([first_RS, train(near_2, best)])[order])
    return np.array(rates), np.array(losses)


@pytest.mark.parametrize("seeds", [2])
def test_rates_that_were_added_beside_the_best(seeds: int) -> None:
    """A second round trains more rates around each rung's best; true laws are refuted as seldom as
    an interval of 95% misses."""
    rng = np.random.default_rng(23)
    depth_D = np.array([1.0, 2.0, 4.0, 6.0])
    optima, lines, refuted = [], [], 0
    for _ in range(STUDIES):
        found = find_optima(*refine_grid(rng, 0.1, seeds), 2.3)
        profile = fit_local_exponents(depth_D, found)
        assert profile is not None
        lines.append(profile.line)
        optima.append(found[2].log10_rate)
        refuted += judge_exponent(profile, -1.5, (-1.0, 0.0)).answer == "no"
    held(lines, -1.5)
    held([i for i in optima if i.determined], math.log10(0.2 * 4**-1.5))
    assert refuted <= 0.06 * STUDIES


def test_transfer() -> None:
    """A rule off by a normal amount around 0.2 decades: its rate error over 6 rungs."""
    rng = np.random.default_rng(10)

    def study() -> Interval:
        loss_DRS, optimum_D = ladder(rng, 2)
        predicted_D = 10 ** (optimum_D + 0.2 + 0.1 * normal(rng, len(DEPTHS)))
        optima = find_optima(RATES, loss_DRS, 3.0)
        return measure_transfer(RATES, loss_DRS, optima, predicted_D, 3.0).log10_error

    held([study() for _ in range(STUDIES)], 0.2)


@pytest.mark.parametrize("rungs", [4, 6])
@pytest.mark.parametrize(("common", "own"), [(0.0, 0.1), (0.1, 0.1), (0.15, 0.1), (0.15, 0.05)])
def test_transfer_with_the_error_of_the_base(common: float, own: float, rungs: int) -> None:
    """One base optimum, off by `common` decades, moves all rungs; each is off by `own` besides.

    Of a rule that is right, one a little wrong and one that is wrong.
    """
    for trend in (0.0, 0.1, 0.3):
        (_, error), (_, regret) = cover_transfers(rungs, common, own, trend, STUDIES)
        assert 0.93 <= error <= 0.97, trend
        assert 0.93 <= regret <= 0.975, trend


@pytest.mark.parametrize("trend", [0.0, 0.1, 0.3])
def test_mean_loss_with_the_error_of_the_base(trend: float) -> None:
    """Of the rungs that there are, as excess losses have it: with seeds' noise and the base's."""
    ((_, covered),) = cover_excess(0.1, trend, STUDIES)
    assert 0.93 <= covered <= 0.97


@pytest.mark.parametrize("trend", [0.0, 0.3])
def test_regret_with_the_base_rate_chosen_anew(trend: float) -> None:
    """From curves of three seeds to the interval; ``trend`` is by how much the rule is wrong."""
    assert cover_rechosen(0.06, 0.1, trend, studies=150, resamples=30)[1] >= 0.91


@pytest.mark.parametrize("seeds", [4, 8])
def test_updates(seeds: int) -> None:
    """Moments that grow as depth^3, with log-normal seeds: eta* ~ depth^-1.5."""
    rng = np.random.default_rng(11)

    def study(k: int) -> tuple[Interval, Interval, Interval]:
        moments = [
            d**3 * np.exp(0.3 * rng.standard_normal((1, seeds)) - 0.045) * np.ones((3, 1))
            for d in DEPTHS
        ]
        keywords: dict[str, Any] = {"resamples": 199, "seed": k}
        flat = measure_flatness(DEPTHS, moments, DEPTHS**-1.5, **keywords)
        exponent = fit_update_exponent(DEPTHS, moments, **keywords).exponent
        return exponent, flat.exponent, summarize_rung(moments[0] / 8, **keywords).mean

    exponents, flats, means = zip(*(study(k) for k in range(STUDIES)), strict=True)
    held(list(exponents), -1.5)
    held(list(flats), 0.0)
    held(list(means), 1.0)
