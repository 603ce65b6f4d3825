"""The page: offline, the same bytes for the same table, and sound for every reader."""

from __future__ import annotations

import csv
import os
import re
import subprocess
import sys
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pyarrow.compute as pc
from support import planted

from benchmark.findings.arrays import read_first
from benchmark.findings.content import Architectures, Block, format_number
from benchmark.findings.parts import judge_study
from benchmark.report.page import build_page, render_page, write_archive
from benchmark.speed.growth.planted import results_of
from benchmark.store.results import Results

LINKING = {"src", "href", "xlink:href", "srcset", "data", "action", "poster", "background"}


class Outline(HTMLParser):
    """What a page refers to, its ids, headings, tables and figures."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.ids: list[str] = []
        self.labels: list[str] = []
        self.headings: list[int] = []
        self.tags: list[str] = []
        self.header_cells: list[dict[str, str | None]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        self.tags.append(tag)
        self.links += [value or "" for name, value in attrs if name in LINKING]
        self.links += re.findall(r"url\(([^)]*)\)", named.get("style") or "")
        self.ids += [value or "" for name, value in attrs if name == "id"]
        self.labels += (named.get("aria-labelledby") or "").split()
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))
        if tag == "th":
            self.header_cells.append(named)


def test_nothing_on_the_page_comes_from_elsewhere(page: Path) -> None:
    text = page.read_text()
    outline = Outline(text)
    css = "".join(re.findall(r"<style[^>]*>(.*?)</style>", text, re.DOTALL))
    assert "@import" not in text
    assert not re.findall(r"url\((?!#)", css)
    assert len(outline.links) > 20
    for link in outline.links:
        if re.fullmatch(r"https://arxiv\.org/abs/\d{4}\.\d{4,5}", link):
            continue  # a reader follows it or not; the browser test sees that nothing is asked for
        own = ("#", "data/", "figures/", "data:image/png;base64,", "everything.zip")
        assert link.startswith(own), link
        if link.startswith("#"):
            assert link[1:] in outline.ids
        elif not link.startswith("data:"):
            assert (page.parent / link).is_file()
    assert not {"link", "iframe", "object", "embed", "img"} & set(outline.tags)
    (script,) = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)
    assert not re.search(r"fetch|XMLHttp|import|https?:", script)


def test_standalone_figures_refer_to_nothing(page: Path) -> None:
    drawn = sorted((page.parent / "figures").glob("*.svg"))
    assert len(drawn) == page.read_text().count("<figure ")
    for path in drawn:
        outline = Outline(path.read_text())
        assert all(link.startswith(("#", "data:image/png;")) for link in outline.links)
        assert "--ink" in path.read_text()


def test_headings_are_in_order_and_ids_are_unique(page: Path) -> None:
    outline = Outline(page.read_text())
    assert outline.headings[0] == 1
    assert outline.headings.count(1) == 1
    assert all(b - a <= 1 for a, b in zip(outline.headings, outline.headings[1:], strict=False))
    assert len(set(outline.ids)) == len(outline.ids)
    assert set(outline.labels) <= set(outline.ids)


def test_tables_and_figures_speak_to_screen_readers(page: Path) -> None:
    text = page.read_text()
    outline = Outline(text)
    assert outline.header_cells
    assert all(cell.get("scope") in ("row", "col") for cell in outline.header_cells)
    assert outline.tags.count("caption") == outline.tags.count("table")
    for figure in re.findall(r"<figure .*?</figure>", text, re.DOTALL):
        assert re.search(r'<svg role="img" aria-labelledby="[^"]+"[^>]*><title', figure)
        assert re.search(r"<figcaption><b>[^<]+</b> [^<]{20,}", figure)
        assert "<details>" in figure
        assert ".csv" in figure


def test_a_row_opens_the_drawing_and_the_rates_of_its_architecture(helped: str, page: Path) -> None:
    text = page.read_text()
    rows = re.findall(r'<tr><th scope="row" class="cell"><details>.*?</tr>', text, re.DOTALL)
    assert len(rows) == 24
    table = Results.load(helped).table.filter(pc.field("stage") == "rank")
    cell = table["architecture"][0].as_py()
    (own,) = [row for row in rows if cell in row.replace("<wbr>", "")]
    for rule in planted.RULES:
        rate = read_first(table.filter(pc.field("rule") == rule), "architecture", "lr")[cell]
        assert f"<li>{rule}: rate {format_number(rate)}, accuracy" in own
    drawn = dict(re.findall(r'<g id="(d\d+)">(.*?)</g>', text, re.DOTALL))
    labels = [
        re.findall(r"<text[^>]*>([^<]+)<", drawn[each]) for each in re.findall(r"#(d\d+)", own)
    ]
    edges = [operation for (operation,) in filter(None, labels) if operation != "+"]
    assert sorted(edges) == sorted(
        {"skip_connect": "skip", "avg_pool_3x3": "pool"}.get(
            name, name.replace("nor_", "").replace("_", "")
        )
        for name in re.findall(r"(\w+)~", cell)
        if name != "none"
    )


def test_every_architecture_is_in_the_csv_file(page: Path) -> None:
    with (page.parent / "data" / "cells-architectures.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 24
    assert {"rate, default", "accuracy, path-cubed", "move in seed errors, shuffled"} <= set(
        rows[0]
    )
    places = [float(row["place, path-cubed"]) for row in rows]
    best = max(rows, key=lambda row: float(row["accuracy, path-cubed"]))
    assert float(best["place, path-cubed"]) == min(places)


def test_all_of_nasbench201_stays_small() -> None:
    """15,625 cells: the widest moves and the best are on the page, all are in the file."""
    results = results_of(15_625, rules=3, seeds=2)
    page = build_page(results)
    assert len(page.html.encode()) < 2_000_000
    rows = page.html.count('<th scope="row" class="cell"><details>')
    assert 120 < rows <= 240
    items = [item for block in judge_study(results, None)[1] for item in block.items]
    (table,) = [item for item in items if isinstance(item, Architectures)]
    assert len(table.data.rows) == 15_625
    places = [float(str(row[1])) for row in table.shown.rows]
    everyone = np.sort([float(str(row[3])) for row in table.data.rows])
    assert set(everyone[:100]) <= set(places)
    moves = [float(str(row[3])) for row in table.shown.rows]
    assert moves == sorted(moves, reverse=True)


def test_two_parts_share_a_page_and_keep_their_own_drawings() -> None:
    """What is drawn alike is drawn once; ids are unique and every drawing's parts are there."""
    blocks = judge_study(results_of(12, rules=2, seeds=2), None)[1]
    (table,) = [i for block in blocks for i in block.items if isinstance(i, Architectures)]
    names = list(table.graphs)
    halves = [
        replace(
            table,
            name=f"half-{half[0]}",
            shown=replace(table.shown, rows=table.shown.rows[start : start + 6]),
            graphs={name: table.graphs[name] for name in half},
            lines=table.lines[start : start + 6],
        )
        for start in (0, 6)
        for half in [names[start : start + 6]]
    ]
    study, facts = {"name": "two", "question": "?"}, {"kinds": {"published"}, "commits": ""}
    html = render_page(
        study, [], [Block("movers", half.name, [half]) for half in halves], facts
    ).html
    outline = Outline(html)
    assert len(set(outline.ids)) == len(outline.ids)
    drawings = re.findall(r'<svg class="drawing".*?</svg>', html)
    assert len(drawings) == len(set(drawings)) == 12
    assert set(re.findall(r'<use href="#(d\d+)"', html)) <= set(outline.ids)


