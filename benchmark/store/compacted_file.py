"""Many finished units in one Parquet file, which any reader of Parquet opens.

The columns are ``schema.SCHEMA`` and two more, given in the first row of each unit and null in its
others: ``unit`` (its canonical JSON) and ``provenance`` (JSON). The file is named by the sha256 of
its bytes, which seals it; a number drawn anew makes every file's bytes its own, so that no name is
ever used twice.
"""

from __future__ import annotations

import hashlib
import json
from typing import Final
from uuid import uuid4

import pyarrow as pa
from pyarrow import parquet

from benchmark.store import schema
from benchmark.store.unit_file import READERS, Corrupt, UnitFile, newer
from benchmark.study.unit import canonical_json

FORMAT: Final = 1
SUFFIX: Final = ".parquet"


def encode(files: dict[str, UnitFile]) -> tuple[str, bytes]:
    """The name and the bytes of one file with these units, in the order of their ids."""
    ordered = [files[unit_id] for unit_id in sorted(files)]
    table = pa.concat_tables([schema.SCHEMA.empty_table(), *(file.rows for file in ordered)])
    for name, texts in (
        ("unit", [file.unit for file in ordered]),
        ("provenance", [canonical_json(file.provenance) for file in ordered]),
    ):
        column = [
            text if row == 0 else None
            for file, text in zip(ordered, texts, strict=True)
            for row in range(len(file.rows))
        ]
        table = table.append_column(name, pa.array(column, pa.string()))
    table = table.replace_schema_metadata(
        {
            b"format": str(FORMAT).encode(),
            b"schema_version": str(schema.VERSION).encode(),
            b"drawn": uuid4().hex.encode(),
        }
    )
    sink = pa.BufferOutputStream()
    parquet.write_table(table, sink, compression="zstd")
    data: bytes = sink.getvalue().to_pybytes()
    return hashlib.sha256(data).hexdigest() + SUFFIX, data


def decode(data: bytes, name: str) -> dict[str, UnitFile]:
    """Its units; raises ``Corrupt``, or ``InvalidInput`` where a newer version wrote it."""
    if hashlib.sha256(data).hexdigest() + SUFFIX != name:
        raise Corrupt("the name is not the checksum of the bytes")
    table = parquet.read_table(pa.BufferReader(data))
    metadata = table.schema.metadata
    version = int(metadata[b"schema_version"])
    if version not in READERS or int(metadata[b"format"]) != FORMAT:
        raise newer(name[:12], version)
    units, provenances = table["unit"].to_pylist(), table["provenance"].to_pylist()
    rows = READERS[version](
        table.drop_columns(["unit", "provenance"]).replace_schema_metadata(None)
    ).combine_chunks()
    starts = [row for row, unit in enumerate(units) if unit is not None]
    return {
        hashlib.sha256(units[start].encode()).hexdigest(): UnitFile(
            rows=rows.slice(start, end - start),
            provenance=json.loads(provenances[start]),
            unit=units[start],
        )
        for start, end in zip(starts, [*starts[1:], len(units)], strict=True)
    }
