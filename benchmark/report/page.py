"""The page: findings in the sections of the template, and the files beside it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from io import BytesIO
from itertools import groupby
from pathlib import Path
from typing import Any, Final
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from benchmark import __version__
from benchmark.findings import methods
from benchmark.findings.answers.study import answer_study
from benchmark.findings.comparisons import changes as against
from benchmark.findings.content import (
    Architectures,
    Block,
    Figure,
    Item,
    Table,
    format_bounds,
    format_number,
    make_slug,
    title_name,
)
from benchmark.findings.parts import judge_study
from benchmark.findings.published import study as published_study
from benchmark.findings.verdict import Findings, Verdict
from benchmark.published.rate_classes import compute_multipliers
from benchmark.published.table import Published
from benchmark.report.architectures import Drawings
from benchmark.report.drawing.canvas import NARROW
from benchmark.report.drawing.figures import draw_figure
from benchmark.report.drawing.palette import Palette
from benchmark.store.results import Results
from search_spaces.output_files import write_output

ARXIV: Final = re.compile(r"(\barXiv[ :])(\d{4}\.\d{4,5})")
ALWAYS: Final = {"answer", "verdict", "limits", "cite"}


@dataclass(frozen=True)
class Page:
    """The page as text, the tables and drawings that lie beside it, the short verdict, what is
    missing, and what changed since an older run."""

    html: str
    tables: dict[str, Table]
    drawings: dict[str, str]
    summary: tuple[tuple[str, str], ...]
    incomplete: str
    changes: tuple[str, ...] = ()
    headline: tuple[str, ...] = ()

    def list_files(self) -> list[str]:
        """The tables and drawings, as the page links to them."""
        return [f"data/{name}.csv" for name in self.tables] + [
            f"figures/{name}.svg" for name in self.drawings
        ]

    def write(self, out: Path) -> Path:
        """Write index.html, data/, figures/ and all of them as everything.zip under ``out``.

        Returns the page's path.
        """
        for folder in ("data", "figures"):
            (out / folder).mkdir(parents=True, exist_ok=True)
        for name, table in self.tables.items():
            write_output(out / "data" / f"{name}.csv", table.csv())
        for name, svg in self.drawings.items():
            write_output(out / "figures" / f"{name}.svg", make_standalone(svg))
        write_output(out / "index.html", self.html)
        write_archive(out, [*self.list_files(), "index.html"])
        return out / "index.html"


def build_page(
    results: Results,
    table: Published | None = None,
    old: Results | None = None,
    found: Findings | None = None,
) -> Page:
    """The page of a store's results; equal tables give equal bytes.

    ``table`` has published accuracies to compare ranks with, ``old`` is an earlier run, whose
    conclusions are held against these. ``found`` is what ``judge_study`` says of the results, where
    that is known.
    """
    parts = results.study["parts"]
    verdicts, judged = found or judge_study(results, table)
    blocks = [Block("completeness", "", methods.count_units(results)), *judged]
    changes: list[str] = []
    if old:
        block, changes = against.compare_runs(results, verdicts, old, judge_study(old, table)[0])
        blocks.append(block)
    blocks += [Block("methods", "", methods.describe_methods(results))]
    blocks += [Block("provenance", "", [methods.tabulate_provenance(results)])]
    facts = {
        "kinds": {part["kind"] for part in parts},
        "data": ", ".join(dict.fromkeys(part["dataset"] for part in parts)),
        "epochs": max(part["recipe"]["epochs"] for part in parts),
        "seeds": min(part["seeds"] for part in parts),
        "commits": ", ".join(results.provenance.commits) or "unknown",
        "year": (results.provenance.finished or "")[:4],
    }
    missing = describe_missing(results)
    rules = list(dict.fromkeys(rule for part in parts for rule in part["rules"]))
    page = render_page(results.study, verdicts, blocks, facts, missing, rules)
    return replace(page, changes=tuple(changes))


def build_published_page(table: Published) -> Page:
    """The page of a table of published accuracies alone.

    Raises ``InvalidInput`` where it has nothing to rank.
    """
    facts = {"kinds": {"published"}, "commits": ""}
    verdicts, blocks = published_study.judge_published(table)
    return render_page(
        published_study.STUDY, verdicts, blocks, facts, rules=list(compute_multipliers())
    )


def render_page(
    study: Mapping[str, Any],
    verdicts: Sequence[Verdict],
    blocks: Sequence[Block],
    facts: Mapping[str, Any],
    missing: str = "",
    rules: Sequence[str] = (),
    headline: Sequence[str] = (),
) -> Page:
    """The page of what was found; ``facts`` are what the sections on limits and citing name.

    ``rules`` have one look in all figures; ``headline`` opens the page where
    verdicts do not. A figure without a number to draw is a sentence.
    """
    items: list[Item] = [item for block in blocks for item in block.items]
    figures = [item for item in items if isinstance(item, Figure)]
    opening = [item for item in items if isinstance(item, Architectures)]
    palette = Palette(rules)
    drawings: dict[str, str] = {}
    narrow: dict[str, str] = {}
    for place, figure in enumerate(figures):
        if svg := draw_figure(figure, palette, prefix=f"f{place}"):
            drawings[figure.name] = svg
            narrow[figure.name] = draw_figure(figure, palette, NARROW, f"n{place}")
    sheet = Drawings()
    graphs = {
        each.name: [sheet.draw(graph, name) for name, graph in each.graphs.items()]
        for each in opening
    }
    answers = answer_study(study.get("parts", ()), verdicts)
    answers = replace(answers, headline=(*headline, *answers.headline))
    environment = Environment(
        loader=PackageLoader("benchmark.report", "."),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    environment.filters |= {"papers": link_papers, "slug": make_slug}
    environment.filters |= {"number": format_number, "bounds": format_bounds, "titled": write_title}
    html = environment.get_template("template.html.j2").render(
        study=study,
        incomplete=missing,
        style=read_asset("style.css"),
        script=read_asset("script.js"),
        answers=answers,
        verdicts=[
            (part, [(ask, list(told)) for ask, told in groupby(group, lambda v: v.question)])
            for part, group in groupby(verdicts, lambda v: v.part)
        ],
        blocks=blocks,
        drawings=drawings,
        narrow=narrow,
        graphs=graphs,
        definitions=sheet.define_parts(),
        shown=ALWAYS | {block.section for block in blocks},
        facts={"year": "", **facts, "release": __version__},
        rules=[rule for rule in rules if is_drawn(rule, drawings)],
        papers=list_papers(text for item in items for text in list_texts(item)),
    )
    tables = {item.name: item.data for item in items if isinstance(item, Figure | Architectures)}
    return Page(html + "\n", tables, drawings, answers.summary, missing, headline=answers.headline)


def is_drawn(rule: str, drawings: Mapping[str, str]) -> bool:
    """Whether any drawing has the rule as a series or a panel."""
    return any(f'series-{make_slug(rule)}"' in drawing for drawing in drawings.values())


def list_texts(item: Item) -> list[str]:
    """The texts of a sentence or a table."""
    if isinstance(item, str):
        return [item]
    rows = item.rows if isinstance(item, Table) else []
    return [value for row in rows for value in row if isinstance(value, str)]


def describe_missing(results: Results) -> str:
    """What is missing, in a sentence; empty where nothing is."""
    if results.complete:
        return ""
    failed, missing, planned = (
        sum(getattr(count, name) for count in results.counts)
        for name in ("failed", "missing", "planned")
    )
    return f"Of {planned} planned units, {missing} are missing and {failed} failed."


def write_title(text: str, part: str = "") -> str:
    """A part's name as a title, or a title that begins with its part's name."""
    name, rest = (text, "") if not part else (part, text.removeprefix(part))
    if part and rest == text:
        return text
    return title_name(name) + rest


def read_asset(name: str) -> str:
    """The text of a file of this package."""
    return Path(__file__).with_name(name).read_text(encoding="utf-8")


def write_archive(out: Path, names: Sequence[str]) -> None:
    """Write the files of a page as one archive: equal files give equal bytes."""
    content = BytesIO()
    with ZipFile(content, "w", ZIP_DEFLATED) as archive:
        for name in names:
            entry = ZipInfo(name)  # dated 1980: the time of writing is no part of the content
            entry.compress_type, entry.external_attr = ZIP_DEFLATED, 0o644 << 16
            archive.writestr(entry, (out / name).read_bytes())
    write_output(out / "everything.zip", content.getvalue())


def link_papers(text: Any) -> Markup:
    """The text, every arXiv id a link to its abstract."""
    found: str = ARXIV.sub(r'<a href="https://arxiv.org/abs/\2">\1\2</a>', str(escape(text)))
    return Markup(found)


def list_papers(texts: Iterable[str]) -> list[str]:
    """The arXiv ids in these texts, each once."""
    return sorted({found[2] for text in texts for found in ARXIV.finditer(text)})


def make_standalone(svg: str) -> str:
    """A drawing that stands on its own: with the page's colors, light and dark."""
    colors = read_asset("style.css").partition("* {")[0]
    own = f"<style>{colors} svg {{ background: var(--paper); font-family: sans-serif; }}</style>"
    return svg.replace("</title>", f"</title>{own}", 1) + "\n"
