"""The answers of a study: a few sentences, a matrix of rules x questions, a line per question.

All three are made here from the same verdicts, so that they cannot disagree.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import isnan
from typing import Any, Final, Literal

from benchmark import rules
from benchmark.analysis.intervals import Interval
from benchmark.analysis.thresholds import ACCURACY_MARGIN
from benchmark.findings.content import format_interval, format_number, title_name
from benchmark.findings.verdict import Verdict

Tone = Literal["good", "bad", "neutral", "unknown"]
MOST_SENTENCES: Final = 5
CANNOT_TELL: Final = "cannot tell"
CONTROLLED: Final = ("Ranking changes", "Accuracy rises")
"""Topics where a rule's yes is void if its placebo gets a yes as well."""
Word = tuple[str, Tone, str]
"""An answer in a few words, whether it is good news for the rule, and its clause of a sentence."""
WORDS: Final[Mapping[str, Mapping[str, Word]]] = {
    "Accuracy rises": {
        "yes": ("helps", "good", "test accuracy rises under {}"),
        "hurts": ("hurts", "bad", "test accuracy falls under {}"),
        "same": ("no difference", "neutral", "test accuracy stays within half a point under {}"),
        "no": (
            "does not help",
            "neutral",
            "test accuracy does not rise by half a point under {}",
        ),
        "void": ("void", "unknown", "test accuracy rises under {}, and under its placebo as well"),
        "undetermined": (CANNOT_TELL, "unknown", "whether it changes under {} cannot be told"),
    },
    "Loss near the best": {
        "yes": ("near the best", "good", "{} trains to near the lowest loss that anything reached"),
        "no": ("loses", "bad", "{} trains to a loss clearly above the lowest"),
        "undetermined": (
            CANNOT_TELL,
            "unknown",
            "whether the loss under {} lies near the lowest cannot be told",
        ),
    },
    "Step stays flat": {
        "yes": ("stays flat", "good", "one step keeps its size at every depth under {}"),
        "no": ("drifts", "bad", "the size of one step changes with depth under {}"),
        "undetermined": (
            CANNOT_TELL,
            "unknown",
            "whether one step keeps its size under {} cannot be told",
        ),
    },
    "Ranking changes": {
        "yes": ("changes it", "neutral", "the ranking changes by more than seed noise under {}"),
        "no": ("no change", "neutral", "the ranking changes by no more than seed noise under {}"),
        "void": (
            "void",
            "unknown",
            "it changes under {}, but as much under the same rates dealt to others",
        ),
        "undetermined": (
            CANNOT_TELL,
            "unknown",
            "whether the ranking changes under {} cannot be told",
        ),
    },
    "Beats the placebo": {
        "yes": ("better", "good", "{} gains more than its placebo"),
        "no": ("not better", "bad", "{} gains no more than its placebo"),
        "undetermined": (
            CANNOT_TELL,
            "unknown",
            "whether {} gains more than its placebo cannot be told",
        ),
    },
    "Stands for 200 epochs": {
        "yes": ("stands for it", "good", "the ranking under {} stands for the published one"),
        "no": ("does not", "bad", "the ranking under {} does not stand for the published one"),
        "undetermined": (
            CANNOT_TELL,
            "unknown",
            "whether the ranking under {} stands for the published one cannot be told",
        ),
    },
}
"""What an answer means, by topic; the headline asks the topics in this order."""
TONES: Final[Sequence[Tone]] = ("good", "bad", "neutral", "unknown")
"""The order of clauses in a sentence."""
PERCENT: Final = ("Accuracy rises", "Beats the placebo")
"""Topics whose interval is a share, read in percentage points."""
UNITS: Final = {"Loss near the best": " nats", "Ranking changes": " tau"} | dict.fromkeys(
    PERCENT, " points"
)
EXPONENTS: Final = ("Step stays flat",)
"""Topics whose interval is an exponent of depth."""


@dataclass(frozen=True)
class Entry:
    """One rule's answer to one question: in words, and the effect with and without interval."""

    verdict: Verdict
    word: Word
    effect: str
    estimate: str


@dataclass(frozen=True)
class Column:
    """One question about one part, and its entries by rule."""

    part: str
    topic: str
    question: str
    entries: Mapping[str, Entry]


@dataclass(frozen=True)
class Answers:
    """``headline`` in sentences, ``columns`` of the matrix over ``rules``, ``summary`` by topic."""

    headline: tuple[str, ...]
    rules: tuple[str, ...]
    columns: tuple[Column, ...]
    summary: tuple[tuple[str, str], ...]


def void_controlled(verdicts: Sequence[Verdict]) -> list[Verdict]:
    """The verdicts, a yes made void where the rule's own placebo gets the same yes."""
    asked = {v.rule for v in verdicts}
    yes = {(v.part, v.topic, v.rule) for v in verdicts if v.answer == "yes"}
    found = []
    for v in verdicts:
        placebo = rules.placebo_of(v.rule, asked) if v.topic in CONTROLLED else None
        if v.answer == "yes" and placebo and (v.part, v.topic, placebo) in yes:
            why = f"void: {placebo}, its placebo, gets the same yes"
            v = replace(v, answer="undetermined", why=why)
        found.append(v)
    return found


