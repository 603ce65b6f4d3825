"""Coverage of 95% intervals on planted truth, without and with each source of error.

`python -m tests.support.coverage_table` prints a row for each setting: the interval that ignores
the source, and the one that holds it.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

import numpy as np

from benchmark.analysis.intervals import mean_interval, t_interval
from benchmark.analysis.ladders.optimum import find_optima
from benchmark.analysis.ranking.seed_effect import mean_of_shared_seeds
from benchmark.analysis.regret.base_error import (
    add_base_error,
    bound_moves,
    describe_base_error,
    widen_sides,
)
from benchmark.analysis.regret.rechosen_rate import measure_rechosen_regret
from benchmark.analysis.regret.regret_interval import measure_scatter, widen_regret
from benchmark.analysis.tuning.tuned_constants import mix_constants, weigh_constants

STUDIES = 1000
RECHOSEN_CASES = ((0.02, 0.1, 0.0), (0.06, 0.1, 0.0), (0.06, 0.1, 0.3), (0.06, 0.05, 0.1))


def cover_shifts(seeds: int, common: float) -> tuple[float, float]:
    """Mean shift of 24 architectures whose seeds move all of them together by `common`."""
    rng = np.random.default_rng(18)
    hits = np.zeros(2)
    for k in range(STUDIES):
        shift_AS = 0.5 * rng.standard_normal((24, 1)) + common * rng.standard_normal(seeds)
        shift_AS = shift_AS + math.sqrt(0.5) * rng.standard_normal((24, seeds))
        before = mean_interval(shift_AS.mean(axis=1), resamples=199, seed=k)
        after = mean_of_shared_seeds(shift_AS, resamples=199, seed=k)
        hits += before.contains(0.0), after.contains(0.0)
    return float(hits[0] / STUDIES), float(hits[1] / STUDIES)


def cover_transfers(
    rungs: int, common: float, own: float, trend: float = 0.0, studies: int = STUDIES
) -> list[tuple[float, float]]:
    """Rate error and regret of a rule that is off by `trend` decades, its base by `common`."""
    rng = np.random.default_rng(20)
    rates = np.logspace(-3, 0.5, 15)
    (some,) = find_optima(rates, (1 + np.log10(rates)[None, :, None] ** 2).repeat(2, 2), 9.0)
    hits = np.zeros((2, 2))
    for _ in range(studies):
        off_D = trend + common * rng.standard_normal(1) + own * rng.standard_normal(rungs)
        error = common * math.sqrt(rng.chisquare(10) / 10)
        base = replace(some, log10_error=error, freedom=10)
        plain, regret = t_interval(off_D), t_interval(off_D**2)
        widened = widen_regret(
            *(regret, off_D**2, np.zeros(rungs), partial(square, off_D)),
            describe_base_error(base, *measure_scatter(off_D)),
        )
        truth = trend**2 + common**2 + own**2
        hits[0] += plain.contains(trend), add_base_error(plain, off_D, error, base).contains(trend)
        hits[1] += regret.contains(truth), widened.contains(truth)
    return [(float(a), float(b)) for a, b in hits / studies]


def cover_excess(common: float, trend: float, studies: int = STUDIES) -> list[tuple[float, float]]:
    """Mean loss over four rungs that are no sample: 3 seeds, and a base off by `common` decades."""
    rng = np.random.default_rng(24)
    rates = np.logspace(-3, 0.5, 15)
    (some,) = find_optima(rates, (1 + np.log10(rates)[None, :, None] ** 2).repeat(2, 2), 9.0)
    own_D = trend + np.array([-0.05, 0.05, 0.1, -0.1])
    truth = float((own_D**2).mean()) + common**2
    hits = np.zeros(2)
    for _ in range(studies):
        off_D = own_D + common * rng.standard_normal()
        error = common * math.sqrt(rng.chisquare(10) / 10)
        base = replace(some, log10_error=error, freedom=10)
        loss = t_interval((off_D**2).mean() + 0.002 * rng.standard_normal(3))
        widened = widen_sides(loss, bound_moves(partial(square, off_D), base))
        hits += loss.contains(truth), widened.contains(truth)
    return [(float(hits[0] / studies), float(hits[1] / studies))]


def square(off_D: np.ndarray, shift_N: np.ndarray) -> np.ndarray:
    """The mean regret where the loss is the squared distance in decades."""
    return np.asarray(((off_D[:, None] + shift_N) ** 2).mean(axis=0))


def cover_rechosen(
    noise: float, own: float, trend: float, *, studies: int = STUDIES, resamples: int = 60
) -> tuple[float, float]:
    """Regret of a rule that is off by `trend` decades on average, by `own` on each of 4 rungs.

    Three seeds, losses with `noise`; the base rate is chosen from the base rung's own curve. The
    truth is over all base rates that might have been chosen.
    """
    rng = np.random.default_rng(22)
    rates = np.logspace(-3, 0.5, 15)
    log_rates = np.log10(rates)

    def curve(best_D: np.ndarray) -> np.ndarray:
        off = log_rates[None, :, None] - best_D[:, None, None]
        return np.asarray(1 + off**2 + noise * rng.standard_normal((len(best_D), 15, 3)))

    chosen = [
        found.log10_rate.estimate for found in find_optima(rates, curve(np.full(2000, -1.2)), 9.0)
    ]
    truth = float(np.mean((np.array(chosen) + 1.2) ** 2)) + own**2 + trend**2
    hits = np.zeros(2)
    for k in range(studies):
        off_D = np.concatenate([[0.0], trend + own * rng.standard_normal(4)])
        loss_DRS = curve(-1.2 - off_D)
        optima = find_optima(rates, loss_DRS, 9.0)
        trained = 1 + (optima[0].log10_rate.estimate + 1.2 + off_D[1:, None]) ** 2
        measured_DS = trained + noise * rng.standard_normal((4, 3))
        found = measure_rechosen_regret(
            *(rates, loss_DRS, optima, np.ones(5), 9.0),
            measured_DS=measured_DS,
            resamples=resamples,
            seed=k,
        )
        hits += found.rate_fixed.contains(truth), found.rate_rechosen.contains(truth)
    return float(hits[0] / studies), float(hits[1] / studies)


def cover_constants(cells: int, spread: float, plateau: float) -> tuple[float, float]:
    """The gain of tuning and rule together, where `plateau` decades of rates are as good."""
    rng = np.random.default_rng(19)
    log_rate_R = np.linspace(-2, 0.5, 9)
    gain_R = 1 - 3 * (log_rate_R + 0.9) ** 2

    def tune(studies: int) -> np.ndarray:
        at = log_rate_R + 0.55 + spread * rng.standard_normal((studies, cells, 1))
        score = -25 * np.maximum(np.abs(at) - plateau / 2, 0) ** 2
        common = 0.5 * rng.standard_normal((studies, cells, 1, 3))
        return score[..., None] + common + 0.6 * rng.standard_normal((studies, cells, 9, 3))

    truth = float(gain_R[np.argmax(tune(20_000).mean(axis=(1, 3)), axis=1)].mean())
    hits = np.zeros(2)
    for k, score_CRS in enumerate(tune(STUDIES)):
        weights = weigh_constants(score_CRS, draws=1000, seed=k)
        own_A = 1.2 * rng.standard_normal(24)
        noise_A = 0.8 / math.sqrt(3) * rng.standard_normal(24)
        shift_RA = gain_R[:, None] + np.outer(1 + 0.3 * (log_rate_R + 0.9), own_A) + noise_A
        fixed = t_interval(shift_RA[int(np.argmax(score_CRS.mean(axis=(0, 2))))])
        shift_KA = shift_RA[list(weights.kept)]
        error_K = shift_KA.std(axis=1, ddof=1) / math.sqrt(24)
        mixed = mix_constants(weights, shift_KA.mean(axis=1).tolist(), error_K.tolist(), 24)
        hits += fixed.contains(truth), mixed.contains(truth)
    return float(hits[0] / STUDIES), float(hits[1] / STUDIES)


Cover = Callable[[], list[tuple[float, float]]]
"""Simulates: for each of its settings the coverage without and with the source of error."""


def list_settings() -> Iterator[tuple[list[str], Cover]]:
    """Names of settings, and what simulates them."""
    for seeds in (2, 3):
        for common in (0.0, 0.2, 0.3):
            name = f"shift, {seeds} seeds, common effect {common}"
            yield [name], lambda s=seeds, c=common: [cover_shifts(s, c)]  # type: ignore[misc]
    for rungs in (4, 6):
        for common, own in ((0.0, 0.1), (0.1, 0.1), (0.15, 0.1), (0.15, 0.05)):
            for trend in (0.0, 0.1, 0.3):
                setting = f"{rungs} rungs, base off by {common}, each by {own}"
                setting += f", all by {trend}" if trend else ""
                names = [f"{name}, {setting}" for name in ("rate error", "regret")]
                yield names, partial(cover_transfers, rungs, common, own, trend)
    for trend in (0.0, 0.1, 0.3):
        name = f"excess loss, base off by 0.1, all by {trend}"
        yield [name], partial(cover_excess, 0.1, trend)
    for case in RECHOSEN_CASES:
        noise, own, trend = case
        name = f"regret, base re-chosen; noise {noise}, each off by {own}, all by {trend}"
        yield [name], lambda case=case: [cover_rechosen(*case)]  # type: ignore[misc]
    for cells, spread in ((1, 0.0), (5, 0.0), (5, 0.15)):
        for plateau in (0.0, 0.5, 0.9):
            name = f"tuned rule, {cells} base cells {spread} apart, plateau {plateau}"
            given = (cells, spread, plateau)
            yield [name], lambda given=given: [cover_constants(*given)]  # type: ignore[misc]


def format_row(setting: str, before: float, after: float) -> str:
    """A row as it is printed."""
    return f"{setting:68} {before:.3f}  {after:.3f}"


def main() -> None:
    """Print the table."""
    print(f"{'setting':68} before  after")
    for names, cover in list_settings():
        for name, (before, after) in zip(names, cover(), strict=True):
            print(format_row(name, before, after))


if __name__ == "__main__":
    main()
