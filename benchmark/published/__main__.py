"""``python -m benchmark.published NATS_DIR --out FILE``: NATS-Bench's records as one table."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from benchmark.command import Parser, entry_point, local_path


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
    options = parser.parse_args(arguments)
    from rich.console import Console

    from benchmark.published.extraction import extract_table  # loads what reads records

    console = Console()
    console.print(
        f"loading the pickles of {options.records}: they can run code, so trust their origin",
        soft_wrap=True,
        highlight=False,
        markup=False,
    )
    rows = extract_table(options.records, options.out, console)
    print(f"{options.out}: {rows:,} accuracies")
    return 0


if __name__ == "__main__":
    sys.exit(main())
