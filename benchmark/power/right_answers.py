"""The right answer to every question about planted rows, from the truth and not from the rows.

Shapes: D rungs.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from benchmark import rules
from benchmark.analysis.thresholds import ACCURACY_MARGIN, LOSS_MARGIN, TAU_MARGIN, Answer
from benchmark.findings.ladders import transfer
from benchmark.findings.ladders.laws import LAWS, Law, count_units
from benchmark.findings.updates import updates_part
from benchmark.findings.verdict import Verdict
from benchmark.power.noise import Noise, NoiseSource
from benchmark.power.planted_truth import (
    Truth,
    describe,
    find_loss,
    find_relative_rate,
    guessing_loss,
)
from benchmark.rules.grammar.rule import Control
from benchmark.study.unit import Unit

EXACT: Final = 1e-6
"""Rates are a power of depth where their logarithms lie within this of a straight line."""


def find_right_answer(
    part: Mapping[str, Any],
    grid: Sequence[Unit],
    base: str,
    truth: Truth,
    noise: NoiseSource,
    verdict: Verdict,
) -> Answer | None:
    """Yes or no; None where neither is right, for the rates are no power in the law's unit.

    Args:
        part: as the manifest has it.
        grid: a depth part's units, one a rung, the base first.
        base: the part's first architecture.
        noise: what was planted around the truth.
    """
    if verdict.topic == updates_part.TOPIC:
        return say(truth.growth == 0)
    if part["kind"] == "rank":
        return answer_of_gain(truth, noise.typical, verdict)
    if verdict.topic == transfer.TOPIC:
        return say(measure_excess(grid, base, truth, noise, verdict.rule) < LOSS_MARGIN)
    (law,) = (law for law in LAWS if law.topic == verdict.topic)
    return answer_of_law(part, grid, base, truth, law)


def say(holds: bool) -> Answer:
    """Yes or no."""
    return "yes" if holds else "no"


def answer_of_gain(truth: Truth, noise: Noise, verdict: Verdict) -> Answer:
    """Whether a rule's gain moves accuracies, or the ranking, by more than the margin."""
    gain = 0.0 if isinstance(rules.rule(verdict.rule), Control) else truth.gain
    if verdict.topic == "Ranking changes":
        return say(measure_rank_change(gain, noise) > TAU_MARGIN)
    return say(gain > ACCURACY_MARGIN)


def measure_rank_change(gain: float, noise: Noise) -> float:
    """Delta, the fall of tau beyond seed noise, of gains with a spread of their own size.

    All accuracies are normal, so tau is 2/pi asin(correlation) (Greiner).
    """
    spread, seeds = noise.spread**2, noise.accuracy**2
    moved = spread + gain**2

    def tau(correlation: float) -> float:
        return 2 / math.pi * math.asin(correlation)

    ceiling = (tau(spread / (spread + seeds)) + tau(moved / (moved + seeds))) / 2
    return ceiling - tau(spread / math.sqrt((spread + seeds) * (moved + seeds)))


def measure_excess(
    grid: Sequence[Unit], base: str, truth: Truth, noise: NoiseSource, rule: str
) -> float:
    """A rule's loss above the lowest, its mean over rungs and seeds, in losses of guessing.

    Its constant is the one that is best on the base rung.
    """
    chance = guessing_loss(grid[0].dataset_name)
    first = {each.seed: each.lr_multiplier for each in grid[0].replicas if each.rule == rule}
    lost = []
    for unit in grid:
        relative = find_relative_rate(unit, base, truth)
        own = {each.seed: each.lr_multiplier for each in unit.replicas if each.rule == rule}
        for seed, multiplier in own.items():
            distance = math.log10(multiplier / first[seed] / relative)
            around = noise.find(unit)
            loss = find_loss(around, distance) if distance <= around.stable else chance
            lost.append(min(loss, chance) - min(around.lowest, chance))
    return float(np.mean(lost)) / chance


def answer_of_law(
    part: Mapping[str, Any], grid: Sequence[Unit], base: str, truth: Truth, law: Law
) -> Answer | None:
    """Whether the planted rates are the law's power of depth, in the law's own unit."""
    rungs = [unit for unit in grid if unit.space_options == grid[0].space_options]
    layers = [
        describe(unit.space, unit.space_options, unit.architecture).facts["effective_depth"]
        for unit in rungs
    ]
    at = {**part, "options": dict(grid[0].space_options)}
    units = count_units(
        at, [unit.architecture for unit in rungs], np.array(layers, dtype=np.float64)
    )
    depth_D = np.log(units[law.unit])
    rate_D = np.log([find_relative_rate(unit, base, truth) for unit in rungs])
    exponent, level = np.polyfit(depth_D, rate_D, 1)
    if np.abs(exponent * depth_D + level - rate_D).max() > EXACT:
        return None
    return say(abs(float(exponent) - law.exponent) < EXACT)
