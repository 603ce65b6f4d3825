"""What was measured, as lines to read and as a Parquet file."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from itertools import groupby
from pathlib import Path
from statistics import median
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from rich.console import Console

from benchmark.store.provenance import describe_environment, find_commit
from benchmark.study.unit import canonical_json
from search_spaces.output_files import write_output


@dataclass
class SpeedRow:
    """One measured thing: a value per repeat, or the reason why there is none."""

    section: str
    subject: str
    name: str
    unit: str
    values: list[float] = field(default_factory=list)
    ratio: float | None = None
    note: str = ""

    @property
    def text(self) -> str:
        """The median, and the range where there are several."""
        if not self.values:
            return "skipped"
        middle = format_value(median(self.values))
        if len(self.values) == 1:
            return middle
        return f"{middle} ({format_value(min(self.values))} to {format_value(max(self.values))})"


def format_value(value: float) -> str:
    """Three digits."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def show_rows(rows: list[SpeedRow], console: Console) -> None:
    """Print rows under a heading for each subject."""
    for subject, group in groupby(rows, key=lambda row: row.subject):
        console.print(f"\n{subject}", highlight=False, markup=False)
        for row in group:
            ratio = "" if row.ratio is None else f"{row.ratio:.2f}x"
            line = f"  {row.name:26} {row.text:>26} {row.unit:8} {ratio:>8}  {row.note}"
            console.print(line.rstrip(), highlight=False, markup=False, soft_wrap=True)


SCHEMA = pa.schema(
    [
        ("section", pa.string()),
        ("subject", pa.string()),
        ("name", pa.string()),
        ("unit", pa.string()),
        ("values", pa.list_(pa.float64())),
        ("ratio", pa.float64()),
        ("note", pa.string()),
    ]
)


def write_rows(rows: list[SpeedRow], path: Path, **facts: Any) -> None:
    """All rows as Parquet; versions, machine and ``facts`` are its metadata."""
    origin = describe_environment() | {"commit": find_commit()} | facts
    schema = SCHEMA.with_metadata({"provenance": canonical_json(origin)})
    table = pa.Table.from_pylist([asdict(row) for row in rows], schema=schema)
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink)
    write_output(path, sink.getvalue().to_pybytes())
