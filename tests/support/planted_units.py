"""Units and rows for tests of what keeps and shows them: made up, and never trained."""

from typing import Any

from benchmark.store import provenance
from benchmark.store.formats import schema
from benchmark.study.recipe import Recipe
from benchmark.study.unit import Unit
from support.replicas import replica


def planted_unit(architecture: str, replicas: int = 3) -> Unit:
    return Unit(
        measure="training",
        space="mlp",
        space_version=1,
        space_options=(("width", 8),),
        architecture=architecture,
        replicas=tuple(replica(0.1, seed) for seed in range(replicas)),
        recipe=Recipe(),
        dataset="digits",
        dataset_checksum="0" * 64,
    )


def planted_rows(unit: Unit, loss: float = 0.5, status: str = "done") -> list[dict[str, Any]]:
    outcome = {"status": status, "train_loss": loss, "train_loss_curve": [2.0, loss]}
    return [schema.make_row(unit, each, outcome) for each in unit.replicas]


def planted_provenance(seconds: float = 1.0) -> dict[str, Any]:
    return provenance.make_record("c0ffee", seconds)


def planted_manifest(units: list[Unit], name: str = "planted") -> dict[str, Any]:
    stage = {"part": "rungs", "kind": "depth", "name": "grid", "expected": len(units)}
    return {
        "format": 1,
        "study": {"name": name, "question": "?", "parts": [{"kind": "depth", "name": "rungs"}]},
        "stages": [stage | {"units": [unit.id for unit in units]}],
    }
