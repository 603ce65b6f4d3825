"""Questions in columns, what they are asked of in rows, and an answer in words in each cell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import isnan

from benchmark.analysis.intervals import Interval
from benchmark.analysis.thresholds import ACCURACY_MARGIN
from benchmark.findings.answers.words import EXPONENTS, LAW_WORDS, PERCENT, UNITS, WORDS, Tone, Word
from benchmark.findings.content import format_interval, format_number
from benchmark.findings.verdict import INITIALIZATION, Verdict


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

    @property
    def tells(self) -> int:
        """How many entries are more than "cannot tell"."""
        return sum(entry.verdict.answer != "undetermined" for entry in self.entries.values())

    @property
    def stated(self) -> Column:
        """The same, with the entries alone that the law's paper speaks of."""
        kept = {name: entry for name, entry in self.entries.items() if entry.verdict.stated}
        return replace(self, entries=kept)

    @property
    def measured(self) -> bool:
        """Whether any entry has an effect, or an answer."""
        return self.told or any(entry.effect for entry in self.entries.values())

    @property
    def told(self) -> bool:
        """Whether any is."""
        return self.tells > 0


@dataclass(frozen=True)
class Matrix:
    """Questions in ``columns``; ``rows`` are what they are asked of, each a ``heading``."""

    heading: str
    rows: tuple[str, ...]
    columns: tuple[Column, ...]


def make_matrix(heading: str, verdicts: Sequence[Verdict], order: Sequence[str] = ()) -> Matrix:
    """A column for each question about each part; rows in ``order``, then as they come."""
    grouped: dict[tuple[str, str, str], dict[str, Entry]] = {}
    for v in verdicts:
        name = v.rule.removeprefix(INITIALIZATION)
        grouped.setdefault((v.part, v.topic, v.question), {})[name] = enter(v)
    columns = tuple(Column(*key, entries) for key, entries in grouped.items())
    met = dict.fromkeys(name for column in columns for name in column.entries)
    return Matrix(heading, tuple(dict.fromkeys([*filter(met.__contains__, order), *met])), columns)


def enter(v: Verdict) -> Entry:
    """A verdict in words, with its effect."""
    value = v.value
    if value is None or isnan(value.estimate):
        return Entry(v, choose_word(v), "", "")
    scale, unit = (100 if v.topic in PERCENT else 1), UNITS.get(v.topic, "")
    estimate = f"{format_number(scale * value.estimate)}{unit}"
    effect = format_interval(value, scale, unit) if value.determined else estimate
    if v.topic in LAW_WORDS:
        return Entry(v, choose_word(v), effect, effect)
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
    words = WORDS.get(v.topic) or LAW_WORDS.get(v.topic, {})
    if v.answer == "undetermined" and v.why.startswith("void"):
        return words["void"]
    if v.answer == "no" and v.value is not None and v.value.determined:
        if v.value.high < 0 and "hurts" in words:
            return words["hurts"]
        if v.value.low > -ACCURACY_MARGIN and "same" in words:
            return words["same"]
    tone: Tone = {"yes": "good", "no": "bad"}.get(v.answer, "unknown")  # type: ignore[assignment]
    return words.get(v.answer, (v.answer, tone, f"{v.topic}: {v.answer} for {{}}"))
