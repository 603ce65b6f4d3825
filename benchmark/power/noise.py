"""How far the seeds of results differ: measured in a pilot, and planted in simulated rows.

Shapes: R rates, S seeds.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Final, cast

import numpy as np
import pandas as pd
import pyarrow.compute as pc

from benchmark.store.results import Results
from benchmark.study.fields import AnyPart
from benchmark.study.stage import GRID, NEIGHBORS, RANK
from benchmark.study.unit import Unit, canonical_json
from search_spaces.errors import InvalidInput

NEAR: Final = 0.75
"""Decades from the best rate within which losses are those of a parabola in the log rate."""
FEWEST_RATES: Final = 3


@dataclass(frozen=True)
class Noise:
    """What surrounds a planted truth.

    Losses are ``lowest`` at the best rate and rise by ``curvature`` for the square of a decade away
    from it; at ``stable`` decades above it training diverges. A seed moves all losses of a network
    together by ``seed``, and each by ``rate`` beyond that. Accuracies of seeds differ by
    ``accuracy``, those of architectures by ``spread``. Second moments of one step differ by a
    factor e^``moment``. All are standard deviations, losses in nats.

    The defaults are medians over the committed studies on digits (docs/power.md).
    """

    lowest: float = 1.3
    curvature: float = 1.5
    stable: float = 0.9
    seed: float = 0.045
    rate: float = 0.13
    accuracy: float = 0.0075
    spread: float = 0.014
    moment: float = 0.65


StoredNetwork = tuple[str, str]
"""A space's options, as its column has them, and an architecture."""
Measurements = dict[StoredNetwork, dict[str, float]]
"""Fields of ``Noise`` by network."""


@dataclass(frozen=True)
class NoiseSource:
    """The noise of every network: its own where a pilot trained it, else the typical one."""

    typical: Noise = Noise()
    by_network: Mapping[StoredNetwork, Noise] = field(default_factory=dict)

    def find(self, unit: Unit) -> Noise:
        """The noise of a unit's rows."""
        network = canonical_json(dict(unit.space_options)), unit.architecture
        return self.by_network.get(network, self.typical)


NoiseOf = Callable[[AnyPart], NoiseSource]


def typical_noise(_: AnyPart) -> NoiseSource:
    """That of the committed studies, whatever the part."""
    return NoiseSource()


def follow_pilot(pilot: Results, parts: Iterable[AnyPart]) -> NoiseOf:
    """The noise of stored results where they have a part of this kind and space, else the typical.

    Raises ``InvalidInput`` where nothing that the pilot trained is of the kind and space of a part.
    """
    found = {part.name: measure_noise(pilot, part) for part in parts}
    if not any(found.values()):
        raise InvalidInput(
            "--pilot: none of its parts is of the kind and space of a part of this study, with "
            "rows to measure; choose results of this job at another scale, or leave it out"
        )
    return lambda part: found[part.name] or NoiseSource()


def measure_noise(pilot: Results, part: AnyPart) -> NoiseSource | None:
    """The noise of the pilot's part of this kind and space; None where it has none.

    A network that the pilot trained gets its own noise, every other the median of the pilot's
    networks. Of several such parts the one of this name is read, else the first.
    """
    alike = [
        each["name"]
        for each in pilot.study["parts"]
        if each["kind"] == part.kind and each["space"] == part.space
    ]
    if not alike:
        return None
    own = pc.field("part") == (part.name if part.name in alike else alike[0])
    measured = MEASURES[part.kind](replace(pilot, table=pilot.table.filter(own)).to_pandas())
    if not measured:
        return None
    typical = Noise(**take_median(list(measured.values())))
    return NoiseSource(
        typical, {network: replace(typical, **own) for network, own in measured.items()}
    )


