"""A folder on any filesystem that pyarrow opens, whose files are there whole or not at all.

Every method answers a storage that refuses, fails or stays away with ``StoreUnreadable`` or
``StoreUnwritable``: one sentence with a mend.
"""

from __future__ import annotations

import errno
import os
import random
import shutil
import stat
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

import pyarrow as pa
from pyarrow import fs

from benchmark.store.folder.atomic import (
    BLOCK,
    find_existing,
    place_atomically,
    remove_leftovers,
    temporary_name,
    write_atomically,
)
from benchmark.store.folder.errors import (
    explain_unreadable,
    explain_unwritable,
    is_lasting,
    mask_secrets,
)
from benchmark.store.folder.locations import FAILURES, open_filesystem
from benchmark.store.folder.seal import Corrupt

PAUSES: Final = [0.5 * 2**k for k in range(8)]
"""Seconds between attempts at an object store that fails: about two minutes in all."""
FIRST_PAUSES: Final = 1
"""How many of them a command waits for the first answer, with a person before it."""
LONGEST_NAME: Final = 142
"""Letters of the name of the longest file, while it is written."""
LONGEST_PART: Final = 255
"""Bytes of a name in a folder, at most, on every file system in use."""

Returned = TypeVar("Returned")


@dataclass(frozen=True)
class Files:
    """The files below ``root`` on a filesystem; ``uri`` opens them and may hold credentials."""

    uri: str
    filesystem: fs.FileSystem
    root: str

    @classmethod
    def locate(cls, uri: str) -> Files:
        """The files of a path or URI, whether or not it is there; raises ``StoreUnreadable``."""
        filesystem, root = open_filesystem(uri)
        return cls(uri if "://" in uri else root, filesystem, root)

    @property
    def name(self) -> str:
        """The path or URI as it may be shown: without credentials."""
        return mask_secrets(self.uri)

    @property
    def local(self) -> bool:
        """Whether these are files of this machine."""
        return isinstance(self.filesystem, fs.LocalFileSystem)

    def path(self, *parts: str) -> str:
        """The path of a file on its filesystem."""
        return "/".join((self.root, *(part for part in parts if part)))

    def make_folders(self, names: Iterable[str]) -> None:
        """Create local folders, and delete what killed writers left there.

        Object stores have no folders. Raises ``StoreUnwritable``.
        """
        if not self.local:
            return
        try:
            for name in names:
                folder = Path(self.path(name))
                find_existing(folder)
                folder.mkdir(parents=True, exist_ok=True)
                remove_leftovers(folder)
        except FAILURES as error:
            raise explain_unwritable(self.name, error) from error

    def check_writable(self) -> None:
        """Raise ``StoreUnwritable`` where files could not be written here; leaves nothing behind.

        Of object stores that is not known before something is written.
        """
        if not self.local:
            return
        folder = Path(self.path("units"))
        try:
            (folder / ("0" * LONGEST_NAME)).exists()  # raises for a path that is too long
            if any(len(os.fsencode(part)) > LONGEST_PART for part in folder.parts):
                raise OSError(errno.ENAMETOOLONG, os.strerror(errno.ENAMETOOLONG))
            folder = find_existing(folder)
            with tempfile.TemporaryFile(dir=folder):  # a file without a name
                pass
        except FAILURES as error:
            raise explain_unwritable(self.name, error) from error

    def write(self, name: str, data: bytes) -> None:
        """Write one file, whole or not at all; raises ``StoreUnwritable``."""
        path = self.path(name)
        try:
            self.patiently(lambda: write_atomically(self.filesystem, path, data))
        except FAILURES as error:
            raise explain_unwritable(path, error) from error

    @contextmanager
    def scratch_file(self, folder: str) -> Iterator[Path]:
        """The name of a file of this machine to be written, gone at the end, for ``place``.

        Raises ``StoreUnwritable`` for what writing it raises.
        """
        with ExitStack() as stack:
            if self.local:
                scratch = temporary_name(Path(self.path(folder, "scratch")))
            else:
                scratch = Path(stack.enter_context(tempfile.TemporaryDirectory()), "scratch")
            try:
                yield scratch
            except OSError as error:
                raise explain_unwritable(str(scratch), error) from error
            finally:
                scratch.unlink(missing_ok=True)

    def place(self, scratch: Path, name: str) -> None:
        """Bring a scratch file here, whole or not at all; raises ``StoreUnwritable``."""
        path = self.path(name)
        try:
            self.patiently(lambda: place_atomically(scratch, self.filesystem, path))
        except FAILURES as error:
            raise explain_unwritable(path, error) from error

    def read(self, *parts: str) -> bytes | None:
        """A file's bytes; None where there is none.

        Raises ``StoreUnreadable``, and ``Corrupt`` where something else than a file has the name.
        """

        def read() -> bytes:
            self.require_file(*parts)
            with self.filesystem.open_input_stream(self.path(*parts)) as file:
                data: bytes = file.read()
                return data

        return self.asked(read, *parts)

    def open(self, *parts: str) -> pa.NativeFile | None:
        """A file, open to be read anywhere until it is closed, even if it is deleted meanwhile.

        None where there is none. One of an object store is copied to a temporary file first.
        Raises ``StoreUnreadable``, and ``Corrupt`` where something else than a file has the name.
        """

        def open_() -> pa.NativeFile:
            self.require_file(*parts)
            if self.local:
                return pa.OSFile(self.path(*parts))
            with (
                self.filesystem.open_input_stream(self.path(*parts)) as source,
                tempfile.NamedTemporaryFile() as copy,
            ):
                shutil.copyfileobj(source, copy, BLOCK)
                copy.flush()
                return pa.OSFile(copy.name)  # stays open when the name is gone

        return self.asked(open_, *parts)

    def require_file(self, *parts: str) -> None:
        """Raise ``Corrupt`` for a folder, or a pipe, which nobody may ever write to."""
        if self.local and not stat.S_ISREG(Path(self.path(*parts)).stat().st_mode):
            raise Corrupt("no regular file")

    def remove(self, *parts: str) -> None:
        """Delete a file; raises ``StoreUnwritable``, and nothing where it is gone already."""
        path = self.path(*parts)
        try:
            self.patiently(lambda: self.filesystem.delete_file(path))
        except FileNotFoundError:
            return
        except FAILURES as error:
            raise explain_unwritable(path, error) from error

    def move(self, source: str, target: str) -> bool:
        """Rename a file; False where that cannot be done (read-only, or it is gone)."""
        try:
            self.patiently(lambda: self.filesystem.move(self.path(source), self.path(target)))
        except FAILURES:
            return False
        return True

    def list_names(self, folder: str) -> list[str]:
        """The names in a folder, hidden ones left out; none where there is no folder.

        Raises ``StoreUnreadable``.
        """
        infos = self.asked(
            lambda: self.filesystem.get_file_info(
                fs.FileSelector(self.path(folder), allow_not_found=True)
            ),
            folder,
        )
        names = [info.base_name for info in infos or ()]
        return [name for name in names if not name.startswith(".")]

    def exists(self, *parts: str, pauses: int | None = None) -> bool:
        """Whether there is such a file; raises ``StoreUnreadable``.

        ``pauses`` says how often a storage that fails is asked again (None: as ``PAUSES`` says).
        """
        info = self.asked(
            lambda: self.filesystem.get_file_info(self.path(*parts)), *parts, pauses=pauses
        )
        return info is not None and bool(info.type == fs.FileType.File)

    def asked(
        self, act: Callable[[], Returned], *parts: str, pauses: int | None = None
    ) -> Returned | None:
        """The answer; None where the file is missing. Raises ``StoreUnreadable``."""
        try:
            return self.patiently(act, pauses)
        except FileNotFoundError:
            return None
        except FAILURES as error:
            place = self.path(*parts) if self.local else f"{self.name}: {self.path(*parts)}"
            raise explain_unreadable(place, error) from error

    def patiently(self, act: Callable[[], Returned], pauses: int | None = None) -> Returned:
        """Do it; where an object store fails, again after each of ``PAUSES`` (and some chance).

        One loop, for which tenacity would be a dependency more.
        """
        if not self.local:
            for pause in PAUSES[:pauses]:
                try:
                    return act()
                except FileNotFoundError:
                    raise
                except OSError as error:
                    if is_lasting(error):
                        raise
                time.sleep(pause * random.uniform(0.5, 1.0))
        return act()
