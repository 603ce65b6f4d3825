"""How far a step moves the layers in the course of training, at the best rate of every rung.

Rules fix the size of the first step; this shows whether it stays what it was (the recipe's
``update_every``).

Shapes: T measured steps, L layers, S seeds.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from benchmark.analysis.intervals import Array
from benchmark.findings.arrays import read_first
from benchmark.findings.content import Figure, Table, TableCell, format_number, make_slug
from benchmark.findings.ladders.arrays.drawn_rungs import name_series
from benchmark.findings.ladders.arrays.ladder_arrays import DepthArrays
from benchmark.findings.plots import Curves
from benchmark.study.stage import GRID, NEIGHBORS

STEP = "steps taken, the first being 1"
SIZE = "E[Δz²] / that of the first step"


def draw_update_curves(ladder: DepthArrays, table: pa.Table) -> tuple[Figure, ...]:
    """A line per depth and a panel per initialization; none where nothing was measured in training.

    The mean over layers of the second moment of a step's change, averaged over seeds, beside that
    of the first measured step.
    """
    if "update_curve" not in table.column_names:
        return ()
    measured = table.filter(
        pc.field("stage").isin([GRID, NEIGHBORS])
        & (pc.field("status") == "done")
        & pc.field("update_curve").is_valid()
    )
    rows: list[tuple[TableCell, ...]] = []
    told = []
    labels = name_series(ladder)
    for scheme, d, rung, optimum in ladder.optima():
        if not measured.num_rows or not optimum.usable:
            continue
        own = measured.filter(
            (pc.field("rule") == scheme.rules[0])
            & (pc.field("architecture") == rung)
            & (pc.field("lr") == optimum.grid_rate)
        )
        size_T = average_curves(own)
        if not size_T.size:
            continue
        steps = next(iter(read_first(own, "architecture", "update_curve_steps").values()))
        rows += [
            (rung, scheme.name, labels[d], step + 1, size, optimum.grid_rate)
            for step, size in zip(steps, size_T.tolist(), strict=True)
        ]
        told.append(f"{rung} ({scheme.name}) {format_number(float(size_T[-1]))}")
    if not rows:
        return ()
    columns = ("rung", "initialization", "depth", STEP, SIZE, "learning rate")
    return (
        Figure(
            make_slug(ladder.name, "update-curves"),
            "The size of single steps in training, at the best rate of the grid; 1 is the first "
            f"step's, which rules fix. At the last step measured: {', '.join(told)}.",
            Table(f"{ladder.name}: how far steps move the layers in training", columns, rows),
            Curves((STEP, SIZE, "depth"), panel="initialization", level=1, ordered=True),
        ),
    )


def average_curves(own: pa.Table) -> Array:
    """The mean over layers and seeds at every measured step, over that of the first step."""
    curves = [
        np.array(seed, dtype=np.float64).mean(axis=1) for seed in own["update_curve"].to_pylist()
    ]
    if not curves or not curves[0].size:
        return np.empty(0)
    mean_T = np.mean(curves, axis=0)
    return np.asarray(mean_T / mean_T[0], dtype=np.float64) if mean_T[0] > 0 else np.empty(0)
