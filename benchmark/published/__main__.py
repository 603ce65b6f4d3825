"""``python -m benchmark.published NATS_DIR --out FILE``: NATS-Bench's records as one table."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from itertools import chain
from pathlib import Path

import pyarrow as pa
from rich.console import Console
from rich.progress import track

from benchmark.command import Parser, entry_point, local_path
from benchmark.published.nats_bench import Records
from benchmark.published.table import KEY, SCHEMA, write_table


def extract(folder: Path, out: Path, console: Console) -> int:
    """Write the table of every record in ``folder``; returns the number of rows."""
    records = Records(folder)
    reading = track(sorted(records.paths), "reading records", console=console)
    rows = chain.from_iterable(map(records.rows, reading))
    columns = list(zip(*rows, strict=True))
    arrays = [pa.array(c, field.type) for c, field in zip(columns, SCHEMA, strict=True)]
    table = pa.table(arrays, schema=SCHEMA).sort_by([(name, "ascending") for name in KEY])
    write_table(table, out)
    return len(table)


@entry_point
def main(arguments: Sequence[str] | None = None) -> int:
    """Write the table; 0, or 2 where the records cannot be used."""
    parser = Parser(
        prog="python -m benchmark.published",
        description="NATS-Bench's accuracies of NAS-Bench-201 as one small Parquet table.",
        epilog="The records are pickles, and loading a pickle can run any code in it: name only a "
        "folder whose origin you trust. No other file is loaded.",
    )
    parser.add_argument("records", type=Path, help="the folder NATS-tss-v1_0-3ffb9-simple")
    parser.add_argument("--out", type=local_path, required=True, help="the Parquet file to write")
    console = Console()
    options = parser.parse_args(arguments)
    console.print(
        f"loading the pickles of {options.records}: they can run code, so trust their origin",
        soft_wrap=True,
        highlight=False,
        markup=False,
    )
    rows = extract(options.records, options.out, console)
    print(f"{options.out}: {rows:,} accuracies")
    return 0


if __name__ == "__main__":
    sys.exit(main())
