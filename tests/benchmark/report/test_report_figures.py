"""The drawings: reproducible, honest about what is not fitted, small when there is much to draw."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmark.analysis.intervals import Interval
from benchmark.findings.content import Figure, Table, format_number, tabulate_intervals
from benchmark.findings.plots import Curves, Forest, HeatMap
from benchmark.report.drawing.canvas import NARROW, WIDTH
from benchmark.report.drawing.curves import RASTER_ABOVE, order_by_rows
from benchmark.report.drawing.figures import draw_figure
from benchmark.report.drawing.palette import COLORS, INK, MARKERS, Palette, choose_look

RULES = ("default", "a", "b")


def draw(figure: Figure) -> str:
    return draw_figure(figure, Palette(RULES))


def scatter(count: int, name: str = "points") -> str:
    rng = np.random.default_rng(0)
    rows = [(str(i), "a", *rng.uniform(1, 9, 2).tolist()) for i in range(count)]
    data = Table("Some points", ("point", "rule", "x", "y"), rows)
    return draw(Figure(name, "", data, Curves(("x", "y", "rule"), joined=False, log="")))


def test_equal_tables_give_equal_bytes_and_names_keep_ids_apart() -> None:
    assert scatter(20) == scatter(20)
    one, two = scatter(20, "one"), scatter(20, "two")
    ids = [set(re.findall(r' id="([^"]+)"', text)) for text in (one, two)]
    assert ids[0]
    assert not ids[0] & ids[1]
    assert one.replace("one-", "two-") == two


def test_many_points_become_a_bitmap() -> None:
    few, many = scatter(RASTER_ABOVE), scatter(RASTER_ABOVE + 1)
    assert "<image" not in few
    assert many.count("data:image/png;base64") >= 1
    assert len(scatter(15_625)) < 400_000


def test_colors_follow_the_page_and_text_stays_text() -> None:
    text = scatter(5)
    assert "var(--ink)" in text
    assert "var(--c1)" in text
    assert INK not in text
    assert "font-family" not in text
    assert re.search(r"<text[^>]*>x</text>", text)


def test_every_point_names_itself() -> None:
    rows = [(f"cell {i}", "ab"[i % 2], float(i + 1), 10.0 * i) for i in range(7)]
    data = Table("Points", ("cell", "rule", "x", "y"), rows)
    plot = Curves(("x", "y", "rule"), log="", bars=("y", "y"))
    made = draw(Figure("tips", "", data, plot))
    points = re.findall(
        r'<use [^>]* y="([\d.]+)"[^>]*><title>(cell \d), [ab], x ([^,]*), y (.*?)</title>',
        made,
    )
    assert sorted(point[1:] for point in points) == [
        (name, format_number(x), format_number(y)) for name, _, x, y in rows
    ]
    heights = [float(y) for y, *_ in sorted(points, key=lambda point: point[1])]
    assert heights == sorted(heights, reverse=True)
    assert "<title>cell" not in scatter(RASTER_ABOVE + 1)


def test_squares_and_intervals_name_themselves_too() -> None:
    square = Table("Square", ("", "a", "b"), [("a", 1.0, 0.25), ("b", 0.25, 1.0)])
    titles = re.findall(
        r"<path [^>]*><title>(.*?)</title>", draw(Figure("h", "", square, HeatMap("t")))
    )
    assert titles == ["a; a: 1.00", "a; b: 0.250", "b; a: 0.250", "b; b: 1.00"]
    known = {("a", "known"): Interval(1.0, 0.5, 1.5, 8, "planted")}
    made = draw(Figure("f", "The finding.", tabulate_intervals("One", known), Forest("value")))
    assert "<title>a, known: 1.00 [0.500, 1.50]</title>" in made
    assert '<desc id="f-desc">The finding.</desc>' in made


def test_rows_that_are_not_used_are_hollow() -> None:
    columns = ("rung", "rule", "x", "y", "used")
    filled = [("r", "a", 1.0, 2.0, "yes"), ("s", "a", 2.0, 1.0, "yes")]
    hollow = [filled[0], ("s", "a", 2.0, 1.0, "no")]

    def drawn(rows: list[tuple[str, str, float, float, str]]) -> str:
        data = Table("Two points", columns, rows)
        made = Figure("two", "", data, Curves(("x", "y", "rule"), joined=False))
        return draw(made)

    marked = r"<use [^>]*fill-opacity: 0; stroke: var\(--c1\)"
    assert not re.search(marked, drawn(filled))
    assert re.search(marked, drawn(hollow))


def test_what_is_missing_or_too_large_is_not_drawn() -> None:
    rows = [("r", "a", float(x), y) for x, y in enumerate((1.0, np.nan, np.inf, 9.0, 2.0), 1)]
    data = Table("Points", ("rung", "rule", "x", "y"), rows)
    made = draw(Figure("gap", "", data, Curves(("x", "y", "rule"), joined=False, y_max=5.0)))
    assert len(re.findall(r"<use [^>]*fill: var\(--c1\)", made)) == 2


def test_a_forest_keeps_undetermined_estimates_hollow() -> None:
    values = {
        ("a", "known"): Interval(1.0, 0.5, 1.5, 8, "planted"),
        ("b", "unknown"): Interval.undetermined("one seed", estimate=2.0, n=1),
    }
    made = draw(Figure("f", "", tabulate_intervals("Two", values), Forest("value")))
    assert re.search(r"fill-opacity: 0; stroke: var\(--c2\)", made)
    assert "b, unknown" in made


def test_no_two_rules_of_a_page_look_alike() -> None:
    looks = [choose_look(place) for place in range(len(COLORS) * len(MARKERS))]
    assert len(set(looks)) == len(looks)
    palette = Palette(["default", "a"])
    found = palette.find_looks(["scheme", "other", "default"], {"scheme": "a"})
    assert list(found) == ["default", "scheme", "other"]
    assert found["scheme"] == palette.find_looks(["a"], {})["a"]


@pytest.mark.parametrize(
    "plot", [Curves(("x", "y", "rule")), Curves(("x", "y", "rule"), panel="point"), Forest("x")]
)
def test_a_figure_of_nothing_is_no_drawing(plot: Curves | Forest) -> None:
    columns = ("point", "rule", "x", "y", "low", "high")
    empty = [("p", "a", np.nan, np.nan, np.nan, np.nan), ("q", "b", np.inf, np.inf, 0.0, 1.0)]
    for rows in ([], empty):
        assert draw(Figure("none", "", Table("Nothing", columns, rows), plot)) == ""
    square = Table("Square", ("", "a"), [("a", np.nan)])
    assert draw(Figure("none", "", square, HeatMap("tau"))) == ""


def test_csv_holds_full_precision_and_leaves_missing_values_empty() -> None:
    table = Table("t", ("a", "b"), [("x, y", 1 / 3), ("z", None)])
    assert table.csv() == f'a,b\n"x, y",{1 / 3!r}\nz,\n'


@pytest.mark.parametrize(
    ("value", "text"),
    [
        *((None, "–"), (float("nan"), "–"), (float("-inf"), "−∞"), (0.0, "0"), (1234, "1,234")),
        *((-0.0123, "−0.012"), (0.0064, "0.0064"), (5.444, "5.44"), (12.345, "12.3")),
        *((123.4, "123"), (1.24e-7, "1.2·10⁻⁷")),
    ],
)
def test_numbers_read_well(value: float | None, text: str) -> None:
    assert format_number(value) == text


@given(st.integers(1, 12), st.integers(1, 4))
def test_a_legend_reads_row_by_row(count: int, columns: int) -> None:
    """matplotlib fills column by column, the first ones higher by one."""
    names = [str(number) for number in range(count)]
    shown = iter(order_by_rows(names, columns))
    heights = [count // columns + (column < count % columns) for column in range(columns)]
    grid = [[next(shown) for _ in range(height)] for height in heights]
    rows = [[col[row] for col in grid if row < len(col)] for row in range(max(heights))]
    assert [name for row in rows for name in row] == names


@pytest.mark.parametrize("width", [NARROW, WIDTH])
@pytest.mark.parametrize("lines", [2, 12, 60])
def test_a_long_legend_leaves_room_for_the_panels(lines: int, width: float) -> None:
    """A warning, which is an error here, says where axes have none."""
    rows = [
        (panel, f"depth {line}, width 256", x, 1.0 + line)
        for panel in ("a", "b", "c", "d")
        for line in range(lines)
        for x in (0.1, 1.0)
    ]
    data = Table("curves", ("panel", "line", "x", "y"), rows)
    plot = Curves(("x", "y", "line"), panel="panel", log="x", ordered=True)
    assert draw_figure(Figure("curves", "", data, plot), Palette(), width).count("<svg") == 1
