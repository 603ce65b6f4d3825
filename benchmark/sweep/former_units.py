"""Results that earlier versions stored under another id: found, and stored again under today's.

A unit's id used to hold the path of its data set as it was typed. The numbers are the same, so a
job copies such a unit, with its provenance, to the id of its content; the old file stays.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

import pyarrow as pa

from benchmark.store.formats.unit_file import UnitFile
from benchmark.store.store import Store
from benchmark.study.unit import Unit


def find_stored_id(unit: Unit, done: Collection[str]) -> str | None:
    """The id under which a unit is stored: its own, a former one, or None."""
    return next((each for each in (unit.id, *unit.former_ids) if each in done), None)


def adopt_former_units(store: Store, units: Iterable[Unit]) -> set[str]:
    """Store units that are known under a former id alone under their own; returns these.

    Raises ``StoreUnwritable``.
    """
    candidates = [unit for unit in units if unit.dataset_former]
    if not candidates:
        return set()
    done = store.done()
    found = {unit: find_stored_id(unit, done) for unit in candidates}
    former = {stored: unit for unit, stored in found.items() if stored not in (None, unit.id)}
    adopted = set()
    for files in store.read_units([stored for stored in former if stored is not None]):
        for stored, file in files.items():
            unit = former[stored]
            store.write_file(unit.id, rename(file, unit))
            adopted.add(unit.id)
    return adopted


def rename(file: UnitFile, unit: Unit) -> UnitFile:
    """The same rows and provenance, as the unit names itself now."""
    rows = file.rows
    for column, value in (("unit_id", unit.id), ("dataset", unit.dataset)):
        index = rows.schema.get_field_index(column)
        values = pa.array([value] * len(rows), rows.schema.field(index).type)
        rows = rows.set_column(index, rows.schema.field(index), values)
    return UnitFile(rows, file.provenance, unit.canonical)
