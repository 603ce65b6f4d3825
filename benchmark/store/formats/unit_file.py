"""The bytes of one finished unit: an Arrow IPC file, sealed by a checksum over itself.

The schema's metadata holds the schema version, the unit's canonical JSON, the provenance and the
seal (``benchmark.store.folder.seal``).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import pyarrow as pa

from benchmark.store.folder.seal import Corrupt, blank_seal, has_seal, seal_bytes
from benchmark.store.formats import schema
from benchmark.study.unit import Unit, canonical_json
from search_spaces.errors import InvalidInput

MARK: Final = "unit-seal"


@dataclass(frozen=True)
class UnitFile:
    """What one file says: the rows (``schema.SCHEMA``), how they came about, and the unit's
    canonical JSON, for whoever asks what its id stands for."""

    rows: pa.Table
    provenance: dict[str, Any]
    unit: str


def encode(unit: Unit, rows: list[dict[str, Any]], provenance: dict[str, Any]) -> bytes:
    """The sealed file of a unit's rows; raises ``ArrowInvalid`` on rows that do not fit."""
    return seal(UnitFile(schema.make_table(rows), provenance, unit.canonical))


def seal(file: UnitFile) -> bytes:
    """The bytes of a file."""
    metadata = {
        b"schema_version": str(schema.VERSION).encode(),
        b"unit": file.unit.encode(),
        b"provenance": canonical_json(file.provenance).encode(),
        b"seal": blank_seal(MARK),
    }
    table = file.rows.replace_schema_metadata(metadata)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
    blank: bytes = sink.getvalue().to_pybytes()
    return seal_bytes(blank, MARK)


def decode(data: bytes, unit_id: str) -> UnitFile:
    """Read a file back; raises ``Corrupt``, or ``InvalidInput`` where a newer version wrote it."""
    if not has_seal(data, MARK):
        raise Corrupt("no seal")
    table = pa.ipc.open_file(pa.py_buffer(data)).read_all()
    metadata = table.schema.metadata
    if hashlib.sha256(metadata[b"unit"]).hexdigest() != unit_id:
        raise Corrupt("the file's name is another unit's")
    version = int(metadata[b"schema_version"])
    if version not in READERS:
        raise explain_newer(unit_id[:12], version)
    return UnitFile(
        rows=READERS[version](table.replace_schema_metadata(None)),
        provenance=json.loads(metadata[b"provenance"]),
        unit=metadata[b"unit"].decode(),
    )


def equal_rows(first: pa.Table, second: pa.Table) -> bool:
    """Whether two tables hold the same values, where NaN equals NaN.

    Arrow finds that NaN differs from itself, so tables that Arrow calls different are compared
    again as text, in which a value has one spelling.
    """
    if first.equals(second):
        return True
    return first.schema.equals(second.schema) and repr(first.to_pylist()) == repr(
        second.to_pylist()
    )


def explain_newer(name: str, version: int) -> InvalidInput:
    """The sentence for a file that a newer version wrote."""
    return InvalidInput(
        f"{name} was written in schema {version}, and this version reads "
        f"{sorted(READERS)}; upgrade before reading these results"
    )


def read_version_1(table: pa.Table) -> pa.Table:
    """Schema 1 lacks the columns that schema 2 added: they are null."""
    known = schema.SCHEMA.names
    added = [name for name in known if name in schema.ADDED_IN_2]
    if table.schema.names != [name for name in known if name not in added]:
        raise unknown_columns(1)
    for name in added:
        field = schema.SCHEMA.field(name)
        table = table.append_column(field, pa.nulls(len(table), field.type))
    return read_version_2(table.select(known))


def read_version_2(table: pa.Table) -> pa.Table:
    """Schema 2 is the present one."""
    if not table.schema.equals(schema.SCHEMA):
        raise unknown_columns(2)
    return table


def unknown_columns(version: int) -> InvalidInput:
    """The sentence for other columns than a schema's. Where the seal held they are no damage:
    another version wrote them, and they stay."""
    return InvalidInput(
        f"these results have other columns than this version's schema {version}; read them with "
        "the version that wrote them, or give --out another folder and train anew"
    )


READERS: Final[dict[int, Callable[[pa.Table], pa.Table]]] = {1: read_version_1, 2: read_version_2}
"""How each released schema becomes the present one."""
