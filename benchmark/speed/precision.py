"""Whether bfloat16 learns as float32 does here: same weights, rates, seeds and images, paired."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from statistics import mean
from typing import Any, Final

from rich.console import Console
from rich.progress import track

from benchmark.datasets import catalog
from benchmark.engine import engine
from benchmark.speed.networks import MEDIAN
from benchmark.speed.table import SpeedRow
from benchmark.study.recipe import Recipe
from benchmark.study.unit import Replica, Unit
from search_spaces.registry import create

SECTION: Final = "bfloat16 - float32"
DATASET: Final = "digits"
RATES: Final = (0.003, 0.01, 0.03, 0.1, 0.3, 1.0)
SEEDS: Final = 6
RECIPE: Final = Recipe(
    momentum=0.9, nesterov=True, weight_decay=5e-4, schedule="cosine", batch=32, epochs=6
)
OUTCOMES: Final = {
    "loss": ("train_loss", "nats"),
    "test accuracy": ("test_accuracy", "share"),
}
ReplicaRow = dict[str, Any]


@dataclass(frozen=True)
class LearningNetwork:
    """An architecture that learns the digits in both precisions."""

    name: str
    space: str
    options: tuple[tuple[str, Any], ...]
    architecture: str

    def make_unit(self, recipe: Recipe, seeds: int) -> Unit:
        """Every rate with every seed."""
        space = create(self.space, **dict(self.options))
        return Unit(
            measure="training",
            space=self.space,
            space_version=space.version,
            space_options=self.options,
            architecture=space.parse(self.architecture),
            replicas=tuple(Replica.plain(rate, seed) for rate in RATES for seed in range(seeds)),
            recipe=recipe,
            dataset=DATASET,
            dataset_checksum=catalog.load(DATASET).checksum,
        )


NETWORKS: Final = (
    LearningNetwork("MLP, width 64", "mlp", (("width", 64),), "mlp-3"),
    LearningNetwork(
        "ResNet, width 16", "resnet", (("width", 16), ("normalization", "bn")), "resnet-3"
    ),
    LearningNetwork(
        "NAS-Bench-201 median cell, C=16",
        "nasbench201",
        (("channels", 16), ("cells", 1)),
        MEDIAN,
    ),
)


def measure_precision(quick: bool, console: Console) -> list[SpeedRow]:
    """The differences of every network, for ``SEEDS`` seeds; quickly for 2, after an epoch."""
    seeds, recipe = (2, replace(RECIPE, epochs=1)) if quick else (SEEDS, RECIPE)
    rows: list[SpeedRow] = []
    for network in track(NETWORKS, "networks", console=console, transient=True):
        exact, rounded = (
            engine.run(network.make_unit(replace(recipe, precision=precision), seeds))
            for precision in ("float32", "bfloat16")
        )
        rows += compare_rows(network.name, exact, rounded, recipe.batch)
    return rows


def compare_rows(
    name: str, exact: list[ReplicaRow], rounded: list[ReplicaRow], batch: int
) -> Iterator[SpeedRow]:
    """A row for every outcome and rate, with a difference for each seed whose replicas ended well
    in both precisions; and one that says at which rate each seed's loss is least."""
    subject = f"{name}, batch {batch}"
    for rate in sorted({row["lr"] for row in exact}):
        pairs = [
            (one, other)
            for one, other in zip(exact, rounded, strict=True)
            if one["lr"] == rate and {one["status"], other["status"]} == {"done"}
        ]
        diverged = [
            sum(row["lr"] == rate and row["status"] != "done" for row in rows)
            for rows in (exact, rounded)
        ]
        for outcome, (column, unit) in OUTCOMES.items():
            differences = [other[column] - one[column] for one, other in pairs]
            note = f"float32: {mean(one[column] for one, _ in pairs):.4g}" if pairs else ""
            if any(diverged):
                note += f"; diverged {diverged[0]} and {diverged[1]}"
            yield SpeedRow(SECTION, subject, f"{outcome} at {rate:g}", unit, differences, note=note)
    seeds = sorted({row["seed"] for row in exact})
    ratios = [find_best_rate(rounded, seed) / find_best_rate(exact, seed) for seed in seeds]
    yield SpeedRow(SECTION, subject, "best rate over float32's", "", ratios)


def find_best_rate(rows: list[ReplicaRow], seed: int) -> float:
    """The rate of a seed's least training loss; nan where all of its replicas diverged."""
    done = [row for row in rows if row["seed"] == seed and row["status"] == "done"]
    return float(min(done, key=lambda row: float(row["train_loss"]))["lr"]) if done else math.nan
