"""A figure's drawing: from its table and its plot to inline SVG. Equal tables give equal bytes."""

from __future__ import annotations

from typing import Final

import numpy as np

from benchmark.findings.content import Figure, Table, TableCell, format_number, make_slug
from benchmark.findings.plots import Curves, Forest, HeatMap
from benchmark.report.drawing.canvas import NARROW, WIDTH, Canvas, Rectangle, sns, use_page_style
from benchmark.report.drawing.curves import Drawn, draw_curves, find_drawn
from benchmark.report.drawing.inline_svg import SERIES, TIP, Frame, Tips, render_svg
from benchmark.report.drawing.palette import GRID, INK, Palette

ANNOTATED: Final = 12
"""Rows of a heat map up to which every square has its number."""
SQUARES: Final = 1000
"""Squares of a heat map above which they become an embedded bitmap."""


def has_nothing_to_draw(figure: Figure) -> bool:
    """Whether no number of the figure can be drawn: a sentence says it better than empty axes."""
    data, plot = figure.data, figure.plot
    if isinstance(plot, Curves):
        return not (data.rows and find_drawn(data, plot).any())
    if isinstance(plot, Forest):
        return not any(is_finite(row[2]) for row in data.rows)
    return not any(is_finite(value) for row in data.rows for value in row[1:])


def is_finite(value: TableCell) -> bool:
    """Whether a cell of a table is a finite number."""
    return isinstance(value, int | float) and bool(np.isfinite(value))


def draw_figure(figure: Figure, palette: Palette, width: float = WIDTH, prefix: str = "") -> str:
    """The ``<svg>`` element of a figure, ``width`` inches wide; empty where there is nothing to
    draw. The drawing for a phone (``NARROW``) has ids of its own and no tooltips.

    Ids begin with ``prefix``, which no other drawing of the page may have (default: the name).
    """
    if has_nothing_to_draw(figure):
        return ""
    plot = figure.plot
    with use_page_style():
        if isinstance(plot, Curves):
            canvas, tips = draw_curves(figure.data, plot, palette, width)
        elif isinstance(plot, Forest):
            canvas, tips = draw_forest(figure.data, plot, palette, width)
        else:
            canvas, tips = draw_heat_map(figure.data, plot, width)
        name, finding = figure.name, figure.finding
        if width == NARROW:
            name, tips = f"{name}-narrow", [Tips(()) for _ in tips]
            finding = "Drawn for a narrow screen; the caption says what it shows."
        shown = {}
        if isinstance(plot, Curves) and any(each.points for each in tips):
            shown = dict(zip(("data-x", "data-y"), plot.axes_hue, strict=False))
        frame = Frame(name, figure.data.title, finding, prefix or name, shown)
        return render_svg(canvas, frame, tips)


def draw_forest(data: Table, plot: Forest, palette: Palette, width: float) -> Drawn:
    """A line per row: estimate and interval; what is not finite has its row and no mark."""
    canvas = Canvas(figsize=(width, 0.27 * len(data.rows) + 0.9), layout="constrained")
    axes = canvas.subplots()
    axes.grid(axis="y", visible=False)
    for place in plot.at:
        axes.axvline(place, color=INK, linewidth=1, linestyle=":")
    labels = [", ".join(filter(None, map(str, row[:2]))) for row in data.rows]
    looks = palette.find_looks((str(row[0]) for row in data.rows), {})
    tips: list[Tips] = []
    for row, values in enumerate(data.rows):
        look = looks[str(values[0])]
        estimate, low, high = (float(value) for value in values[2:5])  # type: ignore[arg-type]
        if not np.isfinite(estimate):
            continue
        bounded = bool(np.isfinite([low, high]).all())
        if bounded:
            bar = axes.hlines(row, low, high, color=look.color, linewidth=1.6)
            bar.set_gid(f"{SERIES}{make_slug(str(values[0]))}")
        fill = look.color if bounded else "none"
        (point,) = axes.plot(estimate, row, look.marker, color=look.color, mfc=fill)
        point.set(markersize=5.5, gid=f"{TIP}{len(tips)}{SERIES}{make_slug(str(values[0]))}")
        bounds = f"[{format_number(low)}, {format_number(high)}]"
        tips.append(Tips([f"{labels[row]}: {format_number(estimate)} {bounds}"]))
    axes.set_yticks(range(len(labels)), labels, fontsize=9 if width == WIDTH else 7.5)
    axes.set_ylim(len(labels) - 0.4, -0.6)
    canvas.supxlabel(plot.x_label, fontsize=9 if width == WIDTH else 8)
    return canvas, tips


def draw_heat_map(data: Table, plot: HeatMap, width: float) -> Drawn:
    """A colored square per number; annotated while there is room."""
    labels = data.columns[1:]
    values_MM = np.array([row[1:] for row in data.rows], dtype=float)
    side = min(width, 0.52 * len(labels) + 2.2)
    scale = side / min(WIDTH, 0.52 * len(labels) + 2.2)
    canvas = Canvas(figsize=(side + 0.7 * scale, side * 0.82), layout="constrained")
    axes = canvas.subplots()
    axes.grid(visible=False)
    sns.heatmap(
        values_MM,
        ax=axes,
        cmap="cividis",
        vmin=min(0.0, float(np.nanmin(values_MM))),
        vmax=1,
        square=True,
        annot=len(labels) <= ANNOTATED,
        fmt=".2f",
        annot_kws={"fontsize": 7.5 * scale},
        cbar_kws={"label": plot.bar, "shrink": 0.8},
        rasterized=values_MM.size > SQUARES,
    )
    for place in range(len(labels) if len(labels) > 1 else 0):  # a ranking with itself: always 1
        axes.add_patch(Rectangle((place, place), 1, 1, facecolor=GRID, edgecolor="none", zorder=2))
    for place in range(0, len(axes.texts), len(labels) + 1):
        axes.texts[place].set_color(INK)
    places = np.arange(len(labels)) + 0.5
    small, steep = (9 * scale**0.5, 40) if len(labels) <= ANNOTATED else (7 * scale, 90)
    axes.set_yticks(places, labels, rotation=0, fontsize=small)
    axes.set_xticks(places, labels, rotation=steep, fontsize=small)
    for text in axes.get_xticklabels():
        text.set(ha="right", va="center", rotation_mode="anchor")
    axes.tick_params(length=0)
    axes.collections[0].set_gid(f"{TIP}0")
    told = [
        f"{row}; {column}: {format_number(value)}"
        for row, values in zip(labels, values_MM.tolist(), strict=True)
        for column, value in zip(labels, values, strict=True)
    ]
    return canvas, [Tips(told)]
