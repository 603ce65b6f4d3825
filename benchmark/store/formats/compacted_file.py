"""Many finished units in one Parquet file, which any reader of Parquet opens.

The columns are ``schema.SCHEMA`` and two more, given in the first row of each unit and null in its
others: ``unit`` (its canonical JSON) and ``provenance`` (JSON). The file is named by the sha256 of
its bytes, which seals it; a number drawn anew makes every file's bytes its own, so that no name is
ever used twice. Both writing and reading hold some units at a time, not all of them.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import Final
from uuid import uuid4

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from benchmark.store.folder.atomic import BLOCK
from benchmark.store.folder.seal import Corrupt
from benchmark.store.formats import schema
from benchmark.store.formats.unit_file import READERS, UnitFile, explain_newer
from benchmark.study.unit import canonical_json

FORMAT: Final = 1
NAME: Final = re.compile(r"[0-9a-f]{64}\.parquet")
GROUP_UNITS: Final = 256
"""Units of a row group, which is written at once."""
BATCH_ROWS: Final = 4096
"""Rows that are read at once (and the rest of the last unit among them)."""
EXTRA: Final = [pa.field("unit", pa.string()), pa.field("provenance", pa.string())]


class CompactedFile:
    """The units of a file that passed its checks; reads them from the open ``file``.

    ``spans`` gives each unit's first row and its number of rows, in the order of the file. Raises
    ``Corrupt``, or ``InvalidInput`` where a newer version wrote the file.
    """

    def __init__(self, file: pa.NativeFile, name: str) -> None:
        if f"{compute_checksum(file)}.parquet" != name:
            raise Corrupt("the name is not the checksum of the bytes")
        self.parquet = parquet.ParquetFile(file)
        metadata = self.parquet.schema_arrow.metadata
        self.version = int(metadata[b"schema_version"])
        if self.version not in READERS or int(metadata[b"format"]) != FORMAT:
            raise explain_newer(name[:12], self.version)
        self.rows_of(self.parquet.schema_arrow.empty_table())  # other columns raise here
        starts: dict[str, int] = {}
        row = 0
        for batch in self.parquet.iter_batches(BATCH_ROWS, columns=["unit"], use_threads=False):
            column = batch.column(0)
            for place in np.flatnonzero(column.is_valid().to_numpy(zero_copy_only=False)):
                unit = column[int(place)].as_py()
                starts[hashlib.sha256(unit.encode()).hexdigest()] = row + int(place)
            row += len(batch)
        ends = [*list(starts.values())[1:], row]
        self.spans = {
            unit_id: (start, end - start)
            for (unit_id, start), end in zip(starts.items(), ends, strict=bool(starts))
        }

    def rows_of(self, table: pa.Table) -> pa.Table:
        """A table's rows in the present schema."""
        bare = table.drop_columns([field.name for field in EXTRA]).replace_schema_metadata(None)
        return READERS[self.version](bare)

    def read(self, wanted: Collection[str]) -> Iterator[dict[str, UnitFile]]:
        """Those of the wanted units that are here, some at a time, in the order of the file."""
        asked = [(i, *span) for i, span in self.spans.items() if i in wanted]
        if not asked:
            return
        about = self.parquet.metadata
        sizes_G = np.array([about.row_group(g).num_rows for g in range(about.num_row_groups)])
        ends_G = np.cumsum(sizes_G)
        needed_G = np.zeros(len(sizes_G), dtype=bool)
        for _, start, length in asked:
            first, last = np.searchsorted(ends_G, [start, start + length - 1], side="right")
            needed_G[first : last + 1] = True
        skipped_G = np.cumsum(np.where(needed_G, 0, sizes_G))  # rows left out up to a group
        batches = self.parquet.iter_batches(
            BATCH_ROWS, row_groups=np.flatnonzero(needed_G).tolist(), use_threads=False
        )
        held, base = self.parquet.schema_arrow.empty_table(), 0
        queue = iter(asked)
        unit_id, start, length = next(queue)
        for batch in batches:
            held = pa.concat_tables([held, pa.Table.from_batches([batch])])
            ready: dict[str, UnitFile] = {}
            while unit_id:
                group = int(np.searchsorted(ends_G, start, side="right"))
                place = start - int(skipped_G[group]) - base
                if place + length > len(held):
                    passed = min(max(0, place), len(held))
                    held, base = held.slice(passed), base + passed
                    break
                ready[unit_id] = self.unit_at(held.slice(place, length))
                unit_id, start, length = next(queue, ("", 0, 0))
            if ready:
                yield ready
            if not unit_id:
                return

    def unit_at(self, table: pa.Table) -> UnitFile:
        """The unit whose rows these are."""
        return UnitFile(
            rows=self.rows_of(table).combine_chunks(),
            provenance=json.loads(table["provenance"][0].as_py()),
            unit=table["unit"][0].as_py(),
        )


def compute_checksum(file: pa.NativeFile) -> str:
    """The sha256 of all bytes of an open file."""
    file.seek(0)
    digest = hashlib.sha256()
    while block := file.read(BLOCK):
        digest.update(block)
    file.seek(0)
    return digest.hexdigest()


def write_compacted(path: Path, units: Iterable[dict[str, UnitFile]]) -> tuple[str, set[str]]:
    """Write a local file with these units; its name, and the ids of the units that it has.

    Of several results of one unit the first is kept; a unit without rows is left out.
    """
    metadata = {
        b"format": str(FORMAT).encode(),
        b"schema_version": str(schema.VERSION).encode(),
        b"drawn": uuid4().hex.encode(),
    }
    columns = pa.schema([*schema.SCHEMA, *EXTRA], metadata=metadata)
    written: set[str] = set()
    with parquet.ParquetWriter(path, columns, compression="zstd") as writer:
        for group in row_groups(units, written):
            writer.write_table(to_table(group, columns))
    with pa.OSFile(str(path)) as file:
        return f"{compute_checksum(file)}.parquet", written


def row_groups(units: Iterable[dict[str, UnitFile]], written: set[str]) -> Iterator[list[UnitFile]]:
    """The units in groups of at least ``GROUP_UNITS``, each unit once."""
    group: list[UnitFile] = []
    for files in units:
        new = {i: file for i, file in files.items() if i not in written and len(file.rows)}
        written.update(new)
        group += new.values()
        if len(group) >= GROUP_UNITS:
            yield group
            group = []
    if group:
        yield group


def to_table(files: list[UnitFile], columns: pa.Schema) -> pa.Table:
    """The rows of these units with the two further columns."""
    table = pa.concat_tables([file.rows for file in files]).combine_chunks()
    for name, texts in (
        ("unit", [file.unit for file in files]),
        ("provenance", [canonical_json(file.provenance) for file in files]),
    ):
        column = [
            text if row == 0 else None
            for file, text in zip(files, texts, strict=True)
            for row in range(len(file.rows))
        ]
        table = table.append_column(name, pa.array(column, pa.string()))
    return table.cast(columns)
