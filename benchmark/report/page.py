"""The page: findings in the sections of the template, and the files beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from itertools import groupby
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined

from benchmark.findings import changes as against
from benchmark.findings import methods
from benchmark.findings.content import Block, Figure, Table, bounds, number
from benchmark.findings.parts import findings
from benchmark.findings.published import study as published_study
from benchmark.findings.ranking.movers import Architectures
from benchmark.findings.verdict import Verdict
from benchmark.published.table import Published
from benchmark.report.architectures import Drawings
from benchmark.report.figures import draw
from benchmark.store.results import Results

ALWAYS: Final = {"verdict", "limits", "cite"}


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

    def write(self, out: Path) -> Path:
        """Write index.html, data/ and figures/ under ``out``; returns the page's path."""
        for folder in ("data", "figures"):
            (out / folder).mkdir(parents=True, exist_ok=True)
        for name, table in self.tables.items():
            (out / "data" / f"{name}.csv").write_text(table.csv())
        for name, svg in self.drawings.items():
            (out / "figures" / f"{name}.svg").write_text(alone(svg))
        (out / "index.html").write_text(self.html)
        return out / "index.html"


def build(results: Results, table: Published | None = None, old: Results | None = None) -> Page:
    """The page of a store's results; equal tables give equal bytes.

    ``table`` has published accuracies to compare ranks with, ``old`` is an earlier run, whose
    conclusions are held against these.
    """
    parts = results.study["parts"]
    verdicts, blocks = findings(results, table)
    blocks.insert(0, Block("completeness", "", methods.completeness(results)))
    changes: list[str] = []
    if old:
        block, changes = against.block(results, verdicts, old, findings(old, table)[0])
        blocks.append(block)
    blocks += [Block("methods", "", methods.tables(results))]
    blocks += [Block("provenance", "", [methods.provenance(results)])]
    facts = {
        "kinds": {part["kind"] for part in parts},
        "data": ", ".join(dict.fromkeys(part["dataset"] for part in parts)),
        "epochs": max(part["recipe"]["epochs"] for part in parts),
        "seeds": min(part["seeds"] for part in parts),
        "commits": ", ".join(results.provenance.commits) or "unknown",
    }
    page = render(results.study, verdicts, blocks, facts, incomplete(results))
    return replace(page, changes=tuple(changes))


def of_published(table: Published) -> Page:
    """The page of a table of published accuracies alone.

    Raises ``InvalidInput`` where it has nothing to rank.
    """
    facts = {"kinds": {"published"}, "commits": ""}
    return render(published_study.STUDY, *published_study.findings(table), facts)


def render(
    study: Mapping[str, Any],
    verdicts: Sequence[Verdict],
    blocks: Sequence[Block],
    facts: Mapping[str, Any],
    missing: str = "",
) -> Page:
    """The page of what was found; ``facts`` are what the sections on limits and citing name."""
    items = [item for block in blocks for item in block.items]
    figures = [item for item in items if isinstance(item, Figure)]
    opening = [item for item in items if isinstance(item, Architectures)]
    drawings = {figure.name: draw(figure) for figure in figures}
    sheet = Drawings()
    graphs = {
        each.name: [sheet.draw(graph, name) for name, graph in each.graphs.items()]
        for each in opening
    }
    short = summary(verdicts)
    environment = Environment(
        loader=PackageLoader("benchmark.report", "."),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    environment.filters |= {"number": number, "bounds": bounds}
    html = environment.get_template("template.html.j2").render(
        study=study,
        incomplete=missing,
        style=beside("style.css"),
        script=beside("script.js"),
        summary=short,
        verdicts=[
            (part, [(ask, list(told)) for ask, told in groupby(group, lambda v: v.question)])
            for part, group in groupby(verdicts, lambda v: v.part)
        ],
        blocks=blocks,
        drawings=drawings,
        graphs=graphs,
        definitions=sheet.definitions(),
        shown=ALWAYS | {block.section for block in blocks},
        facts={**facts, "release": version("architecture-aware-rates")},
    )
    tables = {item.name: item.data for item in items if isinstance(item, Figure | Architectures)}
    return Page(html + "\n", tables, drawings, short, missing)


def summary(verdicts: Sequence[Verdict]) -> tuple[tuple[str, str], ...]:
    """A line per topic: every part's rules by answer."""
    lines: dict[str, dict[str, dict[str, list[str]]]] = {}
    for v in verdicts:
        answers = lines.setdefault(v.topic, {}).setdefault(v.part, {})
        answers.setdefault(v.answer, []).append(v.rule.removeprefix("initialisation "))
    told = {
        topic: [
            f"{part}: "
            + ", ".join(f"{answer} ({', '.join(rules)})" for answer, rules in by.items())
            for part, by in parts.items()
        ]
        for topic, parts in lines.items()
    }
    return tuple((topic, "; ".join(said)) for topic, said in told.items())


def incomplete(results: Results) -> str:
    """What is missing, in a sentence; empty where nothing is."""
    if results.complete:
        return ""
    failed, missing, planned = (
        sum(getattr(count, name) for count in results.counts)
        for name in ("failed", "missing", "planned")
    )
    return f"Of {planned} planned units, {missing} are missing and {failed} failed."


def beside(name: str) -> str:
    """The text of a file of this package."""
    return Path(__file__).with_name(name).read_text()


def alone(svg: str) -> str:
    """A drawing that stands on its own: with the page's colours, light and dark."""
    colors = beside("style.css").partition("* {")[0]
    own = f"<style>{colors} svg {{ background: var(--paper); font-family: sans-serif; }}</style>"
    return svg.replace("</title>", f"</title>{own}", 1) + "\n"
