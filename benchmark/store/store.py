"""Results that survive: one file per finished unit, named by content, there whole or not at all.

    OUT/study.json               what was planned (the manifest)
    OUT/units/<id>.arrow         a finished unit: its presence is the commit
    OUT/compacted/<sha>.parquet  many finished units (``benchmark.compact``)
    OUT/failures/<id>.<k>.*.json a k-th failed attempt at a unit, with its traceback
    OUT/checkpoints/<id>.pt      a long unit in training, where OUT is a path
    OUT/quarantine/              files that failed their checks: set aside, counted, never deleted

``OUT`` is a path or any URI that ``pyarrow.fs`` opens. Nothing is shared or appended to, so any
process may be killed at any time, and two may write the same unit.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Final, TypeVar
from uuid import uuid4

import pyarrow as pa

from benchmark.store import atomic, compacted_file
from benchmark.store.failures import Failure, describe, description
from benchmark.store.files import Place, StoreUnwritable, locate, unwritable
from benchmark.store.unit_file import Corrupt, UnitFile, decode, encode, seal
from benchmark.store.unit_rows import Collection
from benchmark.study.unit import Unit
from search_spaces.errors import InvalidInput

__all__ = ["Failure", "Store", "StoreUnwritable", "describe"]

THREADS: Final = 8
"""Readers of unit files, for the sake of object stores, where waiting dominates."""
BATCH: Final = 256
"""Unit files that are held before their rows are joined: an open file costs 100 kB."""
FAILURE_LOG: Final = re.compile(
    r"(?P<unit>[0-9a-f]{64})\.(?P<attempt>[1-9][0-9]*)(\.[0-9a-f]{32})?\.json"
)
"""The name of a failure log; those written first had no random part."""

Decoded = TypeVar("Decoded")


@dataclass(frozen=True)
class Store(Place):
    """A results folder; ``Store.open`` makes one. Cheap to make, so every process opens its own."""

    folds: dict[str, dict[str, UnitFile]] = field(default_factory=dict, compare=False, repr=False)
    """The compacted files that were read, which never change."""

    @classmethod
    def open(cls, uri: str, create: bool = False) -> Store:
        """Open a results folder.

        Raises ``InvalidInput`` where there is none (and ``create`` is false), and
        ``StoreUnwritable`` where it cannot be made.
        """
        store = cls.locate(uri)
        if create and store.local:
            try:
                for name in ("units", "compacted", "failures", "checkpoints", "quarantine"):
                    Path(store.path(name)).mkdir(parents=True, exist_ok=True)
                for name in ("", "units", "compacted", "failures"):
                    atomic.remove_leftovers(Path(store.path(name)))
            except OSError as error:
                raise unwritable(store.uri, error) from error
        elif not create and not store.exists():
            raise InvalidInput(
                f"{uri} is not a results folder (it has no study.json); "
                "give the folder that a job wrote with --out"
            )
        return store

    @classmethod
    def locate(cls, uri: str) -> Store:
        """The store at a path or URI, whether or not it is there."""
        filesystem, root = locate(uri)
        return cls(uri if "://" in uri else root, filesystem, root)

    @property
    def visible(self) -> bool:
        """Whether an opened results folder is there for this machine too."""
        return not self.local or Path(self.path("units")).is_dir()

    # Units

    def done(self) -> set[str]:
        """The ids of the units that have a file (see ``verified``)."""
        return self.loose() | self.folded().keys()  # in this order: folding writes, then deletes

    def loose(self) -> set[str]:
        """The ids of the units that have a file of their own."""
        return {name.removesuffix(".arrow") for name in self.names("units", ".arrow")}

    def folded(self) -> dict[str, UnitFile]:
        """The units in compacted files; a file that fails its checks is quarantined."""
        found = self.names("compacted", compacted_file.SUFFIX)
        while new := [name for name in found if name not in self.folds]:
            for name in new:
                self.folds[name] = self.checked("compacted", name, compacted_file.decode) or {}
            found = self.names("compacted", compacted_file.SUFFIX)  # one may have been replaced
        return {i: file for units in self.folds.values() for i, file in units.items()}

    def verified(self, ids: Iterable[str]) -> set[str]:
        """Those of ``ids`` whose file passes its checks; files that do not are quarantined."""
        return {unit_id for files in self.files(ids) for unit_id in files}

    def load(self, ids: Iterable[str]) -> Collection:
        """Those of ``ids`` that are there and pass their checks, in order."""
        return Collection.join(map(Collection.of, self.files(ids)))

    def files(self, ids: Iterable[str]) -> Iterator[dict[str, UnitFile]]:
        """The files of those of ``ids`` that are there and pass, in order, some at a time."""
        present, folded = self.loose(), self.folded()
        present |= folded.keys()
        wanted = [unit_id for unit_id in dict.fromkeys(ids) if unit_id in present]

        def find(unit_id: str) -> UnitFile | None:
            return folded.get(unit_id) or self.load_one(unit_id)

        with ThreadPoolExecutor(THREADS) as pool:
            for some in batched(wanted, BATCH):
                found = dict(zip(some, pool.map(find, some), strict=True))
                if None in found.values():  # damaged, or folded since
                    folded = self.folded()
                    found |= {i: folded.get(i) for i, file in found.items() if file is None}
                yield {unit_id: file for unit_id, file in found.items() if file is not None}

    def load_one(self, unit_id: str) -> UnitFile | None:
        """The unit of a file of its own, or None where it is missing or was quarantined."""
        return self.checked(
            "units", f"{unit_id}.arrow", lambda data, name: decode(data, name.split(".")[0])
        )

    def checked(
        self, folder: str, name: str, decoded: Callable[[bytes, str], Decoded]
    ) -> Decoded | None:
        """What a file says; None where it is missing or was quarantined."""
        data = self.get(folder, name)
        if data is None:
            return None
        try:
            return decoded(data, name)
        except InvalidInput:
            raise
        except (Corrupt, pa.ArrowException, ValueError, KeyError, OSError):
            self.quarantine(folder, name)
            return None

    def read(self, ids: Sequence[str]) -> pa.Table | None:
        """The rows of these units, or None where any of them is missing."""
        loaded = self.load(ids)
        return loaded.select(ids) if all(unit_id in loaded for unit_id in ids) else None

    def write(self, unit: Unit, rows: list[dict[str, Any]], provenance: dict[str, Any]) -> None:
        """Store a finished unit; raises ``StoreUnwritable``."""
        self.put(f"units/{unit.id}.arrow", encode(unit, rows, provenance))

    def write_file(self, unit_id: str, file: UnitFile) -> None:
        """Store a unit that was read elsewhere; raises ``StoreUnwritable``."""
        self.put(f"units/{unit_id}.arrow", seal(file))

    def checkpoint(self, unit_id: str) -> Path | None:
        """Where a unit in training may leave its state; None on object stores."""
        return Path(self.path("checkpoints", f"{unit_id}.pt")) if self.local else None

    # What went wrong

    def quarantine(self, folder: str, name: str) -> None:
        """Set a file aside; in a store that cannot be written it stays where it is."""
        stem, _, suffix = name.rpartition(".")
        aside = self.path("quarantine", f"{stem}.{self.quarantined() + 1}.{suffix}")
        try:
            self.patiently(lambda: self.filesystem.move(self.path(folder, name), aside))
        except OSError:  # read-only, or another reader was first
            return

    def quarantined(self) -> int:
        """How many files were set aside."""
        return sum(len(self.names("quarantine", end)) for end in (".arrow", compacted_file.SUFFIX))

    def write_failure(self, unit: Unit, error: str, trace: str, killed: bool = False) -> None:
        """Keep the log of a failed attempt; raises ``StoreUnwritable``."""
        self.log_failure(Failure(unit.id, description(unit), 0, error, trace, killed))

    def log_failure(self, failure: Failure) -> None:
        """Keep a failure as its unit's next attempt; raises ``StoreUnwritable``.

        Two drivers may count the same attempt; the random part of the name keeps both their logs.
        """
        attempt = 1 + max(self.attempts().get(failure.unit, [0]))
        log = asdict(replace(failure, attempt=attempt))
        name = f"{failure.unit}.{attempt}.{uuid4().hex}.json"
        self.put(f"failures/{name}", json.dumps(log, indent=1).encode())

    def failure_logs(self) -> dict[str, list[tuple[int, str]]]:
        """The attempt and the file name of every failure log per unit id, in order.

        Files that are named otherwise are no logs and are left alone.
        """
        found: dict[str, list[tuple[int, str]]] = {}
        for name in sorted(self.names("failures", ".json")):
            if log := FAILURE_LOG.fullmatch(name):
                found.setdefault(log["unit"], []).append((int(log["attempt"]), name))
        return {unit_id: sorted(logs) for unit_id, logs in found.items()}

    def attempts(self) -> dict[str, list[int]]:
        """The failed attempts per unit id, in order; two drivers may both have made the k-th."""
        return {
            unit_id: [attempt for attempt, _ in logs]
            for unit_id, logs in self.failure_logs().items()
        }

    def failures(self) -> dict[str, Failure]:
        """The last failed attempt at every unit that has one and was not finished since."""
        done = self.done()
        return {
            unit_id: Failure(**self.read_json("failures", logs[-1][1]))
            for unit_id, logs in sorted(self.failure_logs().items())
            if unit_id not in done
        }

    def killed(self, unit_id: str) -> bool:
        """Whether the last failed attempt at a unit took its worker with it."""
        logs = self.failure_logs().get(unit_id, [])
        return any(Failure(**self.read_json("failures", name)).killed for _, name in logs[-1:])

    # The manifest

    def exists(self) -> bool:
        """Whether a job has planned its study here."""
        return self.has("study.json")

    def manifest(self) -> dict[str, Any]:
        """What was planned here (``benchmark.store.manifest``)."""
        return self.read_json("study.json")

    def write_manifest(self, manifest: dict[str, Any]) -> None:
        """Say what is planned here; raises ``StoreUnwritable``."""
        self.put("study.json", json.dumps(manifest, indent=1).encode())


def batched(items: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    """Split into runs of at most ``size``."""
    for start in range(0, len(items), size):
        yield items[start : start + size]
