"""The tables of docs/speed.md, made from the measured rows in reports/speed.

``python tests/support/speed_page.py`` writes them between the page's marks; a test compares.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from benchmark.analysis.intervals import t_interval
from benchmark.speed import precision
from benchmark.speed.table import SpeedRow
from search_spaces.output_files import replace_between

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "speed.md"
MEASURED = ROOT / "reports" / "speed"
BEGIN, END = "<!-- speed: made by tests/support/speed_page.py -->\n", "<!-- end of speed -->"


def read_file(file: Path) -> tuple[list[SpeedRow], dict[str, Any]]:
    """The rows of one run, and where it ran."""
    table = pq.read_table(file)
    rows = [SpeedRow(**row) for row in table.to_pylist()]
    return rows, json.loads(table.schema.metadata[b"provenance"])


def describe_origin(origin: dict[str, Any], names: list[str]) -> str:
    """Machine, versions and files of a table."""
    repeats = f", {origin['repeats']} interleaved repeats" if "repeats" in origin else ""
    files = ", ".join(f"`{name}`" for name in names)
    return (
        f"Measured on one of {origin['cores']} cores of {origin['processor']}, "
        f"PyTorch {origin['versions']['torch']}{repeats} ({files})."
    )


def list_ways(rows: list[SpeedRow]) -> Iterator[str]:
    """A line per network and way: rows that lose stand like those that win."""
    yield "| network | way | replica-steps/s: median (range) | ratio | arithmetic |"
    yield "|---|---|---:|---:|---|"
    for subject, group in groupby(rows, key=lambda row: row.subject):
        for row in group:
            if row.section == "speed" and row.values and row.unit == "steps/s":
                ratio = "" if row.ratio is None else f"{row.ratio:.2f}"
                yield f"| {subject} | {row.name} | {row.text} | {ratio} | {row.note} |"


def list_others(rows: list[SpeedRow]) -> Iterator[str]:
    """What is not a network: the machine's best, and what must stay quick when studies grow."""
    yield "| what | by | median (range) | note |"
    yield "|---|---|---:|---|"
    for row in rows:
        if row.values and row.unit != "steps/s":
            yield f"| {row.subject} | {row.name} | {row.text} {row.unit} | {row.note} |"


def list_differences(rows: list[SpeedRow]) -> Iterator[str]:
    """A line per network and rate: float32's loss, and how far bfloat16's outcomes lie from it."""
    yield "| network | rate | loss in float32 | difference of losses (nats) | of test accuracies |"
    yield "|---|---:|---|---|---|"
    for subject, group in groupby(rows, key=lambda row: row.subject):
        *pairs, ratios = group
        for loss, accuracy in zip(pairs[::2], pairs[1::2], strict=True):
            rate = loss.name.removeprefix("loss at ")
            note = loss.note.removeprefix("float32: ")
            yield (
                f"| {subject} | {rate} | {note} | {describe_mean(loss, 1)} | "
                f"{describe_mean(accuracy, 100)} |"
            )
        same = sum(ratio == 1 for ratio in ratios.values)
        yield f"| {subject} | best | | the same rate for {same} of {len(ratios.values)} seeds | |"


def describe_mean(row: SpeedRow, factor: int) -> str:
    """A mean over seeds with its 95% interval and how many there are; in points for factor 100."""
    found = t_interval(factor * np.array(row.values, dtype=np.float64))
    unit = " points" if factor == 100 else ""
    if not found.determined:
        return f"n = {found.n}"
    return f"{found.estimate:+.2g} [{found.low:+.2g}, {found.high:+.2g}]{unit}, n = {found.n}"


def make_tables() -> str:
    """The text between the page's marks."""
    files = [(file.name, *read_file(file)) for file in sorted(MEASURED.glob("*.parquet"))]
    compared = [each for each in files if each[1][0].section == precision.SECTION]
    timed = [each for each in files if each not in compared]
    rows = [row for _, found, _ in timed for row in found]
    lines: list[str] = []
    if timed:
        lines += [
            "## Against other ways to train",
            "",
            describe_origin(timed[0][2], [name for name, _, _ in timed]),
            "",
            *list_ways(rows),
            "",
            "## The rest",
            "",
            *list_others(rows),
            "",
        ]
    lines += ["## bfloat16", ""]
    for name, found, origin in compared:
        lines += [describe_origin(origin, [name]), "", *list_differences(found), ""]
    return "\n".join(lines)


if __name__ == "__main__":
    replace_between(PAGE, BEGIN, END, make_tables())
