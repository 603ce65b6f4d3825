"""NAS-Bench-201's published accuracies: one small table, written once and read by reports.

``python -m benchmark.published NATS_DIR --out FILE.parquet`` makes it from NATS-Bench's records. A
row is one accuracy, a share in [0, 1], of one cell, data set, split, number of epochs and seed. A
null seed is the mean over the seeds there are; a seed that was not run has no row.

CIFAR-10 has two data sets: ``cifar10`` (trained on all 50,000 images, test split only) and
``cifar10-valid`` (trained on half of them, validated on the rest).
"""

from __future__ import annotations

import hashlib
import re
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Final, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray
from pyarrow import fs
from rich.console import Console
from rich.progress import track

from benchmark.command import Parser, entry_point
from benchmark.published.nats_bench import Records
from benchmark.store import atomic
from search_spaces.errors import InvalidInput
from search_spaces.nasbench201.cell import N_CELLS, official_order, write

Array = NDArray[np.float64]
Item = TypeVar("Item")

SCHEMA: Final = pa.schema(
    {
        "index": pa.int32(),
        "arch": pa.string(),
        "dataset": pa.string(),
        "split": pa.string(),
        "epochs": pa.int32(),
        "seed": pa.int32(),
        "accuracy": pa.float64(),
    }
)
KEY: Final = ("index", "dataset", "split", "epochs", "seed")
WIDE: Final = re.compile(r"(c10|c100|in16)_(valid|test)_(\d+)(?:_s(\d+)_v10)?")
"""Columns of a wide table, percent: data set, split, epochs, and place among the cell's seeds."""
WIDE_DATASETS: Final = {
    ("c10", "test"): "cifar10",
    ("c10", "valid"): "cifar10-valid",
    **{("c100", split): "cifar100" for split in ("test", "valid")},
    **{("in16", split): "imagenet16-120" for split in ("test", "valid")},
}
DECIMALS: Final = 6
"""Shares are rounded to a ten-thousandth of a point: the means of equal accuracies, which records
hold with single-precision noise, must tie. Accuracies differ by at least 1 / 30,000."""
LINE_EVERY: Final = 10.0  # seconds between plain lines


@dataclass(frozen=True)
class Published:
    """Published accuracies by official index; ``source`` says which file they are from."""

    table: pa.Table
    source: str

    def accuracy_A(self, dataset: str, epochs: int = 200, split: str = "test") -> Array:
        """The mean over seeds of every cell, (15,625,); NaN where there is none."""
        rows = self._rows(dataset, epochs, split).filter(pc.field("seed").is_null())
        value_A = np.full(N_CELLS, np.nan)
        value_A[rows["index"].to_numpy()] = rows["accuracy"].to_numpy()
        return value_A.round(DECIMALS)

    def seeds_AS(self, dataset: str, epochs: int = 200, split: str = "test") -> Array:
        """One column per seed, (15,625, S); NaN where a cell lacks the seed. S may be 0."""
        rows = self._rows(dataset, epochs, split).filter(pc.field("seed").is_valid())
        seeds, place_N = np.unique(rows["seed"].to_numpy(), return_inverse=True)
        value_AS = np.full((N_CELLS, len(seeds)), np.nan)
        value_AS[rows["index"].to_numpy(), place_N] = rows["accuracy"].to_numpy()
        return value_AS.round(DECIMALS)

    def _rows(self, dataset: str, epochs: int, split: str) -> pa.Table:
        return self.table.filter(
            (pc.field("dataset") == dataset)
            & (pc.field("epochs") == epochs)
            & (pc.field("split") == split)
        )


