"""Laws of the best rate, on planted optima: each is told in its own unit and in no other."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from benchmark.analysis.ladders.optimum import Optimum, find_optima
from benchmark.findings.ladders.laws import (
    BLOCKS,
    LAYERS,
    RESIDUAL,
    fit_profiles,
    judge_laws,
    tabulate_local_exponents,
)

K = np.array([1.0, 2, 4, 8, 16])
DEEPER = np.array([1.0, 2, 4, 8, 16, 32, 64])


def count(blocks_D: np.ndarray) -> dict[str, np.ndarray]:
    """Depth in every unit."""
    return {LAYERS: blocks_D + 2, BLOCKS: blocks_D, RESIDUAL: blocks_D}


def plant(best_D: np.ndarray, seed: int, seeds: int = 3) -> tuple[Optimum, ...]:
    """Optima of parabolas in log rate around ``best_D``, with some noise of seeds."""
    rate_R = np.geomspace(1e-4, 10, 26)
    rng = np.random.default_rng(seed)
    shift_DS = np.log10(best_D)[:, None] + 0.03 * rng.normal(size=(len(best_D), seeds))
    loss_DRS = 0.3 + (np.log10(rate_R)[None, :, None] - shift_DS[:, None, :]) ** 2
    return find_optima(rate_R, np.minimum(loss_DRS, 2.3), 2.303)


def answer(best_D: np.ndarray, blocks_D: np.ndarray = K) -> dict[str, Counter[str]]:
    """How often each law got which answer, over 20 draws of seeds."""
    found: dict[str, Counter[str]] = {}
    units = count(blocks_D)
    for seed in range(20):
        profiles = {"he": fit_profiles(units, plant(best_D, seed))}
        for verdict in judge_laws("nets", profiles, units):
            found.setdefault(verdict.topic, Counter())[verdict.answer] += 1
    return found


def test_one_over_blocks_does_not_pass_for_minus_three_halves() -> None:
    """A line through K^-1 against K + 2 says about -3/2 on K = 1 to 16; no verdict may."""
    found = answer(0.5 / K)
    assert found["Best rate ~ depth^−3/2"]["yes"] == 0
    assert found["Best rate ~ blocks^−3/2"]["yes"] == 0
    assert found["Best rate ~ blocks^−1"]["yes"] >= 15


def test_minus_three_halves_of_layers_is_told_where_the_ladder_is_deep_enough() -> None:
    """On K = 1 to 16 a line says -1 in blocks as well, so nothing can be told."""
    shallow = answer((K + 2) ** -1.5)
    assert shallow["Best rate ~ depth^−3/2"]["undetermined"] >= 10
    assert shallow["Best rate ~ depth^−3/2"]["no"] <= 4
    assert shallow["Best rate ~ blocks^−3/2"]["yes"] == 0
    found = answer((DEEPER + 2) ** -1.5, DEEPER)
    assert found["Best rate ~ depth^−3/2"]["yes"] >= 15
    assert found["Best rate ~ blocks^−1"]["yes"] == 0


def test_minus_three_halves_of_blocks_is_told_in_blocks() -> None:
    found = answer(0.5 * K**-1.5)
    assert found["Best rate ~ blocks^−3/2"]["yes"] >= 15
    assert found["Best rate ~ blocks^−1"]["yes"] == 0


@pytest.mark.parametrize("rungs", [0, 1, 2])
def test_too_few_rungs_are_undetermined_and_said_so(rungs: int) -> None:
    units = {unit: depth_D[:rungs] for unit, depth_D in count(K).items()}
    optima = plant(0.5 / K, 0)[:rungs]
    profiles = {"he": fit_profiles(units, optima)}
    told = list(judge_laws("nets", profiles, units))
    assert {verdict.answer for verdict in told} == {"undetermined"}
    assert all("fewer than 3 usable rungs" in verdict.why for verdict in told)
    assert [table.rows for table in tabulate_local_exponents(profiles)] == [[], []]
