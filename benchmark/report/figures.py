"""The drawings: a table of numbers to inline SVG that follows the page's colours.

Text stays text and takes the page's font; ink, grid and the Okabe-Ito colours become CSS variables,
so that one drawing serves light, dark and paper. Equal tables give equal bytes.
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any, Final

import matplotlib as mpl
import numpy as np
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter
from matplotlib.transforms import ScaledTranslation
from numpy.typing import ArrayLike

from benchmark.report.content import Figure, Table, number

INK: Final = "#767671"
GRID: Final = "#c4c4c3"
OKABE_ITO: Final = ("#0072b2", "#d55e00", "#cc79a7", "#009e73", "#e69f00", "#56b4e9", "#f0e442")
COLORS: Final = (INK, *OKABE_ITO)
MARKERS: Final = ("o", "s", "^", "D", "v", "P", "X", "*")
RASTER_ABOVE: Final = 1000
"""Points in a drawing above which they become an embedded bitmap."""
WIDTH: Final = 6.6  # inches; the page scales it

STYLE: Final[dict[Any, Any]] = {
    "font.size": 9,
    "axes.titlesize": 9.5,
    "axes.facecolor": "none",
    "figure.facecolor": "none",
    "axes.grid": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "grid.color": GRID,
    "grid.linewidth": 0.6,
    "legend.frameon": False,
    "svg.fonttype": "none",
    "text.parse_math": False,
    "svg.hashsalt": "report",
    **dict.fromkeys(("text.color", "xtick.color", "ytick.color"), INK),
    **dict.fromkeys(("axes.edgecolor", "axes.labelcolor"), INK),
}

Line = tuple[str, ArrayLike, ArrayLike, str, int]
"""Label, x, y, matplotlib's line style, colour."""
Span = tuple[float, float, float, int]
"""Low, middle, high on the x axis, colour."""


