"""``python -m benchmark.export RESULTS --out FILE.csv``: every row of a study as one table; or with
``--to tensorboard|mlflow|wandb --out FOLDER`` a run of that tracker for every row."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet

from benchmark.command import Parser, entry_point, local_path
from benchmark.store.results import Results
from benchmark.tracking import TRACKERS, log_results
from search_spaces.errors import InvalidInput
from search_spaces.output_files import make_output


def write_csv(table: pa.Table, file: Path) -> None:
    """Write a row per line; a list is its JSON, nothing is an empty field."""
    for place, field in enumerate(table.schema):
        if pa.types.is_list(field.type):
            texts = [
                None if value is None else json.dumps(value) for value in table[place].to_pylist()
            ]
            table = table.set_column(place, field.name, pa.array(texts, pa.string()))
    with file.open("wb") as stream:
        pyarrow.csv.write_csv(table, stream)


def write_parquet(table: pa.Table, file: Path) -> None:
    """Write the columns as they are, every page with its checksum."""
    with file.open("wb") as stream:  # a bare path could be taken for the URI of a remote storage
        pyarrow.parquet.write_table(table, stream, write_page_checksum=True)


WRITERS: Final[Mapping[str, Callable[[pa.Table, Path], None]]] = {
    ".csv": write_csv,
    ".parquet": write_parquet,
}


def export_rows(results: Results, out: Path) -> None:
    """Write ``results.table`` (part, kind and stage, then the columns of ``store.schema``).

    The file appears whole or not at all. Raises ``InvalidInput`` where the name ends in neither
    .csv nor .parquet, and where the file cannot be written.
    """
    write = WRITERS.get(out.suffix)
    if write is None:
        raise InvalidInput(f"--out {out} ends in no known way; use {' or '.join(WRITERS)}")
    make_output(out, lambda draft: write(results.table, draft))


def select_part(results: Results, part: str | None) -> pa.Table:
    """The rows of a part, or all; raises ``InvalidInput`` for a part that is not there."""
    if part is None:
        return results.table
    names = [each["name"] for each in results.study["parts"]]
    if part not in names:
        raise InvalidInput(f"--part {part} is no part of this study; use one of {', '.join(names)}")
    return results.table.filter(pc.field("part") == part)


@entry_point
def main(argv: Sequence[str] | None = None) -> int:
    """Export a results folder; 0, or 3 where the study is incomplete, or 2 for bad input."""
    parser = Parser(prog="python -m benchmark.export", description=__doc__)
    parser.add_argument("results", metavar="RESULTS", help="the folder or URI of a job's results")
    parser.add_argument(
        "--out",
        type=local_path,
        required=True,
        metavar="FILE.csv|FILE.parquet|FOLDER",
        help="the table, or the new folder that a tracker's files go to",
    )
    parser.add_argument("--to", choices=TRACKERS, help="write a tracker's files, without a network")
    parser.add_argument("--part", help="log this part alone (with --to)")
    options = parser.parse_args(argv)
    results = Results.load(options.results)
    if options.to:
        table = select_part(results, options.part)
        count = log_results(table, results.study["name"], options.to, options.out)
        print(f"{options.out}: {count:,} runs for {options.to}")
    else:
        export_rows(results, options.out)
        rows, columns = results.table.shape
        print(f"{options.out}: {rows:,} rows, {columns} columns")
    if not results.complete:
        print("the study is incomplete; python -m benchmark status says what is missing")
        return 3
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
