"""Rows as training would give them if a law held: what a study has to find.

The noise around it is that of a pilot or of the committed studies (``benchmark.power.noise``).
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, Literal, NamedTuple

import numpy as np

from benchmark import rules
from benchmark.datasets import catalog
from benchmark.engine.engine import describe_architecture
from benchmark.power.noise import Noise
from benchmark.rules.grammar.rule import Control
from benchmark.store.formats import schema
from benchmark.study import Depth, Rank, Updates
from benchmark.study.unit import Replica, Unit
from search_spaces.registry import create

BASE_PLACE: Final = 0.75
"""Where on the grid, from its lowest to its highest rate in decades, the base's best rate lies."""
ACCURACY_FALL: Final = 0.1
"""Of a constant a decade away from the best, times the decades squared."""


@dataclass(frozen=True)
class Truth:
    """What holds in planted rows: one of the three numbers counts, by the kind of part.

    Best rates of a depth part fall as depth to the power ``exponent``, counted in ``unit`` (layers
    and additions, or blocks); every rule but controls moves the accuracy of a rank part's
    architectures by ``gain`` on average, with a deviation of as much between them; second moments
    of an updates part grow as depth to the power ``growth`` under every rule.
    """

    name: str
    exponent: float = 0.0
    unit: Literal["layers", "blocks"] = "layers"
    gain: float = 0.0
    growth: float = 0.0


TRUTHS: Final = {
    "depth": (
        Truth("layers^-3/2", exponent=-1.5),
        Truth("blocks^-1", exponent=-1.0, unit="blocks"),
        Truth("no change"),
    ),
    "rank": (Truth("no change"), Truth("+3 points", gain=0.03)),
    "updates": (Truth("no change"), Truth("depth^1", growth=1.0)),
}
"""The truths that are planted in a part, by its kind."""


def plant_rows(
    part: Depth | Rank | Updates, base: str, unit: Unit, truth: Truth, noise: Noise, repeat: int
) -> Iterator[dict[str, Any]]:
    """A planned unit's rows, as they would be if the truth held; ``base`` is the part's first
    architecture."""
    facts = describe(unit.space, unit.space_options, unit.architecture).facts
    plant = choose_outcome(part, base, unit, truth, noise, repeat)
    for replica in unit.replicas:
        yield schema.make_row(unit, replica, facts | plant(replica))


def choose_outcome(
    part: Depth | Rank | Updates, base: str, unit: Unit, truth: Truth, noise: Noise, repeat: int
) -> Callable[[Replica], dict[str, Any]]:
    """What gives the outcome of each of the unit's replicas."""
    depth = describe(unit.space, unit.space_options, unit.architecture).facts["effective_depth"]
    if depth is None:
        return lambda _: {"status": "untrainable"}
    match part:
        case Updates():
            return lambda replica: plant_step(unit, replica, depth, truth, noise, repeat)
        case Rank():
            return lambda replica: plant_accuracy(unit, replica, truth, noise, repeat)
        case Depth():
            relative = find_relative_rate(unit, base, truth)
            return lambda replica: plant_loss(part, unit, replica, relative, noise, repeat)


def find_relative_rate(unit: Unit, base: str, truth: Truth) -> float:
    """The unit's best rate as a multiple of the base architecture's."""
    own, first = (
        describe(unit.space, unit.space_options, architecture)
        for architecture in (unit.architecture, base)
    )
    if truth.unit == "blocks":
        return float((own.blocks / first.blocks) ** truth.exponent)
    layers, start = own.facts["effective_depth"], first.facts["effective_depth"]
    return float((layers / start) ** truth.exponent)


class Description(NamedTuple):
    """The columns that describe an architecture; its residual blocks or, in a chain, layers."""

    facts: dict[str, Any]
    blocks: int


@cache
def describe(space: str, options: tuple[tuple[str, Any], ...], architecture: str) -> Description:
    """What is counted in an architecture."""
    built = create(space, **dict(options))
    facts = describe_architecture(built, architecture)
    blocks = built.topology(architecture).residual_blocks or facts["effective_depth"] or 1
    return Description(facts, blocks)


def draw(*key: object) -> float:
    """A standard normal number of its key."""
    return float(np.random.default_rng(zlib.crc32(repr(key).encode())).normal())


def plant_loss(
    part: Depth, unit: Unit, replica: Replica, relative: float, noise: Noise, repeat: int
) -> dict[str, Any]:
    """A loss by the distance from the best rate, in decades; diverged far beyond it."""
    chance = guessing_loss(unit.dataset_name)
    low, high = (math.log10(rate) for rate in (min(part.rates), max(part.rates)))
    best = low + BASE_PLACE * (high - low) + math.log10(relative)
    distance = math.log10(replica.lr) - best
    if distance > noise.stable:
        return {"status": "diverged", "diverged_step": 3, "steps": 3, "chance_loss": chance}
    key = repeat, unit.architecture, unit.space_options, replica.initialization, replica.seed
    moved = noise.seed * draw(*key) + noise.rate * draw(*key, replica.lr)
    loss = min(find_loss(noise, distance) + moved, chance)
    return finish(chance, loss, 0.9 - 0.1 * loss)


def find_loss(noise: Noise, distance: float) -> float:
    """The mean loss so many decades from the best rate, before it is capped at guessing."""
    return noise.lowest + noise.curvature * distance**2


def plant_accuracy(
    unit: Unit, replica: Replica, truth: Truth, noise: Noise, repeat: int
) -> dict[str, Any]:
    """An accuracy by architecture, rule and seed, lower at constants away from the best."""
    chance = guessing_loss(unit.dataset_name)
    name = unit.architecture
    rule = rules.rule(replica.rule)
    moved = truth.gain * (1 + draw(repeat, name, replica.rule))
    if isinstance(rule, Control) or not rule.tuned:
        moved = 0.0
    off = math.log10(replica.base_lr / 0.3) if rule.tuned else 0.0
    seed = noise.accuracy * draw(repeat, name, replica.rule, replica.base_lr, replica.seed)
    accuracy = 0.6 + noise.spread * draw(repeat, name) + moved - ACCURACY_FALL * off**2 + seed
    accuracy = float(np.clip(accuracy, 0.1, 1.0))
    return finish(chance, chance * (1 - accuracy), accuracy)


def plant_step(
    unit: Unit, replica: Replica, depth: int, truth: Truth, noise: Noise, repeat: int
) -> dict[str, Any]:
    """Second moments of the changes that one step makes at every node, in all of one size."""
    moved = draw(repeat, unit.architecture, unit.space_options, replica.seed)
    size = depth**truth.growth * math.exp(noise.moment * moved - noise.moment**2 / 2)
    moments = [size] * max(1, depth - 1)
    return {"status": "done", "steps": 1, "initial_loss": 2.3, "update_moments": moments}


@cache
def guessing_loss(dataset: str) -> float:
    """The loss of guessing, ln(classes)."""
    return math.log(catalog.load(dataset).classes)


def finish(chance: float, loss: float, accuracy: float) -> dict[str, Any]:
    """The columns of a replica that trained to its end."""
    return {
        "status": "done",
        "steps": 100,
        "chance_loss": chance,
        "initial_loss": chance,
        "train_loss": loss,
        "train_loss_last_tenth": loss,
        "valid_loss": loss,
        "valid_accuracy": accuracy,
        "test_loss": loss,
        "test_accuracy": accuracy,
        "train_loss_curve": [loss],
        "valid_accuracy_curve": [accuracy],
    }
