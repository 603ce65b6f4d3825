"""Results that survive: one file per finished unit, named by content, there whole or not at all.

    OUT/study.json               what was planned (the manifest)
    OUT/units/<id>.arrow         a finished unit: its presence is the commit
    OUT/failures/<id>.<k>.json   the k-th failed attempt at a unit, with its traceback
    OUT/quarantine/              files that failed their checks: set aside, counted, never deleted

``OUT`` is a path or any URI that ``pyarrow.fs`` opens. Nothing is shared or appended to, so any
process may be killed at any time, and two may write the same unit.
"""

from __future__ import annotations

import errno
import json
import traceback
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
from pyarrow import fs

from benchmark import atomic
from benchmark.collection import Collection
from benchmark.unit import Unit
from benchmark.unit_file import Corrupt, UnitFile, decode, encode
from search_spaces.errors import InvalidInput

THREADS: Final = 8
"""Readers of unit files, for the sake of object stores, where waiting dominates."""
BATCH: Final = 256
"""Unit files that are held before their rows are joined: an open file costs 100 kB."""
FULL: Final = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class StoreUnwritable(InvalidInput):
    """The results folder cannot be written; what is in it is intact."""


@dataclass(frozen=True)
class Failure:
    """One failed attempt: ``attempt`` counts from 1, ``error`` is the traceback's last line."""

    unit: str
    description: str
    attempt: int
    error: str
    traceback: str


