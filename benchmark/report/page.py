"""The page: sections in a fixed order, filled by what each part of the study found."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
from jinja2 import Environment, PackageLoader, StrictUndefined

from benchmark.report import depth, methods, rank, updates
from benchmark.report.content import Block, Figure, Findings, Table, Verdict, bounds, number
from benchmark.results import Results

SECTIONS: Final[tuple[tuple[str, str, tuple[str, ...]], ...]] = (
    (
        "verdict",
        "Verdict",
        (
            "Yes and no mean that the 95% interval leaves no other reading at this sample; "
            "undetermined means that it does, and says why. Each number stands with its "
            "interval in brackets and its n.",
        ),
    ),
    (
        "completeness",
        "Completeness and divergence",
        (
            "Every replica (one rule at one rate and seed) that was planned is counted. One "
            "whose loss blew up is diverged, and an architecture without a path from image to "
            "logits is untrainable: both are results, ranked last as ties, never left out.",
        ),
    ),
    (
        "rank",
        "Rank: does the order of architectures change?",
        (
            "Kendall's tau compares two orders: 1 is the same order, 0 no relation. Cross is the "
            "tau between the default and a rule on different seeds; the ceiling is the tau of each "
            "with itself on another seed, the best that seed noise allows. Delta = ceiling − "
            "cross: above 0, the rule moves architectures by more than seeds do.",
        ),
    ),
    (
        "shift",
        "Accuracy: who gains?",
        (
            "The change of test accuracy from the default to a rule, paired by architecture and "
            "seed, in percentage points: over all architectures and by thirds of the default's own "
            "ranking. The shuffled rule deals the same rates to random architectures: what it "
            "gains, any change of rate gains.",
        ),
    ),
    (
        "slope",
        "Depth: how does the best rate fall, and who predicts it?",
        (
            "Every rung of a ladder is trained at every rate of a grid; its optimum is the vertex "
            "of a parabola through the losses near the best rate. Effective depth counts weighted "
            "layers and additions along the shortest path. Regret is the training loss lost by "
            "using a rule's rate instead of the rung's own optimum.",
        ),
    ),
    (
        "updates",
        "One step at initialisation",
        (
            "The mean squared change E[Δz²] of every layer after one step. Each rule's constant is "
            "set where the mean over layers is 1 on the shallowest rung; a rule that fits keeps it "
            "there at every depth. The maximum over layers shows what the mean hides.",
        ),
    ),
    ("movers", "Who moved", ()),
    ("methods", "Methods", ("Generated from the study and from the code that ran it.",)),
    ("provenance", "Provenance", ()),
    ("limits", "Limits", ()),
    ("cite", "Cite", ()),
)
KINDS: Final[dict[str, Callable[[dict[str, Any], pa.Table, dict[str, int]], Findings]]] = {
    "rank": rank.findings,
    "depth": depth.findings,
    "updates": updates.findings,
}


@dataclass(frozen=True)
class Section:
    """A section as the template reads it."""

    id: str
    title: str
    lead: tuple[str, ...]
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Page:
    """The page as text, the figures that lie beside it, and the short verdict (topic, answers)."""

    html: str
    figures: tuple[Figure, ...]
    summary: tuple[tuple[str, str], ...]
    incomplete: str

    def write(self, out: Path) -> Path:
        """Write index.html, data/ and figures/ under ``out``; returns the page's path."""
        for folder in ("data", "figures"):
            (out / folder).mkdir(parents=True, exist_ok=True)
        for figure in self.figures:
            (out / "data" / f"{figure.name}.csv").write_text(figure.data.csv())
            (out / "figures" / f"{figure.name}.svg").write_text(alone(figure.svg))
        (out / "index.html").write_text(self.html)
        return out / "index.html"


def build(results: Results) -> Page:
    """The page of a store's results; equal tables give equal bytes."""
    parts = results.study["parts"]
    rules = dict.fromkeys(rule for part in parts for rule in part["rules"])
    colors = {rule: index for index, rule in enumerate(rules)}
    found = [
        KINDS[part["kind"]](part, results.table.filter(pc.field("part") == part["name"]), colors)
        for part in parts
    ]
    verdicts = [verdict for findings in found for verdict in findings.verdicts]
    blocks = [block for findings in found for block in findings.blocks]
    blocks += [Block("completeness", "", completeness(results)), *methods.blocks(results)]
    sections = [
        Section(id_, title, lead, tuple(block for block in blocks if block.section == id_))
        for id_, title, lead in SECTIONS
    ]
    short = summary(verdicts)
    environment = Environment(
        loader=PackageLoader("benchmark.report", "."),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
        keep_trailing_newline=True,
    )
    environment.filters |= {"number": number, "bounds": bounds}
    html = environment.get_template("template.html.j2").render(
        study=results.study,
        incomplete=incomplete(results),
        style=style(),
        summary=short,
        verdicts=[
            (part, [(ask, list(told)) for ask, told in groupby(group, lambda v: v.question)])
            for part, group in groupby(verdicts, lambda v: v.part)
        ],
        sections=[s for s in sections if s.blocks or s.id == "verdict"],
    )
    figures = tuple(item for b in blocks for item in b.items if isinstance(item, Figure))
    return Page(html, figures, short, incomplete(results))


def summary(verdicts: Sequence[Verdict]) -> tuple[tuple[str, str], ...]:
    """A line per topic: every part's answers by rule."""
    lines = {}
    for verdict in verdicts:
        answers = lines.setdefault(verdict.topic, {}).setdefault(verdict.part, {})
        answers.setdefault(verdict.answer, []).append(verdict.rule)
    return tuple(
        (
            topic,
            "; ".join(
                f"{part}: "
                + ", ".join(f"{answer} ({', '.join(rules)})" for answer, rules in answers.items())
                for part, answers in parts.items()
            ),
        )
        for topic, parts in lines.items()
    )


def incomplete(results: Results) -> str:
    """What is missing, in a sentence; empty where nothing is."""
    if results.complete:
        return ""
    failed, missing, planned = (
        sum(getattr(count, name) for count in results.counts)
        for name in ("failed", "missing", "planned")
    )
    return f"Of {planned} planned units, {missing} are missing and {failed} failed."


def completeness(results: Results) -> tuple[str | Table, ...]:
    """Units and replicas of every stage, what failed and what was set aside."""
    counted = Table(
        "Units (one architecture with all its replicas) and replicas of every stage",
        ("part, stage", "planned", "done", "failed", "missing", "replicas", "diverged")
        + ("untrainable",),
        [
            (f"{c.part}, {c.stage}", c.planned, c.done, c.failed, c.missing, c.replicas)
            + (c.diverged, c.untrainable)
            for c in results.counts
        ],
    )
    failures = [
        (failure.description, failure.attempt, failure.error)
        for failure in results.failures.values()
    ]
    listed = Table(
        "Units that failed, by their last attempt", ("unit", "attempt", "error"), failures
    )
    aside = f"{results.quarantined} damaged files were set aside in quarantine/."
    return (counted, *([listed] if failures else []), *([aside] if results.quarantined else []))


def style() -> str:
    """The style sheet."""
    return Path(__file__).with_name("style.css").read_text()


def alone(svg: str) -> str:
    """A drawing that stands on its own: with the page's colours, light and dark."""
    colors = style()[: style().index("* {")]
    own = f"<style>{colors} svg {{ background: var(--paper); font-family: sans-serif; }}</style>"
    return svg.replace("</title>", f"</title>{own}", 1) + "\n"
