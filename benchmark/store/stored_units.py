"""The units of a results folder, each in a file of its own or in one file with many."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

from benchmark.store.folder.files import Files
from benchmark.store.folder.quarantine import Quarantine
from benchmark.store.formats import compacted_file
from benchmark.store.formats.compacted_file import CompactedFile
from benchmark.store.formats.unit_file import UnitFile, decode

UNIT: Final = re.compile(r"(?P<id>[0-9a-f]{64})\.arrow")
THREADS: Final = 8
"""Readers of unit files, for the sake of object stores, where waiting dominates."""
BATCH: Final = 256
"""Unit files that are held before their rows are joined: an open file costs 100 kB."""


@dataclass(frozen=True)
class StoredUnits:
    """Reads ``units/`` and ``compacted/``; files that fail their checks are quarantined.

    ``compacted`` keeps the compacted files that were opened.
    """

    files: Files
    quarantine: Quarantine
    compacted: dict[str, CompactedFile | None]

    def done(self) -> set[str]:
        """The ids of the units that have a file."""
        return self.list_loose() | self.list_folded()  # in this order: folding writes, then deletes

    def list_loose(self) -> set[str]:
        """The ids of the units that have a file of their own."""
        return {
            match["id"]
            for name in self.files.list_names("units")
            if (match := UNIT.fullmatch(name))
        }

    def list_folded(self) -> set[str]:
        """The ids of the units in compacted files."""
        return {unit_id for file in self.open_compacted().values() for unit_id in file.spans}

    def open_compacted(self) -> dict[str, CompactedFile]:
        """The compacted files by name; one that fails its checks is quarantined."""
        found = self.list_compacted()
        while new := [name for name in found if name not in self.compacted]:
            for name in new:
                self.compacted[name] = self.open_one_compacted(name)
            found = self.list_compacted()  # one may have been replaced
        return {name: file for name in found if (file := self.compacted[name]) is not None}

    def list_compacted(self) -> list[str]:
        """The names of the compacted files."""
        return sorted(filter(compacted_file.NAME.fullmatch, self.files.list_names("compacted")))

    def open_one_compacted(self, name: str) -> CompactedFile | None:
        """A compacted file; None where it is missing or was quarantined."""

        def read() -> CompactedFile | None:
            file = self.files.open("compacted", name)
            return file and CompactedFile(file, name)

        return self.quarantine.check("compacted", name, read)

    def read(self, ids: Iterable[str]) -> Iterator[dict[str, UnitFile]]:
        """Those of ``ids`` that are there and pass, some at a time, in the order that is quick."""
        wanted = dict.fromkeys(ids)
        if not wanted:
            return  # without listing a folder: workers ask so for every unit that reuses nothing
        loose = self.list_loose()
        for file in self.open_compacted().values():
            for units in file.read(wanted):
                yield units
                for unit_id in units:
                    del wanted[unit_id]
        for some in split_batches([unit_id for unit_id in wanted if unit_id in loose], BATCH):
            units = self.read_loose(some)
            if missing := [unit_id for unit_id in some if unit_id not in units]:
                units |= self.read_folded(missing)  # damaged, or folded since
            if units:
                yield units

    def find(self, unit_id: str) -> UnitFile | None:
        """A unit that is done, wherever it is kept; None where it is missing or damaged."""
        return (self.read_loose([unit_id]) or self.read_folded([unit_id])).get(unit_id)

    def read_loose(self, ids: Sequence[str]) -> dict[str, UnitFile]:
        """Those of these units that have a file of their own which passes its checks."""

        def read(unit_id: str) -> UnitFile | None:
            name = f"{unit_id}.arrow"
            return self.quarantine.read_checked("units", name, lambda data: decode(data, unit_id))

        if len(ids) == 1:
            found = [read(ids[0])]
        else:
            with ThreadPoolExecutor(THREADS) as pool:
                found = list(pool.map(read, ids))
        return {i: file for i, file in zip(ids, found, strict=True) if file is not None}

    def read_folded(self, ids: Sequence[str]) -> dict[str, UnitFile]:
        """Those of these units that are in compacted files."""
        files = self.open_compacted().values()
        return {i: unit for file in files for units in file.read(ids) for i, unit in units.items()}


def split_batches(items: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    """Split into runs of at most ``size``."""
    for start in range(0, len(items), size):
        yield items[start : start + size]
