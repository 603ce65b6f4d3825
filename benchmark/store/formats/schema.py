"""The columns of a result: one row per replica.

Only what the training determines is a column, so that two runs of one unit write equal rows; time,
machine and versions travel in the file's metadata (``benchmark.store.provenance``).
"""

from __future__ import annotations

from typing import Any, Final

import pyarrow as pa

from benchmark.study.unit import Replica, Unit, canonical_json

VERSION: Final = 2

SCHEMA: Final = pa.schema(
    [
        # what was trained
        ("unit_id", pa.string()),
        ("measure", pa.string()),
        ("space", pa.string()),
        ("space_version", pa.int32()),
        ("space_options", pa.string()),  # canonical JSON
        ("architecture", pa.string()),
        ("dataset", pa.string()),
        # under which rule
        ("rule", pa.string()),
        ("rule_version", pa.int32()),
        ("convention", pa.string()),
        ("initialization", pa.string()),
        ("branch_multiplier", pa.float64()),
        ("lr_multiplier", pa.float64()),
        ("base_lr", pa.float64()),
        ("lr", pa.float64()),
        ("factors", pa.string()),  # canonical JSON: rate, decay, epsilon of groups
        ("seed", pa.int32()),
        # what the architecture is
        ("effective_depth", pa.int64()),  # wu2026-layers-and-additions, minimum over paths
        ("log2_sum_cubes", pa.float64()),  # chen2024-dag-paper over the network
        ("convolutions", pa.int32()),  # live weighted layers, stem and head left out
        ("parameters", pa.int64()),  # of one replica
        # what came out
        ("status", pa.string()),  # done | diverged | untrainable
        ("diverged_step", pa.int32()),
        ("steps", pa.int32()),
        ("chance_loss", pa.float64()),  # ln(classes)
        ("initial_loss", pa.float64()),
        ("train_loss", pa.float64()),  # mean over the last epoch (of an epoch's length of steps)
        ("train_loss_last_tenth", pa.float64()),  # mean over the last 10% of all steps
        ("valid_loss", pa.float64()),
        ("valid_accuracy", pa.float64()),  # share in [0, 1]
        ("test_loss", pa.float64()),
        ("test_accuracy", pa.float64()),
        ("train_loss_curve", pa.list_(pa.float64())),  # per epoch
        ("valid_accuracy_curve", pa.list_(pa.float64())),
        ("update_moments", pa.list_(pa.float64())),  # E[dz^2] per node, after one step at lr
        ("forward_moments", pa.list_(pa.float64())),  # E[z^2] per node, at initialization
        ("update_curve_steps", pa.list_(pa.int32())),  # steps that were measured in training
        ("update_curve", pa.list_(pa.list_(pa.float64()))),  # E[dz^2] per node, at each of them
    ]
)

COLUMNS: Final = frozenset(SCHEMA.names)


ADDED_IN_2: Final = (
    "train_loss_last_tenth",
    "forward_moments",
    "update_curve_steps",
    "update_curve",
)


def make_row(unit: Unit, replica: Replica, outcome: dict[str, Any]) -> dict[str, Any]:
    """One row of ``SCHEMA``; outcomes that are missing stay null.

    Raises ``ValueError`` for an outcome that no column takes: it would be lost.
    """
    if unknown := outcome.keys() - COLUMNS:
        raise ValueError(
            f"outcomes {', '.join(sorted(unknown))} have no column in "
            "benchmark.store.formats.schema.SCHEMA; correct the name or add the column"
        )
    known = {
        "unit_id": unit.id,
        "measure": unit.measure,
        "space": unit.space,
        "space_version": unit.space_version,
        "space_options": canonical_json(dict(unit.space_options)),
        "architecture": unit.architecture,
        "dataset": unit.dataset,
        "factors": canonical_json(dict(replica.factors)),
        **{name: getattr(replica, name) for name in REPLICA_COLUMNS},
    }
    return {name: outcome.get(name, known.get(name)) for name in SCHEMA.names}


REPLICA_COLUMNS: Final = (
    "rule",
    "rule_version",
    "convention",
    "initialization",
    "branch_multiplier",
    "lr_multiplier",
    "base_lr",
    "lr",
    "seed",
)


ASKED: Final = frozenset(
    {
        "unit_id",
        "measure",
        "space",
        "space_version",
        "space_options",
        "architecture",
        "dataset",
        "factors",
        *REPLICA_COLUMNS,
    }
)
"""The columns that a unit and its replica fill; all others come from the outcome."""


def make_table(rows: list[dict[str, Any]]) -> pa.Table:
    """Rows to an Arrow table of ``SCHEMA``."""
    return pa.Table.from_pylist(rows, schema=SCHEMA)
