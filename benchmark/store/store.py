"""Results that survive: one file per finished unit, named by content, there whole or not at all.

    OUT/study.json               what was planned (the manifest)
    OUT/units/<id>.arrow         a finished unit: its presence is the commit
    OUT/compacted/<sha>.parquet  many finished units (``benchmark.compact``)
    OUT/failures/<id>.<k>.*.json a k-th failed attempt at a unit, with its traceback
    OUT/checkpoints/<id>.pt      a long unit in training, where OUT is a path (.damaged: set aside)
    OUT/quarantine/              files that failed their checks: set aside, counted, never deleted

``OUT`` is a path or any URI that ``pyarrow.fs`` opens. Nothing is shared or appended to, so any
process may be killed at any time, and two may write the same unit. Every file carries a checksum
over itself, which is compared before the file is believed. Files of other names are left alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from benchmark.store.failures import Failure, FailureLogs, describe_error, describe_unit
from benchmark.store.folder.errors import StoreUnreadable, StoreUnwritable
from benchmark.store.folder.files import FIRST_PAUSES, Files
from benchmark.store.folder.quarantine import Quarantine
from benchmark.store.folder.seal import Corrupt
from benchmark.store.formats.compacted_file import CompactedFile
from benchmark.store.formats.manifest import decode_manifest, encode_manifest, same_study
from benchmark.store.formats.unit_file import UnitFile, encode, seal
from benchmark.store.formats.unit_rows import Collection
from benchmark.store.stored_units import StoredUnits
from benchmark.study.unit import Unit
from search_spaces.errors import InvalidInput

__all__ = ["Failure", "Store", "StoreUnreadable", "StoreUnwritable", "describe_error"]

FOLDERS: Final = ("units", "compacted", "failures", "checkpoints", "quarantine")


@dataclass(frozen=True)
class Store:
    """A results folder; ``Store.open`` makes one. Cheap to make, so every process opens its own."""

    files: Files
    cache: dict[str, CompactedFile | None] = field(default_factory=dict, compare=False, repr=False)
    """The compacted files that were opened, which never change."""
    stuck: set[str] = field(default_factory=set, compare=False, repr=False)
    """Damaged files that were met, in a folder that cannot be written."""

    @classmethod
    def open(cls, uri: str, create: bool = False) -> Store:
        """Open a results folder.

        Raises ``InvalidInput`` where there is none (and ``create`` is false), ``StoreUnreadable``
        where that cannot be told, and ``StoreUnwritable`` where it cannot be made.
        """
        store = cls.locate(uri)
        if create:
            store.files.make_folders(("", *FOLDERS))
        elif not store.files.exists("study.json", pauses=FIRST_PAUSES):
            raise InvalidInput(
                f"{store.files.name} is not a results folder (it has no study.json); "
                "give the folder that a job wrote with --out"
            )
        return store

    @classmethod
    def locate(cls, uri: str) -> Store:
        """The store at a path or URI, whether or not it is there."""
        return cls(Files.locate(uri))

    @property
    def uri(self) -> str:
        """What opens this store in another process; ``files.name`` is for people to see."""
        return self.files.uri

    @property
    def visible(self) -> bool:
        """Whether an opened results folder is there for this machine too."""
        return not self.files.local or Path(self.files.path("units")).is_dir()

    # Units

    @property
    def units(self) -> StoredUnits:
        """The finished units."""
        return StoredUnits(self.files, self.quarantine, self.cache)

    def done(self) -> set[str]:
        """The ids of the units that have a file (see ``verified``)."""
        return self.units.done()

    def verified(self, ids: Iterable[str]) -> set[str]:
        """Those of ``ids`` whose file passes its checks; files that do not are quarantined."""
        wanted = set(ids)
        folded = wanted & self.units.list_folded()
        return folded | {i for files in self.read_units(wanted - folded) for i in files}

    def load(self, ids: Iterable[str]) -> Collection:
        """Those of ``ids`` that are there and pass their checks."""
        return Collection.join(map(Collection.of, self.read_units(ids)))

    def read_units(self, ids: Iterable[str]) -> Iterator[dict[str, UnitFile]]:
        """Those of ``ids`` that are there and pass, some at a time, in the order that is quick."""
        return self.units.read(ids)

    def find_unit(self, unit_id: str) -> UnitFile | None:
        """A unit that is done, wherever it is kept; None where it is missing or damaged."""
        return self.units.find(unit_id)

    def read(self, ids: Sequence[str]) -> pa.Table | None:
        """The rows of these units, or None where any of them is missing."""
        loaded = self.load(ids)
        return loaded.select(ids) if all(unit_id in loaded for unit_id in ids) else None

    def write(self, unit: Unit, rows: list[dict[str, Any]], provenance: dict[str, Any]) -> None:
        """Store a finished unit; raises ``StoreUnwritable``."""
        self.files.write(f"units/{unit.id}.arrow", encode(unit, rows, provenance))

    def write_file(self, unit_id: str, file: UnitFile) -> None:
        """Store a unit that was read elsewhere; raises ``StoreUnwritable``."""
        self.files.write(f"units/{unit_id}.arrow", seal(file))

    def checkpoint(self, unit_id: str) -> Path | None:
        """Where a unit in training may leave its state; None on object stores."""
        local = self.files.local
        return Path(self.files.path("checkpoints", f"{unit_id}.pt")) if local else None

    # What went wrong

    @property
    def quarantine(self) -> Quarantine:
        """Reads files that are checked, and sets aside those that fail."""
        return Quarantine(self.files, self.stuck)

    @property
    def logs(self) -> FailureLogs:
        """The logs of failed attempts."""
        return FailureLogs(self.files, self.quarantine)

    def quarantined(self) -> int:
        """How many files were set aside."""
        return self.quarantine.count()

    def write_failure(self, unit: Unit, error: str, trace: str, killed: bool = False) -> None:
        """Keep the log of a failed attempt; raises ``StoreUnwritable``."""
        self.logs.write(Failure(unit.id, describe_unit(unit), 0, error, trace, killed))

    def attempts(self) -> dict[str, list[int]]:
        """The failed attempts per unit id, in order; two drivers may both have made the k-th."""
        return {i: [attempt for attempt, _ in logs] for i, logs in self.logs.list_logs().items()}

    def failures(self) -> dict[str, Failure]:
        """The last failed attempt at every unit that has one and was not finished since."""
        done = self.done()
        return self.logs.read_last(lambda unit_id: unit_id not in done)

    def killed(self, unit_id: str) -> bool:
        """Whether the last failed attempt at a unit took its worker with it."""
        return any(log.killed for log in self.logs.read_last(unit_id.__eq__).values())

    # The manifest

    def exists(self) -> bool:
        """Whether a job has planned its study here."""
        return self.files.exists("study.json", pauses=FIRST_PAUSES)

    def manifest(self) -> dict[str, Any]:
        """What was planned here (``benchmark.store.formats.manifest``).

        Raises ``InvalidInput`` where it is missing or damaged.
        """
        data = self.files.read("study.json")
        try:
            if data is not None:
                return decode_manifest(data)
        except Corrupt as error:
            raise InvalidInput(
                f"{self.files.name}: study.json is damaged ({error}); run the job again, which "
                "writes it anew and keeps the finished units"
            ) from error
        raise InvalidInput(f"{self.files.name} has no study.json any more; run the job again")

    def require_study(self, name: str) -> None:
        """Raise ``InvalidInput`` where another study's results are here.

        A damaged manifest says nothing; ``write_manifest`` sets it aside.
        """
        data = self.files.read("study.json") if self.exists() else None
        try:
            if data is not None:
                same_study(decode_manifest(data), name, self.files.name)
        except Corrupt:
            return

    def write_manifest(self, manifest: dict[str, Any]) -> None:
        """Say what is planned here; a damaged manifest is set aside first.

        Raises ``StoreUnwritable``.
        """
        self.quarantine.read_checked("", "study.json", decode_manifest)
        self.files.write("study.json", encode_manifest(manifest))
