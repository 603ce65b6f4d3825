"""A folder on any filesystem that pyarrow opens, whose files are there whole or not at all."""

from __future__ import annotations

import errno
import json
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

from pyarrow import fs

from benchmark.store import atomic
from search_spaces.errors import InvalidInput

FULL: Final = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
PAUSES: Final = [0.5 * 2**k for k in range(8)]
"""Seconds between attempts at an object store that fails: about two minutes in all."""
LASTING: Final = ("ACCESS_DENIED", "NO_SUCH_BUCKET", "INVALID_ACCESS_KEY", "SIGNATURE_DOES_NOT")
"""What an object store says that it will say again."""

Answer = TypeVar("Answer")


class StoreUnwritable(InvalidInput):
    """The results folder cannot be written; what is in it is intact."""


@dataclass(frozen=True)
class Place:
    """``root`` on a filesystem; ``uri`` is what the user called it."""

    uri: str
    filesystem: fs.FileSystem
    root: str

    @property
    def local(self) -> bool:
        """Whether these are files of this machine."""
        return isinstance(self.filesystem, fs.LocalFileSystem)

    def path(self, *parts: str) -> str:
        """The path of a file of this place on its filesystem."""
        return "/".join((self.root, *(part for part in parts if part)))

    def put(self, name: str, data: bytes) -> None:
        """Write one file, whole or not at all; raises ``StoreUnwritable``."""
        path = self.path(name)
        try:
            self.patiently(lambda: atomic.write(self.filesystem, path, data))
        except OSError as error:
            raise unwritable(path, error) from error

    def get(self, *parts: str) -> bytes | None:
        """A file's bytes; None where there is none."""

        def read() -> bytes:
            with self.filesystem.open_input_stream(self.path(*parts)) as file:
                data: bytes = file.read()
                return data

        try:
            return self.patiently(read)
        except FileNotFoundError:
            return None

    def remove(self, *parts: str) -> None:
        """Delete a file; raises ``StoreUnwritable``, and nothing where it is gone already."""
        path = self.path(*parts)
        try:
            self.patiently(lambda: self.filesystem.delete_file(path))
        except FileNotFoundError:
            return
        except OSError as error:
            raise unwritable(path, error) from error

    def names(self, folder: str, suffix: str) -> list[str]:
        """The file names in a folder, hidden files left out; temporary files end otherwise."""
        selector = fs.FileSelector(self.path(folder), allow_not_found=True)
        infos = self.patiently(lambda: self.filesystem.get_file_info(selector))
        names = [info.base_name for info in infos]
        return [name for name in names if name.endswith(suffix) and not name.startswith(".")]

    def has(self, *parts: str) -> bool:
        """Whether there is such a file."""
        info = self.patiently(lambda: self.filesystem.get_file_info(self.path(*parts)))
        return bool(info.type == fs.FileType.File)

    def read_json(self, *parts: str) -> dict[str, Any]:
        """A JSON object; raises ``FileNotFoundError``."""
        data = self.get(*parts)
        if data is None:
            raise FileNotFoundError(self.path(*parts))
        content: dict[str, Any] = json.loads(data)
        return content

    def patiently(self, act: Callable[[], Answer]) -> Answer:
        """Do it; where an object store fails, again after each of ``PAUSES`` (and some chance)."""
        if not self.local:
            for pause in PAUSES:
                try:
                    return act()
                except FileNotFoundError:
                    raise
                except OSError as error:
                    if any(word in str(error) for word in LASTING):
                        raise
                time.sleep(pause * random.uniform(0.5, 1.0))
        return act()


def locate(uri: str) -> tuple[fs.FileSystem, str]:
    """The filesystem of a path or URI, and the path on it; raises ``InvalidInput``."""
    if "://" not in uri:
        return fs.LocalFileSystem(), str(Path(uri).expanduser().absolute())
    asked = uri
    if uri.startswith("s3://") and "allow_delayed_open" not in uri:
        # a file that fits in memory is then one PUT, not an upload in three parts
        asked += ("&" if "?" in uri else "?") + "allow_delayed_open=true"
    try:
        filesystem, path = fs.FileSystem.from_uri(asked)
    except (OSError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise InvalidInput(f"{uri} is no place that pyarrow opens ({reason})") from error
    return filesystem, path.rstrip("/")


def unwritable(path: str, error: OSError) -> StoreUnwritable:
    """The sentence for a write that failed."""
    reason = " ".join((error.strerror or str(error)).split())
    if error.errno in FULL:
        mend = "free some space and run the same command again; finished units are kept"
    else:
        mend = "give --out a folder that can be written"
    return StoreUnwritable(f"cannot write {path} ({reason}); {mend}")
