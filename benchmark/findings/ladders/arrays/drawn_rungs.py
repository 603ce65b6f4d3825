"""Which rungs have a line or a panel of their own, where a part has more than a page can show."""

from __future__ import annotations

from typing import Final

import numpy as np

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