def test_sections_come_in_the_order_of_reading(page: Path) -> None:
    sections = re.findall(r'<section id="([^"]+)"', page.read_text())
    assert sections == [
        *("answer", "verdict", "completeness", "rank", "shift", "slope", "updates", "movers"),
        *("methods", "provenance", "limits", "cite"),
    ]


HOSTILE_STYLE = """
backend: ps
font.size: 20
font.family: serif
figure.dpi: 300
lines.linewidth: 5
svg.fonttype: path
savefig.bbox: tight
savefig.transparent: True
axes.grid: False
axes.prop_cycle: cycler("color", ["red"])
text.parse_math: True
path.simplify: False
"""
"""A matplotlibrc of a user with other tastes."""

WITHOUT_PACKAGE = """
import importlib.metadata, sys
from benchmark.report.__main__ import main
def missing(name):
    raise importlib.metadata.PackageNotFoundError(name)
importlib.metadata.version = importlib.metadata.distribution = missing
code = main(sys.argv[1:])
sys.exit(code or "ray" in sys.modules)
"""
"""The command, on a machine where no package says its version; it must not load Ray."""


HOSTILE_ENVIRONMENT = {
    "MPLBACKEND": "no-such-backend",
    "PYTHONUTF8": "0",
    "PYTHONCOERCECLOCALE": "0",
    "PYTHONIOENCODING": "ascii",
    "LC_ALL": "C",
    "PYTHONHASHSEED": "7",
    "TZ": "Asia/Tokyo",
    "SOURCE_DATE_EPOCH": "1",
    "GIT_DIR": "/nowhere",
    "NO_COLOR": "1",
}


