"""Which rungs have a line or a panel of their own in figures, and what their lines are called."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from benchmark.findings.ladders.arrays.ladder_arrays import DepthArrays

MOST_DRAWN: Final = 16
"""Rungs with a line of their own; estimates and tables rest on all."""


def choose_drawn(rungs: int) -> list[int]:
    """The places of the rungs to draw: all, or so many, evenly from first to last."""
    places = np.linspace(0, rungs - 1, min(rungs, MOST_DRAWN)).round()
    return sorted({int(place) for place in places})


def tell_drawn(rungs: int) -> str:
    """A sentence where some are left out; "" where none is."""
    left_out = rungs > MOST_DRAWN
    return f" Drawn are {MOST_DRAWN} of {rungs}, evenly by depth." if left_out else ""


def name_series(ladder: DepthArrays, width_of: Mapping[str, int] | None = None) -> tuple[str, ...]:
    """What each rung's line is called: by its depth, and by its name where several have that."""
    labels = [
        f"depth {depth:g}" + (f", width {width_of[rung]}" if width_of else "")
        for rung, depth in zip(ladder.rungs, ladder.depth_D.tolist(), strict=True)
    ]
    times = Counter(labels)
    return tuple(
        label if times[label] == 1 else f"{label}, {rung}"
        for rung, label in zip(ladder.rungs, labels, strict=True)
    )
