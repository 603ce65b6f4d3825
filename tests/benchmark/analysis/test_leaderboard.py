"""Places of rules over several ladders: planted differences, ties that do not chain, coverage."""

import math

import numpy as np
import pytest

from benchmark.analysis.regret.excess_loss import measure_excess_losses
from benchmark.analysis.regret.leaderboard import rank_rules


def draw(rng: np.random.Generator, means: dict[str, float], seeds: int) -> dict[str, np.ndarray]:
    return {rule: rng.normal(mean, 0.01, seeds) for rule, mean in means.items()}


def test_rules_that_differ_get_places_and_equal_ones_share_one() -> None:
    rng = np.random.default_rng(0)
    means = {"best": 0.1, "same": 0.1, "worse": 0.2, "worst": 0.4}
    excess = {f"ladder {k}": draw(rng, means, 6) for k in range(3)}
    found = {each.rule: each for each in rank_rules(excess)}
    assert {rule: each.rank for rule, each in found.items()} == {
        "best": 1,
        "same": 1,
        "worse": 3,
        "worst": 4,
    }
    first = next(iter(found.values()))
    assert math.isnan(first.p)
    assert found["worse"].p < 0.001
    assert max(found[rule].p for rule in ("best", "same") if rule != first.rule) > 0.05
    assert {each.excess.n for each in found.values()} == {18}


def test_overlaps_do_not_chain() -> None:
    """Each overlaps its neighbor: the third is not the first's equal."""
    base = np.array([-0.02, 0.0, 0.02])
    chain = {name: base + shift for name, shift in (("a", 0.1), ("b", 0.18), ("c", 0.26))}
    found = {each.rule: each for each in rank_rules({"ladder": chain})}
    assert found["b"].excess.low < found["a"].excess.high < found["c"].excess.low
    assert [found[rule].rank for rule in "abc"] == [1, 1, 3]


def test_the_interval_over_ladders_of_unequal_noise_covers() -> None:
    rng = np.random.default_rng(1)
    hits, runs = 0, 2000
    for _ in range(runs):
        ladders = {
            f"{k}": {"rule": rng.normal(k, scale, seeds)}
            for k, (scale, seeds) in enumerate([(1.0, 3), (0.3, 5), (0.1, 2)])
        }
        hits += rank_rules(ladders)[0].excess.contains(1.0)
    assert 0.93 <= hits / runs <= 0.975


def test_a_rule_is_compared_on_the_ladders_of_both_and_one_seed_tells_nothing() -> None:
    rng = np.random.default_rng(2)
    hard = draw(rng, {"a": 0.0, "b": 0.01}, 5)
    easy = draw(rng, {"b": 0.5, "c": 0.0}, 5)
    found = {each.rule: each for each in rank_rules({"hard": hard, "easy": easy})}
    assert {rule: each.ladders for rule, each in found.items()} == {"a": 1, "b": 2, "c": 1}
    assert math.isnan(found["c" if found["a"].rank == 1 and math.isnan(found["a"].p) else "a"].p)
    single = rank_rules({"ladder": {"a": np.array([0.1]), "b": np.array([0.9])}})
    assert [each.rank for each in single] == [1, 1]
    assert single[0].excess.reason == "one seed"


def test_excess_is_over_the_best_rule_of_each_rung_and_divergence_is_guessing() -> None:
    first, second = np.array([[1.0, 1.2], [0.5, 0.5]]), np.array([[0.8, 1.0], [np.inf, 0.7]])
    found = measure_excess_losses({"first": first, "second": second}, 2.0)
    assert found["first"].seeds == pytest.approx([0.1, 0.1])
    assert found["second"].seeds == pytest.approx([0.75, 0.1])
