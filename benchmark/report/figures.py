"""A figure's drawing: from its table and its plot to inline SVG. Equal tables give equal bytes."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Any, Final

import matplotlib as mpl
import numpy as np
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter
from matplotlib.transforms import ScaledTranslation
from numpy.typing import ArrayLike

from benchmark.findings.content import Figure, Table, number
from benchmark.findings.plots import Curves, Forest, HeatMap
from benchmark.report.inline_svg import GRID, INK, OKABE_ITO, svg

COLORS: Final = (INK, *OKABE_ITO)
MARKERS: Final = ("o", "s", "^", "D", "v", "P", "X", "*")
RASTER_ABOVE: Final = 1000
"""Points in a drawing above which they become an embedded bitmap."""
WIDTH: Final = 6.6  # inches; the page scales it
Drawn = tuple[Canvas, Sequence[Sequence[str]]]
"""A drawing, and what the points of each series say."""

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


def draw(figure: Figure) -> str:
    """The ``<svg>`` element of a figure."""
    plot = figure.plot
    with mpl.rc_context(STYLE):
        if isinstance(plot, Curves):
            canvas, tips = curves(figure.data, plot)
        elif isinstance(plot, Forest):
            canvas, tips = forest(figure.data, plot)
        else:
            canvas, tips = heat_map(figure.data, plot)
        return svg(canvas, figure.name, figure.data.title, figure.finding, tips)


def curves(data: Table, plot: Curves) -> Drawn:
    """Points and lines, in axes per panel that share their scales."""
    x, y, hue = plot.axes_hue
    columns = dict(zip(data.columns, map(list, zip(*data.rows, strict=True)), strict=True))
    values_N4 = np.array([columns[c] for c in (x, y, *(plot.bars or (y, y)))], dtype=float).T
    hue_N, used_N = (np.array(columns.get(c, ["yes"] * len(data.rows))) for c in (hue, "used"))
    panel_N = np.array(columns[plot.panel] if plot.panel else [""] * len(data.rows))
    drawn_N = np.isfinite(values_N4[:, 1]) & (values_N4[:, 1] <= plot.y_max)
    raster = len(data.rows) > RASTER_ABOVE
    panels = list(dict.fromkeys(panel_N.tolist()))
    across = min(3, len(panels))
    down = -(-len(panels) // across)
    present = [key for key in plot.colors if (hue_N == key).any()]
    tips: list[list[str]] = []
    canvas = Canvas(figsize=(WIDTH, plot.height * down + 0.4), layout="constrained")
    grid = canvas.subplots(down, across, sharex=True, sharey=True, squeeze=False)
    handles: dict[str, Any] = {}
    for axes, title in zip(grid.flat, panels, strict=False):
        axes.set_title(title, loc="left")
        if plot.level is not None:
            axes.axhline(plot.level, color=INK, linewidth=1, linestyle=":")
        for low, middle, high, color in plot.spans.get(title, ()):
            axes.axvspan(low, high, color=COLORS[color], alpha=0.15, linewidth=0)
            axes.axvline(middle, color=COLORS[color], linewidth=1.2)
        for (place, key), used in product(enumerate(present), ("yes", "no")):
            mine_N = drawn_N & (panel_N == title) & (hue_N == key) & (used_N == used)
            if not mine_N.any():
                continue
            artists = series(axes, values_N4[mine_N], plot.colors[key], plot.line, used, raster)
            aside = 3 * (place - (len(present) - 1) / 2) if plot.bars else 0  # points: none hides
            for artist in artists:
                move = ScaledTranslation(aside / 72, 0, canvas.dpi_scale_trans)
                artist.set_transform(artist.get_transform() + move)
            handles.setdefault(key, artists[0])
            if not raster:
                artists[0].set_gid(f"tip-{len(tips)}")
                tips.append(
                    [tip(data, row, plot.axes_hue) for row in np.flatnonzero(mine_N).tolist()]
                )
        for label, xs, ys, style, color in plot.lines:
            (drawn,) = axes.plot(xs, ys, style, color=COLORS[color], linewidth=1.2)
            handles.setdefault(label, drawn)
    for place, axes in enumerate(grid.flat):
        axes.set_visible(place < len(panels))
        axes.tick_params(labelbottom=place >= len(panels) - across)
    for axis in plot.log:
        logarithmic(grid.flat[0], axis, plot.ticks if axis == "x" else None)
    canvas.supxlabel(x, fontsize=9)
    canvas.supylabel(y, fontsize=9)
    handles.pop("", None)
    if len(handles) > 1 and plot.panel != hue:
        shown = (list(handles.values()), list(handles))
        fitting = int(90 / (8 + max(map(len, handles))))
        canvas.legend(*shown, loc="outside upper left", ncols=max(1, min(4, fitting)))
    return canvas, tips


def tip(data: Table, row: int, columns: Sequence[str]) -> str:
    """What a point's tooltip says: the row's name, its series, x and y."""
    told = []
    for name in dict.fromkeys([data.columns[0], columns[2], *columns[:2]]):
        value = data.rows[row][data.columns.index(name)]
        told.append(value if isinstance(value, str) else f"{name} {number(value)}")
    return ", ".join(told)


def series(axes: Axes, xylh_N4: Any, color: int, line: str, used: str, raster: bool) -> list[Any]:
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


def forest(data: Table, plot: Forest) -> Drawn:
    """A line per row: estimate and interval."""
    canvas = Canvas(figsize=(WIDTH, 0.27 * len(data.rows) + 0.9), layout="constrained")
    axes = canvas.subplots()
    axes.grid(axis="y", visible=False)
    for place in plot.at:
        axes.axvline(place, color=INK, linewidth=1, linestyle=":")
    labels = [", ".join(filter(None, map(str, row[:2]))) for row in data.rows]
    tips = []
    for row, values in enumerate(data.rows):
        color = plot.colors[str(values[0])]
        estimate, low, high = (float(value) for value in values[2:5])  # type: ignore[arg-type]
        axes.hlines(row, low, high, color=COLORS[color], linewidth=1.6)
        fill = COLORS[color] if low == low else "none"
        (point,) = axes.plot(estimate, row, MARKERS[color], color=COLORS[color], mfc=fill)
        point.set(markersize=5.5, gid=f"tip-{row}")
        tips.append([f"{labels[row]}: {number(estimate)} [{number(low)}, {number(high)}]"])
    axes.set_yticks(range(len(labels)), labels)
    axes.set_ylim(len(labels) - 0.4, -0.6)
    axes.set_xlabel(plot.x_label)
    return canvas, tips


def heat_map(data: Table, plot: HeatMap) -> Drawn:
    """A coloured square per number; annotated while there is room."""
    labels, values_MM = data.columns[1:], np.array([row[1:] for row in data.rows], dtype=float)
    side = min(WIDTH, 0.52 * len(labels) + 2.2)
    look = {"cmap": "cividis", "square": True, "cbar_kws": {"label": plot.bar, "shrink": 0.8}}
    canvas = Canvas(figsize=(side + 0.7, side * 0.82), layout="constrained")
    axes = canvas.subplots()
    axes.grid(visible=False)
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
    small, steep = (9, 40) if len(labels) <= 12 else (7, 90)
    axes.set_yticks(places, labels, rotation=0, fontsize=small)
    axes.set_xticks(places, labels, rotation=steep, fontsize=small)
    for text in axes.get_xticklabels():
        text.set(ha="right", va="center", rotation_mode="anchor")
    axes.tick_params(length=0)
    axes.collections[0].set_gid("tip-0")
    tips = [
        f"{row}; {column}: {number(value)}"
        for row, values in zip(labels, values_MM.tolist(), strict=True)
        for column, value in zip(labels, values, strict=True)
    ]
    return canvas, [tips]
