"""Whether an initialization passes a signal on: second moments of pre-activations before any step.

Shapes: L layers, S seeds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from benchmark.analysis.intervals import Array, mean_interval
from benchmark.findings.content import Figure, Table, TableCell, format_number, make_slug
from benchmark.findings.plots import Curves

GROWTH = "E[z²] of the last layer / of the first"


def draw_forward_moments(
    part: str, drawn: Mapping[str, pa.Table], depth: Mapping[str, float]
) -> tuple[Figure, ...]:
    """The growth from the first layer to the last, against depth, a line for every way to draw the
    weights; none where rows of an earlier version have no forward moments.

    Args:
        part: its name.
        drawn: the rows of a rule by what the weights are called.
        depth: effective depth by rung.
    """
    rows: list[tuple[TableCell, ...]] = []
    told = []
    for name, own in drawn.items():
        for rung in sorted(depth, key=depth.__getitem__):
            growth_S = read_growth(own, rung)
            if growth_S.size:
                found = mean_interval(growth_S)
                median = float(np.median(growth_S))
                rows.append(
                    (rung, name, depth[rung], found.estimate, found.low, found.high, median)
                )
        if rows and rows[-1][1] == name:
            told.append(f"{name} {format_number(rows[-1][3])}")
    if not rows:
        return ()
    columns = ("rung", "weights drawn for", "effective depth", GROWTH, "low", "high", "median")
    return (
        Figure(
            make_slug(part, "forward"),
            "At initialization, before any step: where weights keep the second moment the ratio is "
            f"1 at every depth. On the deepest rung: {', '.join(told)}. Means over seeds with "
            "their intervals.",
            Table(f"{part}: second moments of pre-activations at initialization", columns, rows),
            Curves(
                ("effective depth", GROWTH, "weights drawn for"),
                bars=("low", "high"),
                ticks=sorted(set(depth.values())),
                level=1,
            ),
        ),
    )


def read_growth(own: pa.Table, rung: str) -> Array:
    """The last layer's second moment over the first's, by seed; seeds that overflowed are left
    out."""
    there = own.filter(pc.field("architecture") == rung)
    moments: Sequence[Sequence[float] | None] = (
        there["forward_moments"].to_pylist() if "forward_moments" in there.column_names else []
    )
    growth_S = np.array([each[-1] / each[0] for each in moments if each and each[0]])
    return np.asarray(growth_S[np.isfinite(growth_S)], dtype=np.float64)
