"""Rows to arrays: the analyses read architectures x seeds and the like, the table has replicas."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from benchmark.analysis.intervals import Array


def arrange_column(
    table: pa.Table, column: str, axes: Mapping[str, Sequence[Any]], diverged: float | None
) -> Array:
    """A column laid out along ``axes`` (column name -> its values, in order).

    Shape: the lengths of the axes. Diverged replicas read ``diverged`` (None: what they say),
    rows that are missing or untrainable NaN; a row that none of the axes names is left out.
    """
    index = [
        pc.index_in(table[name], pa.array(values, table.schema.field(name).type))
        for name, values in axes.items()
    ]
    value_N = np.array(table[column].to_numpy(zero_copy_only=False), dtype=np.float64)
    for status, value in (("diverged", diverged), ("untrainable", np.nan)):
        if value is None:
            continue
        value_N[pc.equal(table["status"], status).to_numpy()] = value
    place_XN = np.array([pc.fill_null(each, -1).to_numpy() for each in index]).reshape(
        len(axes), table.num_rows
    )
    named_N = (place_XN >= 0).all(axis=0)
    result = np.full([len(values) for values in axes.values()], np.nan)
    result[tuple(place_XN[:, named_N])] = value_N[named_N]
    return result


def arrange_rates(
    own: pa.Table, architectures: Sequence[str], seeds: Sequence[int], column: str = "lr_multiplier"
) -> Array:
    """A rule's rate (or multiplier) by architecture and seed, A x S; A x 1 where seeds share it.

    ``own`` holds one rule's rows. A control may deal every seed a rate of its own. A seed without
    a row reads NaN, unless the architecture's other seeds agree on a rate.
    """
    axes: dict[str, Sequence[Any]] = {"architecture": architectures, "seed": seeds}
    rate_AS = arrange_column(own, column, axes, None)
    first_A = np.array([row[~np.isnan(row)][:1].sum() or np.nan for row in rate_AS])
    shared = np.isnan(rate_AS) | (rate_AS == first_A[:, None])
    return first_A[:, None] if shared.all() else rate_AS


def read_first(table: pa.Table, key: str, column: str) -> dict[Any, Any]:
    """``column`` by ``key``, from each key's first row that has one; keys in the table's order."""
    rows = table.select([key, column]).filter(pc.field(column).is_valid()).combine_chunks()
    coded = rows[key].combine_chunks().dictionary_encode()
    _, first_N = np.unique(coded.indices.to_numpy(), return_index=True)
    return dict(
        zip(coded.dictionary.to_pylist(), rows[column].take(first_N).to_pylist(), strict=True)
    )
