"""What studies found as Markdown: the same verdicts and tables as the page, for ``docs/``.

Every number comes from a committed table of results; nothing here is typed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, Final

from benchmark.findings.answers.study import answer_study
from benchmark.findings.comparisons.laws import tell_laws
from benchmark.findings.content import Block, Table, format_number
from benchmark.findings.verdict import Findings, Verdict
from benchmark.report.page import describe_missing
from benchmark.store.results import Results

SECTIONS: Final = ("rank", "shift", "slope", "updates")
"""The sections of the page whose tables answer the study's question."""
MANY_LADDERS: Final = (
    "The counts are no test: of many intervals at 95%, one in twenty leaves out a law that holds, "
    "and the ladders of one study share images, depths and seeds."
)
MOST_ROWS: Final = 24
"""Longer tables stay on the page."""
MOST_COLUMNS: Final = 8


def describe_results(results: Results, found: Findings, page: str) -> str:
    """A study as Markdown: its question, what was trained, its verdicts and its tables.

    Args:
        results: The study's results.
        found: What ``judge_study`` says of them.
        page: The path of its report, relative to the file that the text will stand in.
    """
    study, (verdicts, blocks) = results.study, found
    said = [f"- {sentence}" for sentence in answer_study(study["parts"], verdicts).headline]
    lines = [f"## {study['question']}", "", *said, "", *describe_study(results, page), ""]
    for part in study["parts"]:
        lines += [f"### {study['name']}: {part['name']}", "", describe_part(part), ""]
        own = [verdict for verdict in verdicts if verdict.part == part["name"]]
        for question, group in groupby(own, lambda verdict: verdict.question):
            lines += [f"**{question}**", "", *map(describe_verdict, group), ""]
        for table in find_tables(blocks, part["name"]):
            lines += [*format_table(table), ""]
    return "\n".join(lines)


def describe_laws(studies: Sequence[tuple[Results, Findings]]) -> str:
    """What all studies say of each published law, as Markdown."""
    lines = ["## What the studies say of the published laws", ""]
    for said, details in tell_laws([(results.study, found[0]) for results, found in studies]):
        lines += [f"- **{said}**", *(f"  - {detail}" for detail in details)]
    return "\n".join([*lines, "", MANY_LADDERS, ""])


def describe_study(results: Results, page: str) -> Iterator[str]:
    """Which job it was, how complete it is, and where its page is."""
    name, _, scale = results.study["name"].partition("-")
    former = f"python jobs/{name}.py" + (f" --scale {scale}" if scale else "")
    command = results.command or former  # of results before commands were recorded
    data = ", ".join(dict.fromkeys(part["dataset"] for part in results.study["parts"]))
    yield f"`{command}` on {data}; [the whole report]({page})."
    if missing := describe_missing(results):
        yield ""
        yield f"**Incomplete**: {missing} What follows may change."


def describe_part(part: Mapping[str, Any]) -> str:
    """The space, what was varied and the recipe of a part, in a sentence."""
    recipe = part["recipe"]
    options = ", ".join(f"{name} {value}" for name, value in part["options"].items())
    size = (
        f"depths {', '.join(map(str, part['depths']))}"
        if part.get("depths")
        else f"{part.get('sample') or 'all'} architectures"
    )
    length = f"{recipe['steps']:,} steps" if recipe.get("steps") else f"{recipe['epochs']} epochs"
    if recipe["epochs"] == 1:
        length = length.replace("1 epochs", "one epoch")
    trained = "one step at initialization" if part["kind"] == "updates" else length
    widths = f", widths {', '.join(map(str, part['widths']))}" if part.get("widths") else ""
    return (
        f"`{part['space']}`{f' ({options})' if options else ''}, {size}{widths}, {part['seeds']} "
        f"seeds, {recipe['optimizer']} at batch {recipe['batch']}, {trained}."
    )


def describe_verdict(verdict: Verdict) -> str:
    """One answer as an item of a list."""
    why = f" ({verdict.why})" if verdict.why else ""
    return f"- {verdict.rule}: **{verdict.answer}**{why}. {verdict.because}".rstrip()


def find_tables(blocks: Sequence[Block], part: str) -> Iterator[Table]:
    """The short tables of a part's sections, without those that only repeat a figure."""
    for block in blocks:
        if block.part != part or block.section not in SECTIONS:
            continue
        for item in block.items:
            if not isinstance(item, Table):  # a figure's numbers are in the table beside the page
                continue
            if len(item.rows) <= MOST_ROWS and len(item.columns) <= MOST_COLUMNS:
                yield item


def format_table(table: Table) -> Iterator[str]:
    """A table with its title."""
    yield f"{table.title}."
    yield ""
    yield "| " + " | ".join(map(escape_cell, table.columns)) + " |"
    yield "|" + "---|" * len(table.columns)
    for row in table.rows:
        yield "| " + " | ".join(escape_cell(format_number(cell)) for cell in row) + " |"


def escape_cell(text: str) -> str:
    """Text that breaks no table."""
    return text.replace("|", "\\|").replace("\n", " ")
