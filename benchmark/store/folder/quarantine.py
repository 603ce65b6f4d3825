"""Files that are read are checked before they are believed; what fails is set aside and counted."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, TypeVar
from uuid import uuid4

import pyarrow as pa

from benchmark.store.folder.files import Files
from benchmark.store.folder.seal import Corrupt
from search_spaces.errors import InvalidInput

NAME: Final = re.compile(r"(study|[0-9a-f]{64})\..*\b(arrow|parquet|json)")
"""The names of files in quarantine/."""
CHECKPOINT: Final = re.compile(r"[0-9a-f]{64}\.pt\.[0-9a-f]{8}\.damaged")
"""The names of checkpoints that were set aside where they lay."""
DAMAGED: Final = (Corrupt, pa.ArrowException, ValueError, KeyError, TypeError, OSError)
"""What reading damaged bytes raises, where their seal is younger than the damage."""

Decoded = TypeVar("Decoded")


@dataclass(frozen=True)
class Quarantine:
    """The folder ``quarantine/`` of a results folder."""

    files: Files
    stuck: set[str] = field(default_factory=set, compare=False)
    """Files that failed their checks and could not be moved, by their place."""

    def read_checked(
        self, folder: str, name: str, decode: Callable[[bytes], Decoded]
    ) -> Decoded | None:
        """What a file says; None where it is missing or was set aside.

        Raises ``InvalidInput`` where it is whole and another version wrote it.
        """
        try:
            data = self.files.read(folder, name)
        except Corrupt:  # no file at all
            self.set_aside(folder, name)
            return None
        return None if data is None else self.check(folder, name, lambda: decode(data), data)

    def check(
        self, folder: str, name: str, decode: Callable[[], Decoded], data: bytes | None = None
    ) -> Decoded | None:
        """What a file says; None where it fails its checks, and is set aside."""
        try:
            return decode()
        except InvalidInput:
            raise
        except DAMAGED:
            self.set_aside(folder, name, data)
            return None

    def set_aside(self, folder: str, name: str, data: bytes | None = None) -> None:
        """Move a file here; in a store that cannot be written it stays where it is, and is known.

        A file that was replaced since its ``data`` were read goes back to its place.
        """
        stem, _, suffix = name.rpartition(".")
        number = f"{self.count() + 1}.{uuid4().hex[:8]}"
        place, aside = f"{folder}/{name}".lstrip("/"), f"quarantine/{stem}.{number}.{suffix}"
        if not self.files.move(place, aside):
            if self.files.exists(place):  # nobody else moved it
                self.stuck.add(place)
        elif data is not None and self.files.read(aside) != data:
            self.files.move(aside, place)

    def count(self) -> int:
        """How many files were set aside, damaged checkpoints included."""
        names = ((NAME, "quarantine"), (CHECKPOINT, "checkpoints"))
        return sum(
            pattern.fullmatch(name) is not None
            for pattern, folder in names
            for name in self.files.list_names(folder)
        )
