"""What a page is made of: verdicts, and blocks of notes, tables and figures in named sections."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isinf, isnan
from typing import Literal

from benchmark.analysis.bootstrap import Interval

Cell = str | int | float | Interval | None
Answer = Literal["yes", "no", "undetermined"]


@dataclass(frozen=True)
class Table:
    """Rows under column names; the first column names the row."""

    title: str
    columns: tuple[str, ...]
    rows: Sequence[Sequence[Cell]]

    def csv(self) -> str:
        """The rows at full precision; missing values are empty."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(self.columns)
        writer.writerows(self.rows)
        return text.getvalue()


@dataclass(frozen=True)
class Figure:
    """A drawing with what it shows in words and the numbers behind it.

    ``name`` is the file stem in ``figures/`` and ``data/`` and the anchor in the page; ``finding``
    is the caption, ``svg`` the drawing, ``data`` its points (scalars only).
    """

    name: str
    title: str
    finding: str
    svg: str
    data: Table


@dataclass(frozen=True)
class Verdict:
    """The answer to one question about one rule, with the numbers that give it.

    ``topic`` is the question in a few words, for the summary.
    """

    part: str
    topic: str
    question: str
    rule: str
    answer: Answer
    because: str


@dataclass(frozen=True)
class Block:
    """What one part of the study adds to one section of the page."""

    section: str
    part: str
    items: tuple[str | Table | Figure, ...]


@dataclass(frozen=True)
class Findings:
    """All that one part of the study says."""

    verdicts: tuple[Verdict, ...]
    blocks: tuple[Block, ...]


def slug(*names: str) -> str:
    """A file stem and anchor from names."""
    return re.sub(r"[^a-z0-9]+", "-", "-".join(names).lower()).strip("-")


def sentence(text: str) -> str:
    """A reason as a sentence; empty stays empty."""
    return f"{text[0].upper()}{text[1:]}." if text else ""


def number(value: float | None) -> str:
    """A number as read: about three digits, a true minus sign, a dash where missing."""
    if value is None or isnan(value):
        return "–"
    if isinf(value):
        return "∞" if value > 0 else "−∞"
    size = abs(value)
    if isinstance(value, int) or size >= 100:
        text = f"{value:,.0f}"
    elif size >= 0.01 or size == 0:
        text = f"{value:.{1 if size >= 10 else 2 if size >= 1 else 3}f}"
    else:
        text = f"{value:.2g}"
    return text.replace("-", "−")


def percent(value: float | None) -> str:
    """A share as a percentage with one decimal."""
    return "–" if value is None or isnan(value) else f"{100 * value:.1f}%".replace("-", "−")


def interval(value: Interval, scale: float = 1.0, unit: str = "") -> str:
    """``estimate [low, high], n``, or the estimate and why it has no interval."""
    return f"{number(value.estimate * scale)}{unit} {bounds(value, scale)}"


def bounds(value: Interval, scale: float = 1.0) -> str:
    """``[low, high], n``, or why there are none."""
    if not value.determined:
        return f"(undetermined: {value.reason})"
    return f"[{number(value.low * scale)}, {number(value.high * scale)}], n = {value.n}"


def interval_data(title: str, values: Mapping[str, Interval], scale: float = 1.0) -> Table:
    """Intervals as plain numbers."""
    return Table(
        title,
        ("of", "estimate", "low", "high", "n", "method"),
        [
            (key, v.estimate * scale, v.low * scale, v.high * scale, v.n, v.method)
            for key, v in values.items()
        ],
    )
