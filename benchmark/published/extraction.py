"""NATS-Bench's records as one table, read record by record."""

from __future__ import annotations

from itertools import chain
from pathlib import Path

import pyarrow as pa
from rich.console import Console
from rich.progress import track

from benchmark.published.nats_bench import Records
from benchmark.published.table import KEY, SCHEMA, write_table


def extract_table(folder: Path, out: Path, console: Console) -> int:
    """Write the table of every record in ``folder``; returns the number of rows."""
    records = Records(folder)
    reading = track(sorted(records.paths), "reading records", console=console)
    rows = chain.from_iterable(map(records.rows, reading))
    columns = list(zip(*rows, strict=True))
    arrays = [pa.array(c, field.type) for c, field in zip(columns, SCHEMA, strict=True)]
    table = pa.table(arrays, schema=SCHEMA).sort_by([(name, "ascending") for name in KEY])
    write_table(table, out)
    return len(table)
