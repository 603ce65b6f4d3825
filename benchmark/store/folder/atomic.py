"""Writing a file so that whoever looks sees the old file, no file, or all of the new one.

Locally: a temporary name in the same folder, flushed, synced, renamed, and the folder synced; a
writer that is killed at any point leaves at most its temporary file. On an object store: one
upload, visible when it is complete. Of two writers of one path the later wins, whole. (The package
atomicwrites is maintained no longer.)
"""

from __future__ import annotations

import errno
import os
import shutil
import time
from pathlib import Path
from typing import Final
from uuid import uuid4

from pyarrow import fs

TEMPORARY: Final = ".tmp"
STALE_AFTER: Final = 3600.0
"""Seconds after which a temporary file belongs to a writer that was killed."""
BLOCK: Final = 1 << 20
"""Bytes that are copied at once."""
NOT_OFFERED: Final = {errno.EINVAL, errno.ENOTSUP, errno.EBADF, errno.EACCES, errno.ENOSYS}
"""How file systems say that they cannot sync a folder (SMB, VirtualBox shares, some FUSE)."""


def write_atomically(filesystem: fs.FileSystem, path: str, data: bytes) -> None:
    """Write ``data`` to ``path``, whole or not at all; raises ``OSError``."""
    if not isinstance(filesystem, fs.LocalFileSystem):
        with filesystem.open_output_stream(path) as stream:
            stream.write(data)
        return
    target = Path(path)
    temporary = temporary_name(target)
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, target)  # noqa: PTH105 -- beside os.fsync: one system call each
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync_directory(target.parent)


def place_atomically(source: Path, filesystem: fs.FileSystem, path: str) -> None:
    """Bring a local file to ``path``, whole or not at all; raises ``OSError``.

    On a local filesystem the source lies in the same folder, and is gone afterwards.
    """
    if isinstance(filesystem, fs.LocalFileSystem):
        with source.open("rb") as file:
            os.fsync(file.fileno())
        os.replace(source, path)  # noqa: PTH105 -- beside os.fsync: one system call each
        sync_directory(source.parent)
        return
    with source.open("rb") as content, filesystem.open_output_stream(path) as stream:
        shutil.copyfileobj(content, stream, BLOCK)


def temporary_name(target: Path) -> Path:
    """A name in the same folder that no reader takes for a file of the store."""
    return target.with_name(f".{target.name}.{uuid4().hex}{TEMPORARY}")


def sync_directory(directory: Path) -> None:
    """Make the renames in a local directory outlive a power cut, where that is offered."""
    try:
        descriptor = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        if error.errno not in NOT_OFFERED:
            raise


def find_existing(folder: Path) -> Path:
    """The deepest folder of a path that is there; raises ``OSError`` for a link to nothing."""
    while not folder.exists():
        if folder.is_symlink():
            raise OSError(errno.ENOENT, f"{folder.name} is a link to a place that is not there")
        folder = folder.parent
    return folder


def remove_leftovers(directory: Path) -> None:
    """Delete temporary files old enough to belong to a writer that was killed."""
    for temporary in directory.glob(f".*{TEMPORARY}"):
        try:
            if time.time() - temporary.stat().st_mtime > STALE_AFTER:
                temporary.unlink()
        except FileNotFoundError:  # its writer lives, or somebody else was first
            continue