def read(path: Path | str) -> Published:
    """The table this module writes, or a wide one (``WIDE``), told apart by their columns.

    Raises ``InvalidInput`` for a missing file, other columns, and rows that cannot be right.
    """
    path = Path(path)
    if not path.is_file():
        raise InvalidInput(f"published table {path}: there is no such file")
    try:
        table = pq.read_table(path)
    except (pa.ArrowInvalid, OSError) as error:
        raise InvalidInput(f"published table {path} is no Parquet file") from error
    wide = [match for name in table.column_names if (match := WIDE.fullmatch(name))]
    if set(SCHEMA.names) <= set(table.column_names):
        table = _cast(path, table.select(SCHEMA.names))
    elif wide and {"nats_index", "arch"} <= set(table.column_names):
        table = pa.concat_tables(_melt(path, table, wide))
    else:
        raise InvalidInput(
            f"published table {path} has columns {', '.join(table.column_names[:8])}; it needs "
            f"{', '.join(SCHEMA.names)} (python -m benchmark.published writes them), or "
            "nats_index, arch and columns such as c10_test_200"
        )
    _check(path, table)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return Published(table, f"{path.name} (sha256 {digest[:16]})")


def _cast(path: Path, table: pa.Table) -> pa.Table:
    try:
        return table.cast(SCHEMA)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise InvalidInput(f"published table {path}: {str(error).splitlines()[0]}") from error


def _melt(path: Path, wide: pa.Table, columns: Iterable[re.Match[str]]) -> Iterator[pa.Table]:
    """The rows of every accuracy column; seeds are numbered by place, their names being unknown."""
    for match in columns:
        data, split, epochs, seed = match.groups()
        rows = wide.select(["nats_index", "arch", match[0]])
        rows = rows.filter(~pc.field(match[0]).is_null(nan_is_null=True))
        constants = (WIDE_DATASETS[data, split], split, int(epochs), seed and int(seed))
        values: list[pa.Array | pa.ChunkedArray] = [
            pa.repeat(pa.scalar(value, field.type), len(rows))
            for value, field in zip(constants, list(SCHEMA)[2:6], strict=True)
        ]
        percent = rows[match[0]].cast(pa.float64())
        values = [rows["nats_index"], rows["arch"], *values, pc.divide(percent, 100.0)]
        yield _cast(path, pa.table(values, names=SCHEMA.names))


def _check(path: Path, table: pa.Table) -> None:
    """Official indices and strings, shares, and one row per key."""
    for name in SCHEMA.names:
        if name != "seed" and table[name].null_count:
            raise InvalidInput(f"published table {path} has a row without {name}")
    share_N = table["accuracy"].to_numpy()
    if not ((share_N >= 0) & (share_N <= 1)).all():
        raise InvalidInput(f"published table {path}: accuracies must be shares in [0, 1]")
    order = official_order()
    for row in table.group_by(["index", "arch"]).aggregate([]).to_pylist():
        index, arch = row["index"], row["arch"]
        if not 0 <= index < N_CELLS or arch != write(order[index]):
            raise InvalidInput(f"published table {path}: {arch} is not the cell of index {index}")
    if len(table.group_by(list(KEY)).aggregate([])) < len(table):
        raise InvalidInput(f"published table {path} has two rows for one of its {', '.join(KEY)}")


def extract(folder: Path, out: Path, console: Console) -> int:
    """Write the table of every record in ``folder``; returns the number of rows."""
    records = Records(folder)
    rows = chain.from_iterable(map(records.rows, watched(sorted(records.paths), console)))
    columns = list(zip(*rows, strict=True))
    arrays = [pa.array(c, field.type) for c, field in zip(columns, SCHEMA, strict=True)]
    table = pa.table(arrays, schema=SCHEMA).sort_by([(name, "ascending") for name in KEY])
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="zstd")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        atomic.write(fs.LocalFileSystem(), str(out), sink.getvalue().to_pybytes())
    except OSError as error:
        raise InvalidInput(f"--out {out} cannot be written ({error.strerror})") from error
    return len(table)


def watched(items: Sequence[Item], console: Console) -> Iterator[Item]:
    """The items, with a bar on a terminal and a line now and then elsewhere."""
    if console.is_terminal:
        yield from track(items, "reading records", console=console)
        return
    begin = lined = time.monotonic()
    for done, item in enumerate(items):
        now = time.monotonic()
        if now - lined >= LINE_EVERY:
            left = (now - begin) * (len(items) - done) / done
            console.print(f"{done:,} of {len(items):,} records, {left:.0f} s left", highlight=False)
            lined = now
        yield item


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
    parser.add_argument("--out", type=Path, required=True, help="the Parquet file to write")
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
