"""The rows of many units in one table, found again by unit."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from benchmark.store.formats import schema
from benchmark.store.formats.unit_file import UnitFile
from benchmark.study.unit import canonical_json


@dataclass(frozen=True)
class Collection:
    """``rows`` of units in order; ``lengths`` and ``provenance`` by unit id, in the same order."""

    rows: pa.Table
    lengths: dict[str, int]
    provenance: dict[str, dict[str, Any]]

    @classmethod
    def of(cls, files: dict[str, UnitFile]) -> Collection:
        """The units of these files. Copies their rows, which frees the files' own buffers."""
        tables = [schema.SCHEMA.empty_table(), *(file.rows for file in files.values())]
        return cls(
            pa.concat_tables(tables).combine_chunks(),
            {unit_id: len(file.rows) for unit_id, file in files.items()},
            {unit_id: share_values(file.provenance) for unit_id, file in files.items()},
        )

    @classmethod
    def join(cls, collections: Iterable[Collection]) -> Collection:
        """One after the other."""
        parts = [cls.of({}), *collections]
        return cls(
            pa.concat_tables([part.rows for part in parts]),
            {unit_id: length for part in parts for unit_id, length in part.lengths.items()},
            {unit_id: record for part in parts for unit_id, record in part.provenance.items()},
        )

    @cached_property
    def starts(self) -> dict[str, int]:
        """The first row of every unit."""
        ends = np.cumsum([0, *self.lengths.values()])
        return dict(zip(self.lengths, ends.tolist(), strict=False))

    def __contains__(self, unit_id: str) -> bool:
        return unit_id in self.lengths

    def select(self, ids: Iterable[str]) -> pa.Table:
        """The rows of those of these units that are here, in the order asked for."""
        return self.rows.take(self.find_rows(ids))

    def find_rows(self, ids: Iterable[str]) -> NDArray[np.int64]:
        """The numbers of the rows of those of these units that are here, in the order asked for."""
        spans = [
            np.arange(self.starts[unit_id], self.starts[unit_id] + self.lengths[unit_id])
            for unit_id in ids
            if unit_id in self
        ]
        return np.concatenate([np.empty(0, np.int64), *spans])


def share_values(record: dict[str, Any]) -> dict[str, Any]:
    """An equal record whose values are those of other records, where they are equal: units are
    trained by the thousand on one machine with one set of versions."""
    shared: dict[str, Any] = {}
    for name, value in record.items():
        if isinstance(value, str):
            value = sys.intern(value)
        elif isinstance(value, dict):
            value = share_object(canonical_json(value))
        shared[sys.intern(name)] = value
    return shared


@lru_cache(maxsize=256)
def share_object(text: str) -> Any:
    """What a JSON text says, the same for equal texts."""
    return json.loads(text)
