"""Curves: points, lines and bands in axes per panel that share their scales."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from benchmark.findings.content import (
    SUPERSCRIPT,
    Table,
    TableCell,
    format_number,
    make_slug,
)
from benchmark.findings.plots import Curves, Line
from benchmark.report.drawing.canvas import (
    WIDTH,
    Axes,
    Canvas,
    FuncFormatter,
    LogLocator,
    NullFormatter,
    NullLocator,
    ScaledTranslation,
)
from benchmark.report.drawing.inline_svg import SERIES, TIP, Tips
from benchmark.report.drawing.palette import INK, OPTIMUM, Look, Palette, order_looks

RASTER_ABOVE: Final = 5000
"""Points in a drawing above which they become an embedded bitmap."""
TIPS_UP_TO: Final = 2000
"""Points in a drawing up to which each says what it is."""
ACROSS: Final = 3
"""Panels side by side at most."""
HEIGHTS: Final = {1: 3.4, 2: 2.9, 3: 2.9}
"""Inches of a row of axes, by the number of panels; of many panels each is lower."""
MANY: Final = 1.75
ON_A_PHONE: Final = {1: 2.8, 2: 1.9, 3: 1.7}
"""The same where panels stand one above another, in a drawing for a phone."""
LEGEND_ROWS: Final = 3
"""Rows of a legend for which a drawing has room."""
LEGEND_ROW: Final = 0.19
"""Inches of height for each further one."""
LINES: Final = {"fit": "-", "mean": "-", "ceiling": "--", "chance": ":", "identity": ":"}
"""Line styles by meaning; theories take ``THEORIES`` in their order."""
THEORIES: Final = (":", "--", "-.")
POINT_BETWEEN: Final = " · "
"""What stands between the words of a point; the page's script looks for it."""
CROWDED: Final = 1000
"""Points, without lines through them, above which they are small and translucent."""
Drawn = tuple[Canvas, Sequence[Tips]]
"""A drawing, and what the points of each series say."""


def read_column(data: Table, name: str, otherwise: TableCell = None) -> list[TableCell]:
    """A column of a table; ``otherwise`` in every row where the table has none of that name."""
    if name not in data.columns:
        return [otherwise] * len(data.rows)
    place = list(data.columns).index(name)
    return [row[place] for row in data.rows]


def find_drawn(data: Table, plot: Curves) -> NDArray[np.bool_]:
    """Which rows have a point: x and y are finite, positive on a logarithmic axis, below y_max."""
    x_N, y_N = (np.array(read_column(data, name), dtype=float) for name in plot.axes_hue[:2])
    drawn_N = np.isfinite(x_N) & np.isfinite(y_N) & (y_N <= plot.y_max)
    for axis, value_N in (("x", x_N), ("y", y_N)):
        if axis in plot.log:
            drawn_N &= value_N > 0
    return np.asarray(drawn_N)


