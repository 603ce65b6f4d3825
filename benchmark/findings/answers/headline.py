"""The sentences that open a page: what each part says of the laws and of the rules."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from benchmark.findings.answers.matrix import Column
from benchmark.findings.answers.networks import count_rungs, name_networks
from benchmark.findings.answers.words import CANNOT_TELL, TOLD_LAWS, TONES, WORDS, Word
from benchmark.findings.content import title_name
from benchmark.findings.verdict import is_judged

MOST_SENTENCES: Final = 5
"""Parts and further questions that are told; a last sentence may name the silent parts."""


def tell_parts(
    parts: Sequence[Mapping[str, Any]], columns: Sequence[Column], laws: Sequence[Column]
) -> Iterator[str]:
    """The headline: of each part what can be told of the laws of its best rate and the first
    question about its rules, then further questions; last, in a sentence each, the parts of which
    nothing can be told and those that are not judged."""
    ranked = sorted(columns, key=rank_topic)
    stated = [law.stated for law in laws if law.topic in TOLD_LAWS and law.stated.measured]
    told: list[tuple[Column, ...]] = []
    silent = []
    for part in parts:
        mine = [column for column in ranked if column.part == part["name"]]
        own = [law for law in laws if law.part == part["name"]]
        shown = [law for law in stated if law.part == part["name"]]
        shown += ([column for column in mine if column.told] or mine)[:1]
        if known := tuple(column for column in shown if column.told):
            told.append(known)
        elif (mine or own) and not any(law.told for law in own):
            silent.append(title_name(part["name"]))
    met = [column for columns in told for column in columns]
    further = [(column,) for column in ranked if column.told and column not in met]
    about = {part["name"]: describe_part(part) for part in parts}
    unjudged = [title_name(part["name"]) for part in parts if not is_judged(part)]
    most = MOST_SENTENCES - bool(silent) - bool(unjudged)
    chosen = choose_columns(told, most)
    for picked in (*chosen, *choose_columns(further, most - len(chosen))):
        yield write_sentences(about[picked[0].part], picked)
    if silent:
        one = len(silent) == 1
        yield (
            f"The part{'' if one else 's'} {join_names(silent)} leave{'s' if one else ''} every "
            "question open."
        )
    if unjudged:
        one = len(unjudged) == 1
        yield (
            f"The part{'' if one else 's'} {join_names(unjudged)} show{'s' if one else ''} how the "
            f"measures are made: {'it is' if one else 'they are'} too small to answer, and "
            f"{'is' if one else 'are'} not judged."
        )


def choose_columns(told: Sequence[tuple[Column, ...]], most: int) -> list[tuple[Column, ...]]:
    """At most so many, in their order: those that ask something new, then those that tell more."""
    left = list(told)
    chosen: list[tuple[Column, ...]] = []
    asked: set[str] = set()
    while left and len(chosen) < most:
        best = max(
            left,
            key=lambda columns: (
                len({column.topic for column in columns if column.told} - asked),
                sum(column.tells for column in columns),
            ),
        )
        left.remove(best)
        chosen.append(best)
        asked |= {column.topic for column in best}
    return sorted(chosen, key=told.index)


def rank_topic(column: Column) -> int:
    """The order in which the headline asks."""
    order = list(WORDS)
    return order.index(column.topic) if column.topic in order else len(order)


def describe_part(part: Mapping[str, Any]) -> str:
    """What a part trained, in a few words."""
    networks = name_networks(part["space"], part.get("options", {}))
    if part.get("depths"):
        what = f"{networks} of {count_rungs(part)}"
        if part.get("widths"):
            what += f", {min(part['widths'])} to {max(part['widths'])} wide"
    else:
        what = f"{part['sample'] or 'all'} {networks}"
    return f"On {what} ({title_name(part['name'])})"


def write_sentences(about: str, columns: Sequence[Column]) -> str:
    """A sentence for each question of a part: who was asked, by what the answer means.

    Of whom it cannot be told is named without numbers, which the matrix has.
    """
    said = []
    for column in columns:
        by_word: dict[Word, list[str]] = {}
        open_names = []
        for name, entry in column.entries.items():
            if entry.word[0] == CANNOT_TELL and column.told:
                open_names.append(name)
            else:
                told = f"{name} ({entry.estimate})" if entry.estimate else name
                by_word.setdefault(entry.word, []).append(told)
        ordered = sorted(by_word, key=lambda word: TONES.index(word[1]))
        clauses = [word[2].format(join_names(by_word[word])) for word in ordered]
        if open_names:
            clauses.append(f"of {join_names(open_names)} it cannot be told")
        said.append("; ".join(clauses))
    first, *others = said
    return " ".join([f"{about}, {first}.", *(f"There, {each}." for each in others)])


def join_names(names: Sequence[str]) -> str:
    """Names as a list is read."""
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last
