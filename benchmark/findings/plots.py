"""What a figure shows, as data: curves, intervals in rows, or a square of numbers.

Colors, sizes and line styles are the report's own; here a series has a name, and a line a meaning.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import inf
from typing import Literal

from numpy.typing import ArrayLike

Meaning = Literal["fit", "mean", "ceiling", "chance", "identity", "theory"]
"""What a line in a figure stands for; the report draws equal meanings alike."""


@dataclass(frozen=True)
class Line:
    """A line through (x, y); ``series`` is the series that it belongs to, empty for none."""

    label: str
    x: ArrayLike
    y: ArrayLike
    meaning: Meaning
    series: str = ""


@dataclass(frozen=True)
class Span:
    """An interval on the x axis with its middle, and the series that it belongs to."""

    low: float
    middle: float
    high: float
    series: str


@dataclass(frozen=True)
class Mark:
    """A point (x, y) of a series with its interval on the x axis; hollow unless ``used``."""

    x: float
    low: float
    high: float
    y: float
    series: str
    used: bool


@dataclass(frozen=True)
class Curves:
    """The columns ``axes_hue`` (x, y, the series), axes per ``panel``; vertical ``bars``.

    Rows whose column ``used`` says no are hollow. ``joined`` draws a line through the points of a
    series. ``log`` names logarithmic axes; ``level`` draws a horizontal, ``spans`` vertical bands
    by panel; ``upright`` draws a vertical, ``marks`` points with intervals by panel. ``across``
    names the columns of horizontal bars, ``square`` gives both axes one scale, and ``factor``
    shades what lies within it of y = x. What is not
    finite or above ``y_max`` is not drawn. ``rules`` names the rule whose look a series has where
    the series is no rule; ``ordered`` says that the series have an order, which their colors show.
    """

    axes_hue: tuple[str, str, str]
    panel: str = ""
    bars: tuple[str, str] | None = None
    joined: bool = True
    log: str = "xy"
    ticks: ArrayLike | None = None
    level: float | None = None
    y_max: float = inf
    lines: Sequence[Line] = ()
    spans: Mapping[str, Sequence[Span]] = field(default_factory=dict)
    marks: Mapping[str, Sequence[Mark]] = field(default_factory=dict)
    upright: float | None = None
    ordered: bool = False
    rules: Mapping[str, str] = field(default_factory=dict)
    across: tuple[str, str] | None = None
    square: bool = False
    factor: float = 0.0


@dataclass(frozen=True)
class Forest:
    """A table of ``content.tabulate_intervals``, a row each; verticals ``at``."""

    x_label: str
    at: Sequence[float] = (0.0,)


@dataclass(frozen=True)
class HeatMap:
    """A square of numbers under its labels; ``bar`` names them."""

    bar: str


Plot = Curves | Forest | HeatMap
