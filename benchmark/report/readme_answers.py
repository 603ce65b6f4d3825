"""What all committed studies found, short enough for the README: a table for each question."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from benchmark.findings.answers.headline import describe_part
from benchmark.findings.answers.matrix import Column, Entry
from benchmark.findings.answers.study import answer_study
from benchmark.findings.answers.words import EXPONENTS, TONES, WORDS, Word
from benchmark.findings.comparisons.laws import tell_laws
from benchmark.findings.content import Table, format_number
from benchmark.findings.verdict import Findings
from benchmark.report.markdown import format_table
from benchmark.store.results import Results

LAWS: Final = (
    "**How does the best rate fall with depth?** Laws that were published, each on ladders of "
    "networks that differ in depth alone, under the weights for which its paper states it:"
)
ASKED: Final[Mapping[str, str]] = {
    "Loss near the best": "**Does a rule's rate reach the best loss?** Numbers are training loss, "
    "in nats, above the lowest that anything reached, on average over a ladder; near is within 5% "
    "of the loss of guessing",
    "Step stays flat": "**Does one step keep its size at every depth?** Numbers are the power of "
    "depth by which it changes; 0 is right",
    "Accuracy rises": "**Does test accuracy rise against the published rate?** Numbers are "
    "percentage points",
    "Ranking changes": "**Does the ranking of architectures change by more than seeds change it?** "
    "Numbers are Kendall's tau",
}
"""How the README asks the questions of ``WORDS``; others are asked by their topic."""


class AnsweredStudy(NamedTuple):
    """A study's results, what they say, and the path of its page."""

    results: Results
    found: Findings
    page: str


def summarize_studies(studies: Sequence[AnsweredStudy]) -> str:
    """Markdown: how often each law held, a table of rules for each question, and the studies.

    Parts of which nothing can be told are named below the tables.
    """
    lines = [LAWS, ""]
    judged = [(each.results.study, each.found[0]) for each in studies]
    lines += [*(f"- {said}" for said, _ in tell_laws(judged)), ""]
    answered = [(each, list_columns(each)) for each in studies]
    for topic in WORDS:
        rows = [
            (name_part(study, column), column.entries)
            for study, columns in answered
            for column in columns
            if column.topic == topic and column.told
        ]
        if rows:
            _, _, *table = format_table(tabulate_entries(rows, topic in EXPONENTS))
            lines += [f"{ASKED.get(topic, f'**{topic}.**')}.", "", *table, ""]
    lines += [*list_silent(answered), "The studies, each with its page:", ""]
    lines += [f"- [{each.results.study['question']}]({each.page})" for each in studies]
    return "\n".join(lines)


def list_columns(study: AnsweredStudy) -> tuple[Column, ...]:
    """The questions about rules that a study asks."""
    return answer_study(study.results.study["parts"], study.found[0]).rules.columns


def name_part(study: AnsweredStudy, column: Column) -> str:
    """What a part trained, as a link to its page."""
    (part,) = (each for each in study.results.study["parts"] if each["name"] == column.part)
    return f"[{describe_part(part).removeprefix('On ')}]({study.page})"


def tabulate_entries(rows: Sequence[tuple[str, Mapping[str, Entry]]], powers: bool) -> Table:
    """A row per part, a column per answer, the rules with their numbers in the cells."""
    words = dict.fromkeys(entry.word for _, entries in rows for entry in entries.values())
    ordered: list[Word] = sorted(words, key=lambda word: TONES.index(word[1]))
    body = [
        (
            name,
            *(
                ", ".join(tell_rule(rule, e, powers) for rule, e in entries.items() if e.word == w)
                for w in ordered
            ),
        )
        for name, entries in rows
    ]
    return Table("", ("networks", *(word[0] for word in ordered)), body)


def tell_rule(rule: str, entry: Entry, powers: bool) -> str:
    """A rule and its number."""
    value = entry.verdict.value
    number = format_number(value.estimate) if powers and value else entry.estimate
    return f"`{rule}` {number.removesuffix(' nats')}".rstrip()


def list_silent(answered: Sequence[tuple[AnsweredStudy, Sequence[Column]]]) -> Iterator[str]:
    """The parts whose questions about rules all stay open, in a sentence; nothing without any."""
    silent = [
        name_part(study, next(column for column in columns if column.part == part))
        for study, columns in answered
        for part in dict.fromkeys(column.part for column in columns)
        if not any(column.told for column in columns if column.part == part)
    ]
    if silent:
        yield f"Too small to tell, so far: {'; '.join(silent)}."
        yield ""