def measure_losses(rows: pd.DataFrame) -> Measurements:
    """The parabola and the spread of every network that trained, its initializations pooled."""
    grid = rows[rows["stage"].isin((GRID, NEIGHBORS))]
    measured = {
        cast(StoredNetwork, network): [
            found for _, one in own.groupby("initialization") for found in fit_parabola(one)
        ]
        for network, own in grid.groupby(NETWORK)
    }
    return {network: take_median(found) for network, found in measured.items() if found}


def fit_parabola(rows: pd.DataFrame) -> Iterator[dict[str, float]]:
    """The fields of one network and initialization, where its losses are a parabola."""
    done = rows["status"] == "done"
    log_rate = np.log10(rows["lr"].astype(float))
    losses = rows.assign(log_rate=log_rate, loss=rows["train_loss"].where(done)).pivot_table(
        index="log_rate", columns="seed", values="loss", dropna=False
    )
    whole = losses.dropna()
    if whole.shape[0] < FEWEST_RATES or whole.shape[1] < 2:
        return
    mean_R = whole.mean(axis=1)
    best = float(cast(float, mean_R.idxmin()))
    near = whole[np.abs(whole.index - best) <= NEAR]
    if len(near) < FEWEST_RATES or mean_R.min() > 0.9 * rows["chance_loss"].iloc[0]:
        return
    distance_R = np.asarray(near.index, dtype=float) - best
    curvature = float(np.polyfit(distance_R, near.mean(axis=1), 2)[0])
    if curvature <= 0:
        return
    away_RS = near.to_numpy() - near.to_numpy().mean(axis=1, keepdims=True)
    level_S = away_RS.mean(axis=0)
    within = ((away_RS - level_S) ** 2).sum() / ((len(near) - 1) * (whole.shape[1] - 1))
    between = max(float(level_S.var(ddof=1)) - within / len(near), 0.0)
    failed = losses.index[losses.isna().any(axis=1) & (losses.index > best)]
    yield {
        "lowest": float(mean_R.min()),
        "curvature": curvature,
        "seed": math.sqrt(between),
        "rate": math.sqrt(within),
    } | ({"stable": float(failed.min()) - best} if len(failed) else {})


def measure_accuracies(rows: pd.DataFrame) -> Measurements:
    """The spread of seeds, of every network; that of the networks is of all of them."""
    done = rows[(rows["stage"] == RANK) & (rows["status"] == "done")]
    if done.empty:
        return {}
    by_rule = done.groupby([*NETWORK, "rule"])["valid_accuracy"]
    variance = by_rule.var(ddof=1).groupby(NETWORK).mean().dropna()
    spread = float(by_rule.mean().groupby("rule").std(ddof=1).median())
    if not np.isfinite(spread):
        return {}
    return {
        cast(StoredNetwork, network): {"accuracy": math.sqrt(value), "spread": spread}
        for network, value in variance.items()
    }


def measure_moments(rows: pd.DataFrame) -> Measurements:
    """The spread of the logarithm of a step's mean second moment over seeds, of every network."""
    known = rows[rows["update_moments"].notna()]
    size = [float(np.mean(moments)) if len(moments) else 0.0 for moments in known["update_moments"]]
    logarithm = np.log(np.array(size), where=np.array(size) > 0, out=np.full(len(size), np.nan))
    spread = known.assign(size=logarithm).groupby([*NETWORK, "rule"])["size"].std(ddof=1)
    return {
        cast(StoredNetwork, network): {"moment": float(value)}
        for network, value in spread.groupby(NETWORK).median().dropna().items()
    }


def take_median(found: list[dict[str, float]]) -> dict[str, float]:
    """The median of every field over those that have it."""
    return {
        name: float(np.median([each[name] for each in found if name in each]))
        for name in (each.name for each in fields(Noise))
        if any(name in each for each in found)
    }


NETWORK: Final = ["space_options", "architecture"]
MEASURES: Final = {
    "depth": measure_losses,
    "rank": measure_accuracies,
    "updates": measure_moments,
}
"""What is measured in a part, by its kind."""
