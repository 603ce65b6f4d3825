"""A whole space as a table: a row per architecture, its depth by every convention, its rates."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pyarrow as pa

from search_spaces.conventions import CONVENTIONS, Convention
from search_spaces.paths import PathStatistics
from search_spaces.show.installed_rules import rule_columns
from search_spaces.space import SearchSpace, Topology

_INT64 = 2**63 - 1


def export(space: SearchSpace) -> pa.Table:
    """A row per architecture in official order.

    Columns: ``index``, ``arch``, ``canonical``, ``trainable``; for every convention
    ``n_paths_C``, ``min_depth_C``, ``max_depth_C`` (null without a path), ``sum_cubes_C`` and
    ``log2_sum_cubes_C`` (null where the sum is 0); ``multiplier_RULE`` for every installed rule
    (null where untrainable). Counts are int64, or decimal strings in a column where one does not
    fit. Every field's metadata names its convention, scope and source.
    """
    names = space.architectures()
    topologies = [space.topology(name) for name in names]
    # Equal graphs share one object: count each once, then spread to the rows.
    unique = {id(topology): topology for topology in topologies}
    place = {key: number for number, key in enumerate(unique)}
    rows = pa.array([place[id(topology)] for topology in topologies], pa.int64())
    fields = [
        pa.field("index", pa.int64()),
        pa.field("arch", pa.string()),
        pa.field("canonical", pa.string()),
        pa.field("trainable", pa.bool_()),
    ]
    columns: list[pa.Array] = [
        pa.array(range(len(names)), pa.int64()),
        pa.array(names, pa.string()),
        pa.array([space.canonical(name) for name in names], pa.string()),
        pa.array([topology.trainable for topology in unique.values()]).take(rows),
    ]
    for convention in CONVENTIONS.values():
        for field, column in _depth(convention, list(unique.values())):
            fields.append(field)
            columns.append(column.take(rows))
    for rule, found in rule_columns(space, names).items():
        metadata = {"convention": found.convention, "base": space.base_architecture}
        fields.append(pa.field(f"multiplier_{rule}", pa.float64(), metadata=metadata))
        columns.append(pa.array(found.multipliers, pa.float64()))
    about = {"space": space.name, "version": str(space.version), "options": repr(space)}
    return pa.table(columns, schema=pa.schema(fields, metadata=about))


def _depth(
    convention: Convention, topologies: Sequence[Topology]
) -> list[tuple[pa.Field, pa.Array]]:
    paths = [convention.statistics(topology) for topology in topologies]
    values: dict[str, pa.Array] = {
        "n_paths": _integers([found.count for found in paths]),
        "min_depth": pa.array([found.min for found in paths], pa.int64()),
        "max_depth": pa.array([found.max for found in paths], pa.int64()),
        "sum_cubes": _integers([found.sum_cubes for found in paths]),
        "log2_sum_cubes": pa.array([_finite_log2(found) for found in paths], pa.float64()),
    }
    metadata = {
        "convention": convention.name,
        "scope": convention.scope,
        "source": convention.source,
    }
    return [
        (pa.field(f"{quantity}_{convention.name}", column.type, metadata=metadata), column)
        for quantity, column in values.items()
    ]


def _finite_log2(paths: PathStatistics) -> float | None:
    log2 = paths.log2_sum_cubes
    return log2 if math.isfinite(log2) else None


def _integers(values: Sequence[int]) -> pa.Array:
    if max(values, default=0) <= _INT64:
        return pa.array(values, pa.int64())
    return pa.array([str(value) for value in values], pa.string())
