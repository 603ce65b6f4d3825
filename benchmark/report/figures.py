"""The drawings: seaborn and matplotlib to inline SVG that follows the page's colours.

Text stays text and takes the page's font; ink, grid and the Okabe-Ito colours become CSS variables,
so that one drawing serves light, dark and paper. Equal inputs give equal bytes.
"""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Any, Final

import matplotlib as mpl
import numpy as np
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from benchmark.analysis.bootstrap import Interval

INK: Final = "#767671"  # replaced by the page's text colour
GRID: Final = "#c4c4c3"
OKABE_ITO: Final = ("#0072b2", "#d55e00", "#cc79a7", "#009e73", "#e69f00", "#56b4e9", "#f0e442")
COLORS: Final = (INK, *OKABE_ITO)
MARKERS: Final = ("o", "s", "^", "D", "v", "P", "X", "*")
RASTER_ABOVE: Final = 1000
"""Points in a drawing from which it becomes an embedded bitmap."""

STYLE: Final[dict[str, Any]] = {
    "font.size": 9,
    "axes.titlesize": 9.5,
    "axes.labelsize": 9,
    "axes.edgecolor": INK,
    "axes.facecolor": "none",
    "figure.facecolor": "none",
    "axes.labelcolor": INK,
    "axes.grid": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "grid.color": GRID,
    "grid.linewidth": 0.6,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "legend.frameon": False,
    "legend.fontsize": 9,
    "svg.fonttype": "none",
    "svg.hashsalt": "report",
    "axes.unicode_minus": True,
}


@dataclass(frozen=True, kw_only=True)
class Series:
    """Points x_N, y_N with optional vertical intervals; ``color`` indexes COLORS and MARKERS."""

    label: str
    x: Sequence[float]
    y: Sequence[float]
    low: Sequence[float] | None = None
    high: Sequence[float] | None = None
    color: int = 0
    line: str = "-"  # matplotlib's style; "" draws the points alone
    marker: bool = True
    hollow: bool = False


@dataclass(frozen=True, kw_only=True)
class Panel:
    """One pair of axes; ``spans`` are (low, middle, high, color) on the x axis."""

    title: str
    series: Sequence[Series]
    spans: Sequence[tuple[float, float, float, int]] = ()


