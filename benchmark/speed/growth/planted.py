"""A table of planted ranks of any size, for timing the report: nothing in it was measured."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pyarrow as pa

from benchmark.store.formats import schema
from benchmark.store.formats.manifest import make_manifest
from benchmark.store.formats.unit_rows import Collection
from benchmark.store.results import Results
from benchmark.study import Rank, Study
from benchmark.study.stage import Stage
from search_spaces.nasbench201.cell import official_order, write

RULES: Final = (
    "default",
    "effective-depth",
    "path-cubed",
    "shuffled",
    "path-cubed:rate-only",
    "tuned-constant",
    "geometric-mean",
    "effective-depth:rate-only",
)
ORIGIN: Final = {
    "versions": {},
    "commit": "0" * 40,
    "platform": "planted",
    "processor": "planted",
    "cores": 1,
    "seconds": 0.0,
    "finished": "2026-01-01T00:00:00+00:00",
}


def results_of(architectures: int = 15_625, rules: int = 8, seeds: int = 8) -> Results:
    """``architectures`` x ``rules`` x ``seeds`` rows (a million by default) of NAS-Bench-201.

    Every architecture has an accuracy of its own, each rule moves it a little (path-cubed the
    most), and seeds scatter by a point.
    """
    generator = np.random.default_rng(0)
    names = RULES[:rules]
    shape = architectures, rules, seeds
    own_ARS = 0.7 + 0.1 * generator.standard_normal((architectures, 1, 1))
    moved_ARS = (
        generator.standard_normal((architectures, rules, 1))
        * np.where(np.char.startswith(names, "path"), 0.02, 0.002)[:, None]
    )
    accuracy_ARS = own_ARS + moved_ARS + 0.01 * generator.standard_normal(shape)
    depth_A = generator.integers(8, 30, architectures)
    a_N, r_N, s_N = (index.ravel() for index in np.indices(shape))
    cells = pa.array([write(cell) for cell in official_order()[:architectures]])
    columns: dict[str, Any] = {
        "unit_id": pa.array([f"{a:064x}" for a in range(architectures)]).take(pa.array(a_N)),
        "measure": "training",
        "space": "nasbench201",
        "space_version": 1,
        "space_options": "{}",
        "architecture": cells.take(pa.array(a_N)),
        "dataset": "digits",
        "rule": pa.array(names).take(pa.array(r_N)),
        "rule_version": 1,
        "convention": "chen2024-cell",
        "initialization": "he",
        "branch_multiplier": 1.0,
        "lr_multiplier": depth_A[a_N] ** -0.5,
        "base_lr": 0.1,
        "lr": 0.1 * depth_A[a_N] ** -0.5,
        "factors": "{}",
        "seed": s_N,
        "effective_depth": depth_A[a_N],
        "log2_sum_cubes": np.log2(depth_A[a_N]) * 3,
        "convolutions": depth_A[a_N] // 3,
        "parameters": depth_A[a_N] * 1000,
        "status": "done",
        "steps": 100,
        "chance_loss": float(np.log(10)),
        **dict.fromkeys(("train_loss", "valid_loss", "test_loss"), 0.5),
        **dict.fromkeys(("valid_accuracy", "test_accuracy"), accuracy_ARS.ravel().clip(0, 1)),
    }
    rows = [make_column(columns.get(field.name), len(a_N), field.type) for field in schema.SCHEMA]
    ids = tuple(f"{a:064x}" for a in range(architectures))
    units = Collection(
        pa.table(rows, schema=schema.SCHEMA), dict.fromkeys(ids, rules * seeds), {ids[0]: ORIGIN}
    )
    stage = Stage("cells", "rank", "rank", ids, architectures)
    part = Rank(name="cells", space="nasbench201", rules=names, seeds=seeds, rates=(0.01, 0.1, 1.0))
    question = "How long does the report of so many rows take?"
    planned = make_manifest(Study(name="planted-ranks", question=question, parts=(part,)), [])
    return Results.of_units("planted", planned["study"], [stage], units)


def make_column(value: Any, rows: int, kind: pa.DataType) -> pa.Array:
    """A column of ``rows`` values, or of one value throughout."""
    if value is None or isinstance(value, str | int | float):
        return pa.repeat(pa.scalar(value, kind), rows)
    return pa.array(value).cast(kind)