def answer_study(parts: Sequence[Mapping[str, Any]], verdicts: Sequence[Verdict]) -> Answers:
    """The answers of these verdicts, which went through ``void_controlled``."""
    names = tuple(dict.fromkeys(rule for part in parts for rule in part["rules"]))
    grouped: dict[tuple[str, str, str], dict[str, Entry]] = {}
    for v in verdicts:
        if v.rule in names:
            grouped.setdefault((v.part, v.topic, v.question), {})[v.rule] = enter(v)
    columns = tuple(Column(*key, entries) for key, entries in grouped.items())
    about = {part["name"]: describe_part(part) for part in parts}
    picked = pick_columns(columns)[:MOST_SENTENCES]
    headline = [write_sentence(about[column.part], column) for column in picked]
    return Answers(
        tuple(headline),
        tuple(rule for rule in names if any(rule in column.entries for column in columns)),
        columns,
        summarize_verdicts(verdicts),
    )


def enter(v: Verdict) -> Entry:
    """A verdict in words, with its effect."""
    value = v.value
    if value is None or isnan(value.estimate):
        return Entry(v, choose_word(v), "", "")
    scale, unit = (100 if v.topic in PERCENT else 1), UNITS.get(v.topic, "")
    estimate = f"{format_number(scale * value.estimate)}{unit}"
    effect = format_interval(value, scale, unit) if value.determined else estimate
    if v.topic in EXPONENTS:
        way = "shrinks" if value.estimate < 0 else "grows"
        return Entry(v, choose_word(v), f"power of depth {effect}", f"{way} as {tell_power(value)}")
    return Entry(v, choose_word(v), effect, estimate)


def tell_power(value: Interval) -> str:
    """An exponent of depth with its interval, as it is said."""
    power = f"depth to the power {format_number(value.estimate)}"
    if not value.determined:
        return power
    return f"{power} [{format_number(value.low)}, {format_number(value.high)}]"


def choose_word(v: Verdict) -> Word:
    """What a verdict means: not every no is the same no."""
    words = WORDS.get(v.topic, {})
    if v.answer == "undetermined" and v.why.startswith("void"):
        return words["void"]
    if v.answer == "no" and v.value is not None and v.value.determined:
        if v.value.high < 0 and "hurts" in words:
            return words["hurts"]
        if v.value.low > -ACCURACY_MARGIN and "same" in words:
            return words["same"]
    tone: Tone = {"yes": "good", "no": "bad"}.get(v.answer, "unknown")  # type: ignore[assignment]
    return words.get(v.answer, (v.answer, tone, f"{v.topic}: {v.answer} for {{}}"))


def pick_columns(columns: Sequence[Column]) -> list[Column]:
    """The questions of the headline: one of each part, then the others, by the order of topics."""
    order = list(WORDS)
    ranked = sorted(columns, key=lambda c: order.index(c.topic) if c.topic in order else 99)
    parts = dict.fromkeys(column.part for column in columns)
    first = [next(column for column in ranked if column.part == part) for part in parts]
    return [*first, *(column for column in ranked if column not in first)]


def describe_part(part: Mapping[str, Any]) -> str:
    """What a part trained, in a few words."""
    depths = part.get("depths")
    if depths:
        what = f"{part['space']} networks of {min(depths)} to {max(depths)} blocks"
    else:
        what = f"{part['sample'] or 'all'} architectures of {part['space']}"
    return f"On {what} ({title_name(part['name'])})"


def write_sentence(about: str, column: Column) -> str:
    """One sentence for one question: every rule, by what its answer means."""
    by_word: dict[Word, list[str]] = {}
    for rule, entry in column.entries.items():
        told = f"{rule} ({entry.estimate})" if entry.estimate else rule
        by_word.setdefault(entry.word, []).append(told)
    ordered = sorted(by_word, key=lambda word: TONES.index(word[1]))
    clauses = [word[2].format(join_names(by_word[word])) for word in ordered]
    return f"{about}, {'; '.join(clauses)}."


def join_names(names: Sequence[str]) -> str:
    """Names as a list is read."""
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last


def summarize_verdicts(verdicts: Sequence[Verdict]) -> tuple[tuple[str, str], ...]:
    """A line per topic: every part's rules by answer."""
    lines: dict[str, dict[str, dict[str, list[str]]]] = {}
    for v in verdicts:
        answers = lines.setdefault(v.topic, {}).setdefault(v.part, {})
        answers.setdefault(v.answer, []).append(v.rule.removeprefix("initialization "))
    told = {
        topic: [
            f"{part}: "
            + ", ".join(f"{answer} ({', '.join(rules)})" for answer, rules in by.items())
            for part, by in parts.items()
        ]
        for topic, parts in lines.items()
    }
    return tuple((topic, "; ".join(said)) for topic, said in told.items())
