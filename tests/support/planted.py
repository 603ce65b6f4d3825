"""Planted stores: a real plan and the real writer, rows whose truth is known.

One rule, ``helps``, truly moves architectures and raises their accuracy; all others differ from the
default by seed noise alone. The best constant of every rule is 0.3, clearly. Best rates fall as
effective depth to the power -3/2 under every initialization, and one step grows as
rate^2 x depth^3.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmark.datasets import catalog
from benchmark.engine.engine import describe_architecture
from benchmark.plan.planner import plan
from benchmark.power.planted_truth import draw
from benchmark.store.formats import manifest, schema
from benchmark.store.store import Store
from benchmark.study import Depth, Rank, Study, Updates, rate_grid
from benchmark.study.recipe import Recipe
from benchmark.study.unit import Replica, Unit
from search_spaces.registry import create

RULES = ("default", "effective-depth", "path-cubed", "shuffled")
RATES = rate_grid(0.003, 3.0, 10)
PROVENANCE = {
    "versions": {"python": "3.11.2", "torch": "2.15.0"},
    "platform": "planted",
    "processor": "planted",
    "cores": 2,
    "commit": "0" * 40,
    "seconds": 1.0,
    "finished": "2026-01-01T00:00:00+00:00",
}


def study(
    seeds: int = 4,
    sample: int = 24,
    parts: str = "rank depth updates",
    rates: tuple[float, ...] = RATES,
) -> Study:
    """A study of planted numbers with parts of these kinds; ``rates`` is the ladder's grid."""
    common: dict[str, Any] = {"seeds": seeds, "recipe": Recipe(epochs=3)}
    ladder: dict[str, Any] = {
        "space": "resnet",
        "depths": (2, 4, 8, 16, 32),
        "rules": RULES[:3],
    } | common
    cells: dict[str, Any] = {"space": "nasbench201", "sample": sample, "rules": RULES} | common
    cells |= {"sampling": "stratified"}
    every: dict[str, Rank | Depth | Updates] = {
        "rank": Rank(name="cells", rates=RATES, **cells),
        "depth": Depth(name="resnets", rates=rates, **ladder),
        "updates": Updates(name="steps", **ladder),
    }
    return Study(
        name="planted",
        question="Does the page say what was planted in these numbers?",
        parts=tuple(every[part] for part in parts.split()),
    )


def write(
    folder: Path, planned: Study, helps: str = "", leave_out: int = 0, diverges: str = ""
) -> str:
    """Plan and write the study, round by round; the last ``leave_out`` units stay missing, and
    every replica of the rule ``diverges`` (``*``: of every rule) diverges."""
    store = Store.open(str(folder), create=True)
    written: set[str] = set()
    while True:
        stages = plan(planned, store.read)
        units = [unit for stage in stages for unit in stage.units or () if unit.id not in written]
        if not units:
            break
        write_units(store, units, helps, diverges)
        written |= {unit.id for unit in units}
    last = [unit.id for stage in stages for unit in stage.units or ()][len(written) - leave_out :]
    for unit_id in last:
        (folder / "units" / f"{unit_id}.arrow").unlink()
    store.write_manifest(manifest.make_manifest(planned, stages))
    return str(folder)


def write_units(store: Store, units: Sequence[Unit], helps: str, diverges: str = "") -> None:
    """Store every unit's planted rows."""
    for unit in units:
        store.write(unit, list(rows(unit, helps, diverges)), PROVENANCE)


def rows(unit: Unit, helps: str, diverges: str = "") -> Iterator[dict[str, Any]]:
    """A unit's rows, by the planted truth."""
    space = create(unit.space, **dict(unit.space_options))
    facts = describe_architecture(space, unit.architecture)
    outcome = trained if unit.measure == "training" else stepped
    lost = {"status": "diverged", "diverged_step": 1, "steps": 1, "chance_loss": 2.3}
    for replica in unit.replicas:
        found = lost if diverges in (replica.rule, "*") else outcome(unit, replica, facts, helps)
        yield schema.make_row(unit, replica, facts | found)


def trained(unit: Unit, replica: Replica, facts: dict[str, Any], helps: str) -> dict[str, Any]:
    """Accuracy by architecture and rule, loss by distance from the best rate; diverged beyond."""
    if facts["effective_depth"] is None:
        return {"status": "untrainable"}
    name, rule = unit.architecture, replica.rule
    chance = float(np.log(catalog.load(unit.dataset_name).classes))
    best = (
        2.0 * facts["effective_depth"] ** -1.5 * (2 if "residual" in replica.initialization else 1)
    )
    distance = np.log10(replica.lr / best)
    noise = draw(name, replica.initialization, replica.lr, replica.seed)
    if unit.space != "nasbench201" and distance > 1.1:
        return {"status": "diverged", "diverged_step": 3, "steps": 3, "chance_loss": chance}
    moved = 0.08 + 0.08 * draw(name, "moved") if rule == helps else 0.0
    accuracy = 0.7 + 0.08 * draw(name) + moved + 0.01 * draw(name, rule, replica.seed)
    accuracy = float(np.clip(accuracy, 0.1, 1.0))
    loss = float(min(0.4 + 0.6 * distance**2 + 0.01 * noise, chance))
    return {
        "status": "done",
        "steps": 30,
        "chance_loss": chance,
        "initial_loss": chance,
        "train_loss": loss,
        "valid_loss": loss,
        "valid_accuracy": max(0.0, accuracy - 0.3 * abs(float(np.log10(replica.base_lr / 0.3)))),
        "test_loss": loss,
        "test_accuracy": accuracy,
        "train_loss_curve": [chance, 1.2 * loss, loss],
        "valid_accuracy_curve": [0.1, 0.9 * accuracy, accuracy],
    }


def stepped(unit: Unit, replica: Replica, facts: dict[str, Any], helps: str) -> dict[str, Any]:
    """Second moments rate^2 x depth^3, growing along the depth of the network."""
    depth = facts["effective_depth"]
    place = np.arange(1, depth + 1) / depth
    size = replica.lr**2 * depth**3.0 * np.exp(0.2 * draw(unit.architecture, "step", replica.seed))
    moments = size * place**2 / np.mean(place**2)
    return {"status": "done", "steps": 1, "initial_loss": 2.3, "update_moments": moments.tolist()}