def curves(
    name: str,
    finding: str,
    data: Table,
    axes_hue: tuple[str, str, str],
    colors: Mapping[str, int],
    *,
    panel: str = "",
    bars: tuple[str, str] | None = None,
    line: str = "-",
    log: str = "xy",
    ticks: ArrayLike | None = None,
    level: float | None = None,
    y_max: float = np.inf,
    lines: Sequence[Line] = (),
    spans: Mapping[str, Sequence[Span]] | None = None,
    height: float = 3.2,
) -> Figure:
    """The columns ``axes_hue`` (x, y, what is coloured), axes per ``panel``; vertical ``bars``.

    Rows whose column ``used`` says no are hollow. ``log`` names logarithmic axes; ``level`` draws a
    dotted horizontal, ``spans`` vertical bands by panel; what is not finite or above ``y_max`` is
    not drawn.
    """
    x, y, hue = axes_hue
    records = [dict(zip(data.columns, row, strict=True)) for row in data.rows]
    panels = list(dict.fromkeys(str(r[panel]) for r in records)) if panel else [""]
    columns = min(3, len(panels))
    rows = -(-len(panels) // columns)
    with mpl.rc_context(STYLE):
        canvas = Canvas(figsize=(WIDTH, height * rows + 0.4), layout="constrained")
        grid = canvas.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
        handles: dict[str, Any] = {}
        for axes, title in zip(grid.flat, panels, strict=False):
            axes.set_title(title, loc="left")
            if level is not None:
                axes.axhline(level, color=INK, linewidth=1, linestyle=":")
            for low, middle, high, color in (spans or {}).get(title, ()):
                axes.axvspan(low, high, color=COLORS[color], alpha=0.15, linewidth=0)
                axes.axvline(middle, color=COLORS[color], linewidth=1.2)
            present = [key for key in colors if any(r[hue] == key for r in records)]
            for place, key in enumerate(present):
                aside = 3 * (place - (len(present) - 1) / 2) if bars else 0  # points, so none hides
                move = ScaledTranslation(aside / 72, 0, canvas.dpi_scale_trans)
                for used in ("yes", "no"):
                    points = np.array(
                        [
                            [r[column] for column in (x, y, *(bars or (y, y)))]
                            for r in records
                            if (not panel or r[panel] == title)
                            and (r[hue], r.get("used", "yes")) == (key, used)
                        ],
                        dtype=float,
                    ).reshape(-1, 4)
                    points = points[np.isfinite(points[:, 1]) & (points[:, 1] <= y_max)]
                    if len(points):
                        raster = len(records) > RASTER_ABOVE
                        drawn = draw(axes, points, colors[key], line, used, raster)
                        for artist in drawn:
                            artist.set_transform(artist.get_transform() + move)
                        handles.setdefault(key, drawn[0])
            for label, xs, ys, style, color in lines:
                (drawn,) = axes.plot(xs, ys, style, color=COLORS[color], linewidth=1.2)
                handles.setdefault(label, drawn)
        for place, axes in enumerate(grid.flat):
            axes.set_visible(place < len(panels))
            axes.tick_params(labelbottom=place >= len(panels) - columns)
        for axis in log:
            logarithmic(grid.flat[0], axis, ticks if axis == "x" else None)
        canvas.supxlabel(x, fontsize=9)
        canvas.supylabel(y, fontsize=9)
        handles.pop("", None)
        if len(handles) > 1 and panel != hue:
            shown = (list(handles.values()), list(handles))
            canvas.legend(*shown, loc="outside upper left", ncols=min(4, len(handles)))
        return Figure(name, finding, data, svg(canvas, name, data.title))


def draw(axes: Axes, xylh_N4: Any, color: int, line: str, used: str, raster: bool) -> list[Any]:
    """One series of (x, y, low, high): its line, and its bars where they have a length."""
    x, y, low, high = xylh_N4.T
    paint = COLORS[color]
    drawn = axes.plot(x, y, color=paint, linewidth=1.3, rasterized=raster)
    drawn[0].set(linestyle=line or "none", marker=MARKERS[color], markersize=2 if raster else 4.5)
    drawn[0].set(markerfacecolor=paint if used == "yes" else "none", alpha=0.3 if raster else 1)
    bars = [axes.vlines(x, low, high, color=paint, linewidth=1.1)] if (low < high).any() else []
    return [*drawn, *bars]


def logarithmic(axes: Axes, axis: str, ticks: ArrayLike | None) -> None:
    """A logarithmic axis labelled in plain numbers."""
    getattr(axes, f"set_{axis}scale")("log")
    target = getattr(axes, f"{axis}axis")
    low, high = getattr(axes, f"get_{axis}lim")()
    if ticks is not None:
        target.set_ticks(np.asarray(ticks))
    else:
        subs = (1,) if np.log10(high / low) > 2.2 else (1, 2, 5)
        target.set_major_locator(LogLocator(subs=subs, numticks=8))
    target.set_major_formatter(FuncFormatter(tick))
    target.set_minor_formatter(NullFormatter())


def tick(value: float, _: int) -> str:
    """A tick's label: plain near 1, a power of ten far from it."""
    return f"{value:g}" if 1e-3 <= value < 1e5 else number(float(f"{value:.0e}"), 1)


def forest(
    name: str,
    finding: str,
    data: Table,
    colors: Mapping[str, int],
    x_label: str,
    at: Sequence[float] = (0.0,),
) -> Figure:
    """A table of ``content.intervals``, a line each; dotted verticals ``at``."""
    with mpl.rc_context(STYLE):
        canvas = Canvas(figsize=(WIDTH, 0.27 * len(data.rows) + 0.9), layout="constrained")
        axes = canvas.subplots()
        axes.grid(axis="y", visible=False)
        for place in at:
            axes.axvline(place, color=INK, linewidth=1, linestyle=":")
        for row, values in enumerate(data.rows):
            color = colors[str(values[0])]
            estimate, low, high = (float(value) for value in values[2:5])  # type: ignore[arg-type]
            axes.hlines(row, low, high, color=COLORS[color], linewidth=1.6)
            fill = COLORS[color] if low == low else "none"
            axes.plot(estimate, row, MARKERS[color], color=COLORS[color], mfc=fill, markersize=5.5)
        labels = [", ".join(filter(None, map(str, row[:2]))) for row in data.rows]
        axes.set_yticks(range(len(labels)), labels)
        axes.set_ylim(len(labels) - 0.4, -0.6)
        axes.set_xlabel(x_label)
        return Figure(name, finding, data, svg(canvas, name, data.title))


def heat_map(name: str, finding: str, data: Table, bar: str) -> Figure:
    """A square of numbers under its labels; annotated while there is room."""
    labels, values_MM = data.columns[1:], np.array([row[1:] for row in data.rows], dtype=float)
    side = min(WIDTH, 0.52 * len(labels) + 2.2)
    look = {"cmap": "cividis", "square": True, "cbar_kws": {"label": bar, "shrink": 0.8}}
    with mpl.rc_context(STYLE | {"axes.grid": False}):
        canvas = Canvas(figsize=(side + 0.7, side * 0.82), layout="constrained")
        axes = canvas.subplots()
        sns.heatmap(
            values_MM,
            ax=axes,
            vmin=min(0.0, float(np.nanmin(values_MM))),
            vmax=1,
            annot=len(labels) <= 12,
            fmt=".2f",
            annot_kws={"fontsize": 7.5},
            rasterized=values_MM.size > RASTER_ABOVE,
            **look,
        )
        places = np.arange(len(labels)) + 0.5
        axes.set_yticks(places, labels, rotation=0)
        axes.set_xticks(places, labels, rotation=40, ha="right", rotation_mode="anchor")
        axes.tick_params(length=0)
        return Figure(name, finding, data, svg(canvas, name, data.title))


def svg(canvas: Canvas, name: str, title: str) -> str:
    """The drawing as an ``<svg>`` element: ids of its own, colours of the page."""
    buffer = io.StringIO()
    canvas.savefig(buffer, format="svg", metadata={"Date": None}, dpi=110)
    text = buffer.getvalue()
    text = text[text.index("<svg") :].replace("xlink:href", "href")
    text = re.sub(r"<metadata>.*?</metadata>|<style.*?</style>|<!--.*?-->", "", text, flags=re.S)
    used = set(re.findall(r'(?:href="|url\()#([^")]+)', text))
    text = re.sub(r' id="([^"]+)"', lambda own: own[0] if own[1] in used else "", text)
    text = re.sub(r'( id="|href="#|url\(#)', rf"\1{name}-", text)
    text = re.sub(r"font: ?([\d.]+px)[^;\"]*|font-family:[^;\"]*;?", font, text)
    text = re.sub(r"(\d\.\d\d)\d{3,}", r"\1", text)
    for index, color in enumerate(OKABE_ITO, start=1):
        text = text.replace(color, f"var(--c{index})")
    text = text.replace(INK, "var(--ink)").replace(GRID, "var(--grid)")
    head = f'<svg role="img" aria-labelledby="{name}-title"\\1><title id="{name}-title">'
    text = re.sub(r"<svg([^>]*)>", head + escape(title) + "</title>", text, count=1)
    return re.sub(r"\s*\n\s*", "\n", text)


def font(match: re.Match[str]) -> str:
    """The size of a text without its family, which the page sets."""
    return f"font-size: {match[1]}" if match[1] else ""
