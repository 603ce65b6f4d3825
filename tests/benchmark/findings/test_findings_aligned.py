"""What is said of optima over a rule's predictions: how far they lie apart, where there are two."""

import re
from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from benchmark.analysis.ladders.optimum import Optimum, find_optima
from benchmark.findings.ladders.aligned_curves import tell_spread
from benchmark.findings.ladders.arrays.drawn_rungs import MOST_DRAWN, choose_drawn, tell_drawn

RATES = np.geomspace(1e-4, 10, 26)
BEST = np.array([0.1, 0.05, 0.0125])


def plant_optima() -> tuple[Optimum, ...]:
    """Of exact parabolas in log rate."""
    loss_DR = 0.3 + (np.log10(RATES)[None, :] - np.log10(BEST)[:, None]) ** 2
    return find_optima(RATES, np.repeat(np.minimum(loss_DR, 2.3)[:, :, None], 3, 2), 2.303)


def test_optima_lie_apart_by_what_the_rule_misses() -> None:
    optima = plant_optima()
    told = tell_spread({"right": (optima, BEST), "constant": (optima, np.full(3, 0.1))})
    factors = dict(re.findall(r"(\w+) (\d+\.\d+)", told.partition(": ")[2]))
    assert float(factors["right"]) == 1
    assert float(factors["constant"]) == 8


def test_one_usable_optimum_is_apart_from_none() -> None:
    first, *others = plant_optima()
    single = (first, *(replace(each, status="untrained") for each in others))
    assert sum(each.usable for each in single) == 1
    assert tell_spread({"constant": (single, np.full(3, 0.1))}) == ""
    told = tell_spread({"constant": (single, BEST), "right": (plant_optima(), BEST)})
    assert "constant" not in told
    assert "right 1.00" in told


@given(st.integers(1, 200))
def test_the_drawn_rungs_run_from_the_shallowest_to_the_deepest(rungs: int) -> None:
    drawn = choose_drawn(rungs)
    assert (drawn[0], drawn[-1]) == (0, rungs - 1)
    assert len(drawn) == len(set(drawn)) == min(rungs, MOST_DRAWN)
    assert sorted(drawn) == drawn
    assert bool(tell_drawn(rungs)) == (len(drawn) < rungs)