def draw_curves(data: Table, plot: Curves, palette: Palette, width: float = WIDTH) -> Drawn:
    """Points and lines, in axes per panel that share their scales.

    In a narrow drawing up to 3 panels stand one above another, so that their x axes align, and
    more of them two by two.
    """
    x, y, hue = plot.axes_hue
    bars = (*(plot.bars or (y, y)), *(plot.across or (x, x)))
    values_N6 = np.array([read_column(data, c) for c in (x, y, *bars)], dtype=float).T
    hue_N, used_N = (np.array(read_column(data, name, "yes")) for name in (hue, "used"))
    panel_N = np.array(read_column(data, plot.panel, ""))
    drawn_N = find_drawn(data, plot)
    raster = len(data.rows) > RASTER_ABOVE
    crowded = raster or (len(data.rows) > CROWDED and not plot.joined)
    panels = list(dict.fromkeys(panel_N.tolist()))
    narrow = width < WIDTH
    across = min(ACROSS, len(panels)) if not narrow else 1 if len(panels) <= ACROSS else 2
    down = -(-len(panels) // across)
    looks = (
        order_looks(hue_N.tolist())
        if plot.ordered
        else palette.find_looks(dict.fromkeys(hue_N.tolist()), plot.rules)
    )
    row = (ON_A_PHONE if narrow else HEIGHTS).get(len(panels), MANY)
    height = row * down + (0.6 if narrow else 0.4)
    if plot.square:
        height = width if narrow else 0.75 * width
    canvas = Canvas(figsize=(width, height), layout="constrained")
    grid = canvas.subplots(down, across, sharex=True, sharey=True, squeeze=False)
    tips: list[Tips] = []
    handles: dict[str, Any] = {}
    for axes, title in zip(grid.flat, panels, strict=False):
        room = 72 * width / across - 24  # points, beside the labels of the y axis
        axes.set_title(title, loc="left", fontsize=min(9.5, room / (0.6 * max(1, len(title)))))
        axes.set_gid(f"{SERIES}{make_slug(title)}")
        draw_marks(axes, plot, title, looks)
        for (place, (key, look)), used in product(enumerate(looks.items()), ("yes", "no")):
            mine_N = drawn_N & (panel_N == title) & (hue_N == key) & (used_N == used)
            if not mine_N.any():
                continue
            artists = draw_series(axes, values_N6[mine_N], look, plot, used, raster, crowded)
            aside = 3 * (place - (len(looks) - 1) / 2) if plot.bars else 0  # points: none hides
            for artist in artists:
                artist.set_gid(f"{SERIES}{make_slug(key)}")
                move = ScaledTranslation(aside / 72, 0, canvas.dpi_scale_trans)
                artist.set_transform(artist.get_transform() + move)
            handles.setdefault(key, artists[0])
            if len(data.rows) <= TIPS_UP_TO:
                artists[0].set_gid(f"{TIP}{len(tips)}{SERIES}{make_slug(key)}")
                rows = np.flatnonzero(mine_N).tolist()
                told = [format_tip(data, row, plot.axes_hue) for row in rows]
                tips.append(Tips(told, key))
        handles = draw_lines(axes, plot.lines, looks) | handles
    for place, axes in enumerate(grid.flat):
        axes.set_visible(place < len(panels))
        axes.tick_params(labelbottom=place >= len(panels) - across)
    if plot.ticks is not None and "x" not in plot.log:
        grid.flat[0].set_xticks(np.unique(plot.ticks))
    if plot.square:
        draw_square(grid.flat[0], plot.factor)
    for axis in plot.log:
        most = 8 if axis == "y" else {1: 8, 2: 5}.get(across, 4)
        set_log_axis(grid.flat[0], axis, plot.ticks if axis == "x" else None, most)
    canvas.supxlabel(x, fontsize=9)
    canvas.supylabel(y, fontsize=9)
    handles.pop("", None)
    if len(handles) > 1 and plot.panel != hue:
        ordered = {name: handles[name] for name in [*looks, *handles] if name in handles}
        fitting = int(90 * width / WIDTH / (8 + max(map(len, ordered))))
        columns = max(1, min(4, fitting))
        shown = order_by_rows(list(ordered), columns)
        more_rows = max(0, -(-len(shown) // columns) - LEGEND_ROWS)
        canvas.set_size_inches(width, height + LEGEND_ROW * more_rows)
        canvas.legend(
            [ordered[name] for name in shown], shown, loc="outside upper left", ncols=columns
        )
    return canvas, tips


def order_by_rows(names: Sequence[str], columns: int) -> list[str]:
    """The order in which a legend, which fills its columns one by one, reads row by row."""
    return [name for column in range(columns) for name in names[column::columns]]


def draw_square(axes: Axes, factor: float) -> None:
    """One logarithmic scale for both axes, and the band within a factor of y = x."""
    shown = np.concatenate([np.ravel(line.get_xydata()) for line in axes.get_lines()])
    shown = shown[np.isfinite(shown) & (shown > 0)]
    low, high = float(shown.min()) / 1.6, float(shown.max()) * 1.6
    axes.set(xscale="log", yscale="log", xlim=(low, high), ylim=(low, high))
    axes.set_box_aspect(1)
    if factor > 1:
        ends = np.array([low, high])
        axes.fill_between(ends, ends / factor, ends * factor, color=INK, alpha=0.12, linewidth=0)


def draw_marks(axes: Axes, plot: Curves, title: str, looks: Mapping[str, Look]) -> None:
    """The level, the bands and the marked points of a panel."""
    if plot.upright is not None:
        axes.axvline(plot.upright, color=INK, linewidth=1, linestyle=":")
    if plot.level is not None:
        axes.axhline(plot.level, color=INK, linewidth=1, linestyle=":")
    for span in plot.spans.get(title, ()):
        color = looks[span.series].color if span.series in looks else INK
        axes.axvspan(span.low, span.high, color=color, alpha=0.15, linewidth=0)
        axes.axvline(span.middle, color=color, linewidth=1.2)
    for mark in plot.marks.get(title, ()):
        color = looks[mark.series].color
        axes.hlines(mark.y, mark.low, mark.high, color=color, linewidth=2.2, zorder=4)
        # A short interval lies within its diamond: it is seen on top of it.
        axes.hlines(mark.y, mark.low, mark.high, color=INK, linewidth=1.1, zorder=6)
        (point,) = axes.plot(mark.x, mark.y, OPTIMUM, color=color, markersize=6.5, zorder=5)
        point.set(markerfacecolor=color if mark.used else "none")


def draw_lines(axes: Axes, lines: Sequence[Line], looks: Mapping[str, Look]) -> dict[str, Any]:
    """The lines of a panel, by their labels."""
    handles = {}
    theories = iter(THEORIES)
    for line in lines:
        style = LINES.get(line.meaning) or next(theories, THEORIES[-1])
        color = looks[line.series].color if line.series in looks else INK
        (handles[line.label],) = axes.plot(line.x, line.y, style, color=color, linewidth=1.2)
    return handles


def format_tip(data: Table, row: int, columns: Sequence[str]) -> str:
    """What a point itself says: the row's name, where the series does not say it, x and y."""
    x, y, series = (data.rows[row][list(data.columns).index(name)] for name in columns)
    name = str(data.rows[row][0])
    told = [] if name in str(series) else [name]
    return POINT_BETWEEN.join([*told, format_number(x), format_number(y)])


def draw_series(
    axes: Axes,
    values_N6: Any,
    look: Look,
    plot: Curves,
    used: str,
    raster: bool,
    crowded: bool,
) -> list[Any]:
    """One series of (x, y, low, high, left, right): its line, and bars where they have a length."""
    x, y, low, high, left, right = values_N6.T
    drawn = axes.plot(x, y, color=look.color, linewidth=1.3, rasterized=raster)
    drawn[0].set(linestyle="-" if plot.joined else "none", marker=look.marker)
    size = 2 if crowded else 3 if plot.ordered else 4.5
    drawn[0].set(markersize=size, alpha=0.3 if crowded else 1)
    drawn[0].set(markerfacecolor=look.color if used == "yes" else "none")
    found: list[Any] = list(drawn)
    if (long := low < high).any():
        found.append(axes.vlines(x[long], low[long], high[long], color=look.color, linewidth=1.1))
    if (wide := left < right).any():
        found.append(axes.hlines(y[wide], left[wide], right[wide], color=look.color, linewidth=1.1))
    return found


def set_log_axis(axes: Axes, axis: str, ticks: ArrayLike | None, most: int = 8) -> None:
    """A logarithmic axis labeled in plain numbers, ``most`` of them at most."""
    getattr(axes, f"set_{axis}scale")("log")
    target = getattr(axes, f"{axis}axis")
    low, high = getattr(axes, f"get_{axis}lim")()
    if ticks is not None:
        target.set_ticks(np.unique(ticks))
    else:
        subs = (1,) if np.log10(high / low) > 2.2 else (1, 2, 5)
        target.set_major_locator(LogLocator(subs=subs, numticks=most))
    target.set_major_formatter(FuncFormatter(format_tick))
    target.set_minor_locator(NullLocator())  # hundreds of marks that no one reads
    target.set_minor_formatter(NullFormatter())


def format_tick(value: float, _: int) -> str:
    """A tick's label: plain near 1, a power of ten far from it."""
    if 1e-3 <= value <= 1e3:
        return f"{value:g}"
    power = round(float(np.log10(value)))
    if np.isclose(value, 10.0**power):
        return f"10{str(power).translate(SUPERSCRIPT)}"
    return format_number(value, 1)