def curves(
    name: str,
    title: str,
    panels: Sequence[Panel],
    x_label: str,
    y_label: str,
    *,
    log: str = "xy",
    columns: int = 2,
    x_ticks: Sequence[float] | None = None,
    height: float = 2.6,
    level: float | None = None,
    legend: bool = True,
) -> str:
    """Panels of lines and points on shared axes.

    ``log`` names the logarithmic axes, ``level`` a height at which a dotted line is drawn.
    """
    columns = min(columns, len(panels))
    rows = -(-len(panels) // columns)
    with mpl.rc_context(STYLE):
        canvas = Canvas(figsize=(6.6, height * rows + 0.4), layout="constrained")
        grid = canvas.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
        handles: dict[str, Any] = {}
        points = sum(len(series.x) for panel in panels for series in panel.series)
        for axes, panel in zip(grid.flat, panels, strict=False):
            axes.set_title(panel.title, loc="left")
            for low, middle, high, color in panel.spans:
                axes.axvspan(low, high, color=COLORS[color], alpha=0.15, linewidth=0)
                axes.axvline(middle, color=COLORS[color], linewidth=1.2)
            if level is not None:
                axes.axhline(level, color=INK, linewidth=1, linestyle=":")
            for series in panel.series:
                handles.setdefault(series.label, draw(axes, series, points > RASTER_ABOVE))
        for axes in grid.flat[len(panels) :]:
            axes.set_visible(False)
        for axis in log:
            logarithmic(grid.flat[0], axis, None if axis == "y" else x_ticks)
        canvas.supxlabel(x_label, fontsize=9)
        canvas.supylabel(y_label, fontsize=9)
        handles.pop("", None)
        if legend and len(handles) > 1:
            canvas.legend(
                list(handles.values()),
                list(handles),
                loc="outside upper left",
                ncols=min(4, len(handles)),
            )
        return svg(canvas, name, title)


def draw(axes: Axes, series: Series, raster: bool) -> Any:
    """One series on its axes; returns the handle of its legend."""
    color = COLORS[series.color]
    x, y = np.asarray(series.x, dtype=float), np.asarray(series.y, dtype=float)
    if series.low is not None and series.high is not None:
        axes.vlines(x, series.low, series.high, color=color, linewidth=1.1, alpha=0.8)
    return axes.plot(
        x,
        y,
        color=color,
        linestyle=series.line or "none",
        linewidth=1.3,
        marker=MARKERS[series.color] if series.marker else "none",
        markersize=4.5 if not raster else 2,
        markerfacecolor="none" if series.hollow else color,
        rasterized=raster,
    )[0]


def logarithmic(axes: Axes, axis: str, ticks: Sequence[float] | None) -> None:
    """A logarithmic axis labelled in plain numbers."""
    getattr(axes, f"set_{axis}scale")("log")
    target = getattr(axes, f"{axis}axis")
    low, high = getattr(axes, f"get_{axis}lim")()
    if ticks is not None:
        target.set_ticks(list(ticks))
    else:
        wide = np.log10(high / low) > 2.2
        target.set_major_locator(LogLocator(subs=(1,) if wide else (1, 2, 5), numticks=8))
    target.set_major_formatter(FuncFormatter(lambda value, _: tick(value)))
    target.set_minor_formatter(NullFormatter())


def tick(value: float) -> str:
    """A tick's label: plain numbers near one, powers of ten beyond."""
    if 1e-3 <= value < 1e5:
        return f"{value:g}"
    mantissa, exponent = f"{value:.0e}".split("e")
    power = str(int(exponent)).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
    return f"10{power}" if mantissa == "1" else f"{mantissa}·10{power}"


def forest(
    name: str,
    title: str,
    rows: Sequence[tuple[str, Interval, int]],
    x_label: str,
    *,
    scale: float = 1.0,
    at: Sequence[float] = (0.0,),
) -> str:
    """Estimates with their intervals, a row each (label, interval, color); lines drawn ``at``."""
    with mpl.rc_context(STYLE):
        canvas = Canvas(figsize=(6.6, 0.27 * len(rows) + 0.9), layout="constrained")
        axes = canvas.subplots()
        axes.grid(axis="y", visible=False)
        for place in at:
            axes.axvline(place, color=INK, linewidth=1, linestyle=":")
        for row, (_, value, color) in enumerate(rows):
            paint = COLORS[color]
            if value.determined:
                axes.hlines(row, value.low * scale, value.high * scale, color=paint, linewidth=1.6)
            fill = paint if value.determined else "none"
            axes.plot(
                value.estimate * scale, row, MARKERS[color], color=paint, mfc=fill, markersize=5.5
            )
        axes.set_yticks(range(len(rows)), [label for label, _, _ in rows])
        axes.set_ylim(len(rows) - 0.4, -0.6)
        axes.set_xlabel(x_label)
        return svg(canvas, name, title)


def heat_map(name: str, title: str, values_MM: np.ndarray, labels: Sequence[str], bar: str) -> str:
    """A square of numbers; annotated while there is room."""
    side = min(6.6, 0.52 * len(labels) + 2.2)
    with mpl.rc_context(STYLE):
        canvas = Canvas(figsize=(side + 0.7, side * 0.82), layout="constrained")
        axes = canvas.subplots()
        low = min(0.0, float(np.nanmin(values_MM)))
        sns.heatmap(
            values_MM,
            ax=axes,
            vmin=low,
            vmax=1,
            cmap="cividis",
            annot=len(labels) <= 12,
            fmt=".2f",
            annot_kws={"fontsize": 7.5},
            xticklabels=labels,
            yticklabels=labels,
            square=True,
            cbar_kws={"label": bar, "shrink": 0.8},
            rasterized=values_MM.size > RASTER_ABOVE,
        )
        axes.grid(visible=False)
        axes.tick_params(length=0)
        axes.set_xticks(axes.get_xticks(), labels, rotation=40, ha="right", rotation_mode="anchor")
        return svg(canvas, name, title)


def svg(canvas: Canvas, name: str, title: str) -> str:
    """The drawing as an ``<svg>`` element whose ids are its own and whose colours are the page's."""
    buffer = io.StringIO()
    canvas.savefig(buffer, format="svg", metadata={"Date": None}, dpi=160)
    text = buffer.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>|<!--.*?-->", "", text, flags=re.DOTALL)
    used = set(re.findall(r'(?:href="|url\()#([^")]+)', text))
    text = re.sub(r' id="([^"]+)"', lambda id_: id_[0] if id_[1] in used else "", text)
    text = re.sub(r' id="', f' id="{name}-', text)
    text = re.sub(r"(\d\.\d\d)\d+", r"\1", text)
    text = re.sub(r"<style.*?</style>", "", text, flags=re.DOTALL)
    text = re.sub(r'(href="|url\()#', rf"\1#{name}-", text).replace("xlink:href", "href")
    text = re.sub(r"font: ?([\d.]+px)[^;\"]*|font-family:[^;\"]*", font, text)
    text = text.replace(INK, "var(--ink)").replace(GRID, "var(--grid)")
    for index, color in enumerate(OKABE_ITO, start=1):
        text = text.replace(color, f"var(--c{index})")
    head = f'<svg role="img" aria-labelledby="{name}-title"'
    titled = f'<title id="{name}-title">{escape(title)}</title>'
    text = re.sub(r"(<svg[^>]*>)", rf"\1{titled}", text, count=1).replace("<svg", head, 1)
    return re.sub(r"\s*\n\s*", "\n", text)


def font(match: re.Match[str]) -> str:
    """The size of a text without its family, which the page sets."""
    return f"font-size: {match[1]}" if match[1] else ""