@dataclass(frozen=True)
class Store:
    """A results folder; ``Store.open`` makes one. Cheap to make, so every process opens its own."""

    uri: str
    filesystem: fs.FileSystem
    root: str

    @classmethod
    def open(cls, uri: str, create: bool = False) -> Store:
        """Open a results folder.

        Raises ``InvalidInput`` where there is none (and ``create`` is false), and
        ``StoreUnwritable`` where it cannot be made.
        """
        store = cls.locate(uri)
        if create:
            try:
                for name in ("units", "failures", "quarantine"):
                    store.filesystem.create_dir(store.path(name), recursive=True)
                if isinstance(store.filesystem, fs.LocalFileSystem):
                    for name in ("", "units", "failures"):
                        atomic.remove_leftovers(Path(store.path(name)))
            except OSError as error:
                raise unwritable(store.uri, error) from error
        elif not store.exists():
            raise InvalidInput(
                f"{uri} is not a results folder (it has no study.json); "
                "give the folder that a job wrote with --out"
            )
        return store

    @classmethod
    def locate(cls, uri: str) -> Store:
        """The store at a path or URI, whether or not it is there."""
        if "://" not in uri:
            path = str(Path(uri).expanduser().absolute())
            return cls(path, fs.LocalFileSystem(), path)
        try:
            filesystem, path = fs.FileSystem.from_uri(uri)
        except (OSError, ValueError) as error:
            reason = " ".join(str(error).split())
            raise InvalidInput(f"{uri} is no place that pyarrow opens ({reason})") from error
        return cls(uri, filesystem, path.rstrip("/"))

    def path(self, *parts: str) -> str:
        """The path of a file of this store on its filesystem."""
        return "/".join((self.root, *(part for part in parts if part)))

    # Units

    def done(self) -> set[str]:
        """The ids of the units that have a file (see ``verified``)."""
        return {name.removesuffix(".arrow") for name in self.names("units", ".arrow")}

    def verified(self, ids: Iterable[str]) -> set[str]:
        """Those of ``ids`` whose file passes its checks; files that do not are quarantined."""
        return {unit_id for files in self.files(ids) for unit_id in files}

    def load(self, ids: Iterable[str]) -> Collection:
        """Those of ``ids`` that are there and pass their checks, in order."""
        return Collection.join(map(Collection.of, self.files(ids)))

    def files(self, ids: Iterable[str]) -> Iterator[dict[str, UnitFile]]:
        """The files of those of ``ids`` that are there and pass, in order, some at a time."""
        present = self.done()
        wanted = [unit_id for unit_id in dict.fromkeys(ids) if unit_id in present]
        with ThreadPoolExecutor(THREADS) as pool:
            for some in batched(wanted, BATCH):
                read = zip(some, pool.map(self.load_one, some), strict=True)
                yield {unit_id: file for unit_id, file in read if file is not None}

    def load_one(self, unit_id: str) -> UnitFile | None:
        """One unit's file, or None where it is missing or was quarantined."""
        data = self.read_bytes(unit_id)
        if data is None:
            return None
        try:
            return decode(data, unit_id)
        except (Corrupt, pa.ArrowException, ValueError, KeyError, OSError) as error:
            if isinstance(error, InvalidInput):
                raise
            self.quarantine(unit_id)
            return None

    def read_bytes(self, unit_id: str) -> bytes | None:
        """A unit's file as it is, unchecked; None where there is none."""
        try:
            with self.filesystem.open_input_stream(self.path("units", f"{unit_id}.arrow")) as file:
                data: bytes = file.read()
                return data
        except FileNotFoundError:
            return None

    def read(self, ids: Sequence[str]) -> pa.Table | None:
        """The rows of these units, or None where any of them is missing."""
        loaded = self.load(ids)
        return loaded.select(ids) if all(unit_id in loaded for unit_id in ids) else None

    def write(self, unit: Unit, rows: list[dict[str, Any]], provenance: dict[str, Any]) -> None:
        """Store a finished unit; raises ``StoreUnwritable``."""
        self.put(f"units/{unit.id}.arrow", encode(unit, rows, provenance))

    def put(self, name: str, data: bytes) -> None:
        """Write one file of the store, whole or not at all; raises ``StoreUnwritable``."""
        path = self.path(name)
        try:
            atomic.write(self.filesystem, path, data)
        except OSError as error:
            raise unwritable(path, error) from error

    # What went wrong

    def quarantine(self, unit_id: str) -> None:
        """Set a unit's file aside; in a store that cannot be written it stays where it is."""
        taken = len(self.names("quarantine", ".arrow"))
        try:
            self.filesystem.move(
                self.path("units", f"{unit_id}.arrow"),
                self.path("quarantine", f"{unit_id}.{taken + 1}.arrow"),
            )
        except OSError:  # read-only, or another reader was first
            return

    def quarantined(self) -> int:
        """How many files were set aside."""
        return len(self.names("quarantine", ".arrow"))

    def write_failure(self, unit: Unit, error: str, trace: str) -> None:
        """Keep the log of a failed attempt; raises ``StoreUnwritable``."""
        description = f"{unit.space} {unit.architecture} ({len(unit.replicas)} replicas)"
        self.log_failure(Failure(unit.id, description, 0, error, trace))

    def log_failure(self, failure: Failure) -> None:
        """Keep a failure as its unit's next attempt; raises ``StoreUnwritable``."""
        attempt = 1 + max(self.attempts().get(failure.unit, [0]))
        log = asdict(replace(failure, attempt=attempt))
        self.put(f"failures/{failure.unit}.{attempt}.json", json.dumps(log, indent=1).encode())

    def attempts(self) -> dict[str, list[int]]:
        """The failed attempts per unit id."""
        found: dict[str, list[int]] = {}
        for name in self.names("failures", ".json"):
            unit_id, attempt, _ = name.split(".")
            found.setdefault(unit_id, []).append(int(attempt))
        return found

    def failures(self) -> dict[str, Failure]:
        """The last failed attempt at every unit that has one and was not finished since."""
        done = self.done()
        return {
            unit_id: Failure(**self.read_json("failures", f"{unit_id}.{max(attempts)}.json"))
            for unit_id, attempts in sorted(self.attempts().items())
            if unit_id not in done
        }

    # The manifest

    def exists(self) -> bool:
        """Whether a job has planned its study here."""
        return bool(self.filesystem.get_file_info(self.path("study.json")).type == fs.FileType.File)

    def manifest(self) -> dict[str, Any]:
        """What was planned here (``benchmark.manifest``)."""
        return self.read_json("study.json")

    def write_manifest(self, manifest: dict[str, Any]) -> None:
        """Say what is planned here; raises ``StoreUnwritable``."""
        self.put("study.json", json.dumps(manifest, indent=1).encode())

    def read_json(self, *parts: str) -> dict[str, Any]:
        """A JSON object of this store."""
        with self.filesystem.open_input_stream(self.path(*parts)) as file:
            content: dict[str, Any] = json.loads(file.read())
        return content

    def names(self, folder: str, suffix: str) -> list[str]:
        """The file names in a folder of the store; temporary files end otherwise."""
        selector = fs.FileSelector(self.path(folder), allow_not_found=True)
        infos = self.filesystem.get_file_info(selector)
        return [info.base_name for info in infos if info.base_name.endswith(suffix)]


def batched(items: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    """Split into runs of at most ``size``."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


def unwritable(path: str, error: OSError) -> StoreUnwritable:
    """The sentence for a write that failed."""
    reason = error.strerror or str(error)
    if error.errno in FULL:
        mend = "free some space and run the same command again; finished units are kept"
    else:
        mend = "give --out a folder that can be written"
    return StoreUnwritable(f"cannot write {path} ({reason}); {mend}")


def describe(error: BaseException) -> tuple[str, str]:
    """The last line and the whole of an exception's traceback."""
    return "".join(traceback.format_exception_only(error)).strip(), "".join(
        traceback.format_exception(error)
    )
