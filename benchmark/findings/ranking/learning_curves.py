"""How the training loss falls from epoch to epoch, under each rule."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from benchmark.findings.content import Figure, Table, TableCell, make_slug
from benchmark.findings.plots import Curves

EPOCH, LOSS = "epoch", "training loss (median)"
QUARTILES = ("lower quartile", "upper quartile")


def draw_learning_curves(name: str, rows: pa.Table) -> tuple[Figure, ...]:
    """The median over replicas that came to their end, with quartiles; none for a single epoch.

    ``rows`` are those of a stage in which every rule trains at the rate that it gives.
    """
    ended = rows.filter(pc.field("status") == "done")
    told: list[tuple[TableCell, ...]] = []
    for rule in dict.fromkeys(ended["rule"].to_pylist()):
        curves = ended.filter(pc.field("rule") == rule)["train_loss_curve"].combine_chunks()
        lengths = set(pc.list_value_length(curves).to_pylist())
        if len(lengths) != 1 or None in lengths or lengths <= {0, 1}:
            continue
        loss_NE = curves.flatten().to_numpy(zero_copy_only=False).reshape(len(curves), -1)
        low_E, middle_E, high_E = np.nanquantile(loss_NE, (0.25, 0.5, 0.75), axis=0).tolist()
        told += [
            (rule, epoch, middle, low, high, len(curves))
            for epoch, (low, middle, high) in enumerate(
                zip(low_E, middle_E, high_E, strict=True), start=1
            )
        ]
    if not told:
        return ()
    lost = len(rows) - len(ended)
    left_out = f" {lost:,} replicas that diverged are left out." if lost else ""
    last = {rule: middle for rule, _, middle, *_ in told}
    least = min(last, key=last.__getitem__)  # type: ignore[arg-type]
    return (
        Figure(
            make_slug(name, "learning"),
            f"Lowest at the end: {least}. Medians over architectures and seeds, the bars from "
            f"quartile to quartile.{left_out}",
            Table(
                f"{name}: training loss by epoch",
                ("rule", EPOCH, LOSS, *QUARTILES, "replicas"),
                told,
            ),
            Curves((EPOCH, LOSS, "rule"), bars=QUARTILES, log="", ticks=choose_ticks(told)),
        ),
    )


def choose_ticks(told: Sequence[Sequence[TableCell]]) -> list[int]:
    """At most six epochs, the first and the last among them."""
    last = max(row[1] for row in told if isinstance(row[1], int))
    return sorted({round(each) for each in np.linspace(1, last, min(last, 6)).tolist()})
