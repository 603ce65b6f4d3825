"""What a report is made of: notes, tables and figures in blocks, and numbers as they are read."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isinf, isnan

from benchmark.analysis.intervals import Interval
from benchmark.findings.plots import Plot
from search_spaces.graph import ArchGraph

SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


class Link(str):
    """Text that leads to a page, where it has one; a string everywhere else."""

    page: str = ""

    def to(self, page: str) -> Link:
        """The same text, leading to ``page``."""
        link = Link(self)
        link.page = page
        return link


TableCell = str | int | float | Interval | None


@dataclass(frozen=True)
class Table:
    """Rows under column names; the first column names the row."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[TableCell]]

    def csv(self) -> str:
        """The rows at full precision; missing values are empty."""
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows([self.columns, *self.rows])
        return text.getvalue()


@dataclass(frozen=True)
class Figure:
    """The scalars to show, how, and their finding in words (the caption).

    ``name`` is the anchor in the page and the stem of the files in ``figures/`` and ``data/``.
    """

    name: str
    finding: str
    data: Table
    plot: Plot


@dataclass(frozen=True)
class Architectures:
    """A table whose rows open: ``shown`` on the page, each with its graph and lines of text, and
    ``data`` beside it."""

    name: str
    data: Table
    shown: Table
    graphs: Mapping[str, ArchGraph]
    lines: Sequence[Sequence[str]]


@dataclass(frozen=True)
class Paragraphs:
    """Running text, a paragraph each."""

    texts: Sequence[str]


Item = str | Paragraphs | Table | Figure | Architectures
"""What a section shows: a sentence, text, a table, a figure, or a table of architectures."""


@dataclass(frozen=True)
class Block:
    """What one part of the study adds to one section of the page."""

    section: str
    part: str
    items: Sequence[Item]


def tabulate_intervals(
    title: str, values: Mapping[tuple[str, str], Interval], scale: float = 1
) -> Table:
    """Intervals as plain numbers; the keys are (rule, what)."""
    rows: list[list[TableCell]] = [
        [*key, v.estimate * scale, v.low * scale, v.high * scale, v.n, v.method]
        for key, v in values.items()
    ]
    return Table(title, ("rule", "of", "estimate", "low", "high", "n", "method"), rows)


def title_name(name: str) -> str:
    """A part's name as a title: ``residual-depth`` is Residual depth."""
    words = name.replace("-", " ").replace("_", " ")
    return words[:1].upper() + words[1:]


def make_slug(*names: str) -> str:
    """A file stem and anchor."""
    return re.sub(r"[^a-z0-9]+", "-", "-".join(names).lower()).strip("-")


def format_number(value: TableCell, digits: int = 2) -> str:
    """A number as read: three digits near 1, ``digits`` and a power of ten far from it."""
    if isinstance(value, str | Interval):
        return value if isinstance(value, str) else format_interval(value)
    if value is None or isnan(value):
        return "–"
    size = abs(value)
    if isinf(value):
        text = f"{value:+}".replace("inf", "∞").lstrip("+")
    elif isinstance(value, int) or size < 1e-13 or 100 <= size < 1e6:
        text = f"{value:,.0f}".replace("-0", "0")
    elif 0.001 <= size < 100:
        decimals = next((d for d, least in enumerate((10, 1, 0.01), 1) if size >= least), 4)
        text = f"{value:.{decimals}f}"
    else:
        mantissa, power = f"{value:.{digits - 1}e}".split("e")
        raised = str(int(power)).translate(SUPERSCRIPT)
        text = f"10{raised}" if mantissa == "1" else f"{mantissa}·10{raised}"
    return text.replace("-", "−")


def format_interval(value: Interval, scale: float = 1, unit: str = "") -> str:
    """``estimate [low, high], n``, or the estimate and why it has no interval."""
    return f"{format_number(value.estimate * scale)}{unit} {format_bounds(value, scale)}"


def format_bounds(value: Interval, scale: float = 1) -> str:
    """``[low, high], n``, or why there are none."""
    if not value.determined:
        return f"(undetermined: {value.reason})"
    low, high = format_number(value.low * scale), format_number(value.high * scale)
    return f"[{low}, {high}], {format_count(value.n)}"


def format_count(n: int) -> str:
    """``n = 24``, which no line breaks apart."""
    return f"n\u00a0=\u00a0{n:,}"
