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
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from benchmark.analysis.intervals import Array
from benchmark.store.folder.seal import Corrupt, blank_seal, has_seal, seal_bytes
from search_spaces.errors import InvalidInput
from search_spaces.nasbench201.cell import N_CELLS, official_order, write
from search_spaces.output_files import write_output

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
MARK: Final = "published-seal"
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


def read_table(path: Path | str) -> Published:
    """The table this module writes, or a wide one (``WIDE``), told apart by their columns.

    Raises ``InvalidInput`` for a missing file, other columns, and rows that cannot be right.
    """
    path = Path(path)
    try:
        data = path.read_bytes()
    except FileNotFoundError as error:
        raise InvalidInput(f"published table {path}: there is no such file") from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InvalidInput(f"published table {path} cannot be read ({reason})") from error
    try:
        has_seal(data, MARK)  # a table that another program rewrote has none
        table = pq.read_table(pa.BufferReader(data))
    except (Corrupt, pa.ArrowException, ValueError, KeyError, OSError) as error:
        reason = str(error).splitlines()[0]
        raise InvalidInput(
            f"published table {path} is damaged or no Parquet file ({reason}); write it again "
            "with python -m benchmark.published"
        ) from error
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
    digest = hashlib.sha256(data).hexdigest()
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


def write_table(table: pa.Table, out: Path) -> None:
    """Write a table as a sealed file, whole or not at all; raises ``InvalidInput``."""
    sink = pa.BufferOutputStream()
    with pq.ParquetWriter(sink, table.schema, compression="zstd") as writer:
        writer.write_table(table)
        writer.add_key_value_metadata({"seal": blank_seal(MARK).decode()})
    data = seal_bytes(sink.getvalue().to_pybytes(), MARK)
    write_output(out, data, make_folder=True)