def test_the_users_environment_reaches_no_byte(helped: str, page: Path, tmp_path: Path) -> None:
    (tmp_path / "matplotlibrc").write_text(HOSTILE_STYLE, encoding="utf-8")
    command = [sys.executable, "-c", WITHOUT_PACKAGE, helped, "--out", str(tmp_path / "page")]
    root = str(Path(__file__).parents[3])
    environment = os.environ | HOSTILE_ENVIRONMENT | {"PYTHONPATH": root}
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, errors="replace"
    )
    assert (done.returncode, done.stderr) == (0, "")
    made = tmp_path / "page"
    files = sorted(path.relative_to(made) for path in made.rglob("*.*"))
    assert len(files) > 10
    for name in files:
        assert (made / name).read_bytes() == (page.parent / name).read_bytes(), name


def test_the_page_stays_small_and_names_no_place(helped: str, page: Path) -> None:
    text = page.read_text()
    assert len(text.encode()) < 2_000_000
    assert str(Path(helped).parent) not in text
    assert str(Path.home()) not in text


def luminance(color: str) -> float:
    """Relative luminance of #rrggbb (WCAG 2.2)."""
    parts = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    r, g, b = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


def contrast(one: str, other: str) -> float:
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_colors_have_contrast_in_light_and_dark(page: Path) -> None:
    themes = re.findall(r":root \{(.*?)\}", page.read_text(), re.DOTALL)[:2]
    assert len(themes) == 2
    for theme in themes:
        color = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", theme))
        for name in ("ink", "soft", "link", "yes", "no", "undetermined"):
            assert contrast(color[name], color["paper"]) >= 4.5, name
        for name in (f"c{index}" for index in range(1, 8)):
            assert contrast(color[name], color["paper"]) >= 3, name


def test_the_archive_holds_the_page_and_all_beside_it_and_is_the_same_each_time(
    page: Path, tmp_path: Path
) -> None:
    made = (page.parent / "everything.zip").read_bytes()
    with ZipFile(page.parent / "everything.zip") as archive:
        assert archive.testzip() is None
        content = {name: archive.read(name) for name in archive.namelist()}
    lying = [p for p in page.parent.rglob("*") if p.is_file() and p.suffix != ".zip"]
    beside = {p.relative_to(page.parent).as_posix(): p.read_bytes() for p in lying}
    beside = {name: data for name, data in beside.items() if name in content}
    assert content == beside
    assert len([name for name in content if name.startswith("data/")]) > 5
    assert "index.html" in content
    write_archive(page.parent, [*content])
    assert (page.parent / "everything.zip").read_bytes() == made
