"""The drawings: reproducible, honest about what is not fitted, small when there is much to draw."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.drawn_marks import DrawnMark, list_marks

from benchmark.analysis.intervals import Interval
from benchmark.findings.content import Figure, Table, format_number, tabulate_intervals
from benchmark.findings.plots import Curves, Forest, HeatMap, Line, Span
from benchmark.findings.plots import Mark as Optimum
from benchmark.report.drawing import inline_svg
from benchmark.report.drawing.canvas import NARROW, WIDTH
from benchmark.report.drawing.curves import RASTER_ABOVE, TIPS_UP_TO, order_by_rows
from benchmark.report.drawing.figures import draw_figure
from benchmark.report.drawing.palette import COLORS, INK, MARKERS, Palette, choose_look

RULES = ("default", "a", "b")


def draw(figure: Figure) -> str:
    return draw_figure(figure, Palette(RULES))


def find_points(svg: str, color: str) -> list[DrawnMark]:
    """The points whose stroke has a color."""
    marks = list_marks(svg).elements()
    return [each for each in marks if each.place and dict(each.look).get("stroke") == color]


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
    assert len(few) < 200_000
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
    assert 'data-x="x" data-y="y"' in made
    points = [
        (float(y), name, rule, x_told, y_told)
        for rule, group in re.findall(r'<g [^>]*data-series="(.)"[^>]*>(.*?)</g>\n</g>', made, re.S)
        for y, name, x_told, y_told in re.findall(
            r'<use [^>]* y="([\d.]+)"[^>]*><title>(cell \d) · (.*?) · (.*?)</title>', group
        )
    ]
    points.sort(key=lambda point: point[1])
    assert [point[1:] for point in points] == [
        (name, rule, format_number(x), format_number(y)) for name, rule, x, y in rows
    ]
    heights = [point[0] for point in points]
    assert heights == sorted(heights, reverse=True)
    assert "<title>" in scatter(TIPS_UP_TO)
    assert scatter(TIPS_UP_TO + 1).count("<title>") == 0


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

    def drawn(rows: list[tuple[str, str, float, float, str]]) -> list[DrawnMark]:
        data = Table("Two points", columns, rows)
        made = Figure("two", "", data, Curves(("x", "y", "rule"), joined=False))
        return find_points(draw(made), "var(--c1)")

    assert [dict(each.look)["fill-opacity"] for each in drawn(filled)] == ["1", "1"]
    assert sorted(dict(each.look)["fill-opacity"] for each in drawn(hollow)) == ["0", "1"]


def test_what_is_missing_or_too_large_is_not_drawn() -> None:
    rows = [("r", "a", float(x), y) for x, y in enumerate((1.0, np.nan, np.inf, 9.0, 2.0), 1)]
    data = Table("Points", ("rung", "rule", "x", "y"), rows)
    made = draw(Figure("gap", "", data, Curves(("x", "y", "rule"), joined=False, y_max=5.0)))
    assert len(find_points(made, "var(--c1)")) == 2


def test_a_forest_keeps_undetermined_estimates_hollow() -> None:
    values = {
        ("a", "known"): Interval(1.0, 0.5, 1.5, 8, "planted"),
        ("b", "unknown"): Interval.undetermined("one seed", estimate=2.0, n=1),
    }
    made = draw(Figure("f", "", tabulate_intervals("Two", values), Forest("value")))
    (hollow,) = find_points(made, "var(--c2)")
    assert dict(hollow.look)["fill-opacity"] == "0"
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


def curves(lines: int, **options: Any) -> Figure:
    """Panels of curves with optima, a diverged point, hollow points, bars and lines."""
    rng = np.random.default_rng(lines)
    rows = [
        (panel, f"depth {line}", 10.0**rate, float(y), float(y) - 0.1, float(y) + 0.1, used)
        for panel in ("a", "b")
        for line, used in zip(range(lines), ["yes", "no", "yes", "yes"], strict=False)
        for rate, y in enumerate([*rng.uniform(1, 2, 6), np.nan, 1.5])
    ]
    data = Table("Curves", ("panel", "line", "x", "y", "low", "high", "used"), rows)
    mark = Optimum(1.0, 0.5, 30.0, 1.2, "depth 0", True)
    return Figure(
        "curves",
        "A finding.",
        data,
        Curves(
            ("x", "y", "line"),
            panel="panel",
            level=1.9,
            upright=1.0,
            marks={"a": [mark]},
            spans={"b": [Span(1.0, 10.0, 100.0, "depth 1")]},
            lines=[Line("fit", [1.0, 1e5], [1.0, 2.0], "fit", "depth 0")],
            **options,
        ),
    )


FIGURES = {
    "few": curves(1, log="x"),
    "ordered": curves(4, log="x", ordered=True),
    "bars": curves(3, log="xy", bars=("low", "high"), joined=False),
    "forest": Figure(
        "forest",
        "",
        tabulate_intervals(
            "Forest", {(rule, "all"): Interval(1.0, 0.5, 1.5, 8, "planted") for rule in "abcd"}
        ),
        Forest("value"),
    ),
    "squares": Figure(
        "squares",
        "",
        Table("Squares", ("", "a", "b", "c"), [(row, 1.0, 0.5, 0.2) for row in "abc"]),
        HeatMap("tau"),
    ),
}


@pytest.mark.parametrize("width", [NARROW, WIDTH])
@pytest.mark.parametrize("name", FIGURES)
def test_fewer_bytes_show_the_same(
    name: str, width: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every stroke, point and text with its place, its look, its clip, its words and its series."""
    short = draw_figure(FIGURES[name], Palette(RULES), width)
    monkeypatch.setattr(inline_svg, "compact_svg", lambda root: None)
    long = draw_figure(FIGURES[name], Palette(RULES), width)
    shown = list_marks(long)
    assert sum(shown.values()) > 15
    assert list_marks(short) == shown
    assert len(short) < 0.75 * len(long)


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
