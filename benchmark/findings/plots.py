"""How a figure is to be drawn, as data: curves, intervals in rows, or a square of colours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import inf

from numpy.typing import ArrayLike

Line = tuple[str, ArrayLike, ArrayLike, str, int]
"""Label, x, y, style (of matplotlib), colour."""
Span = tuple[float, float, float, int]
"""Low, middle, high on the x axis, colour."""


@dataclass(frozen=True)
class Curves:
    """The columns ``axes_hue`` (x, y, what is coloured), axes per ``panel``; vertical ``bars``.

    Rows whose column ``used`` says no are hollow. ``log`` names logarithmic axes; ``level`` draws a
    dotted horizontal, ``spans`` vertical bands by panel; what is not finite or above ``y_max`` is
    not drawn. ``colors`` are places in the palette.
    """

    axes_hue: tuple[str, str, str]
    colors: Mapping[str, int]
    panel: str = ""
    bars: tuple[str, str] | None = None
    line: str = "-"
    log: str = "xy"
    ticks: ArrayLike | None = None
    level: float | None = None
    y_max: float = inf
    lines: Sequence[Line] = ()
    spans: Mapping[str, Sequence[Span]] = field(default_factory=dict)
    height: float = 3.2


@dataclass(frozen=True)
class Forest:
    """A table of ``content.intervals``, a line each; dotted verticals ``at``."""

    colors: Mapping[str, int]
    x_label: str
    at: Sequence[float] = (0.0,)


@dataclass(frozen=True)
class HeatMap:
    """A square of numbers under its labels; ``bar`` names them."""

    bar: str


Plot = Curves | Forest | HeatMap
