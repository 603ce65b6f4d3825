"""Writing a file so that it is there whole or not at all."""

from __future__ import annotations

import os
import time
from pathlib import Path
from uuid import uuid4

from pyarrow import fs

SUFFIX = ".tmp"
STALE_AFTER = 3600.0
"""Seconds after which a temporary file belongs to a writer that was killed."""


def write(filesystem: fs.FileSystem, path: str, data: bytes) -> None:
    """Write ``data`` to ``path``: whoever looks sees the old file, no file, or all of the new one.

    Locally: a temporary name in the same directory, flushed, fsynced, renamed, and the directory
    fsynced; a writer killed at any point leaves at most its temporary file. On an object store: one
    upload, visible when it is complete. Of two writers of one path the later wins, whole. Raises
    ``OSError``.
    """
    if not isinstance(filesystem, fs.LocalFileSystem):
        with filesystem.open_output_stream(path) as stream:
            stream.write(data)
        return
    target = Path(path)
    temporary = target.with_name(f".{target.name}.{uuid4().hex}{SUFFIX}")
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


def sync_directory(directory: Path) -> None:
    """Make the renames in a local directory outlive a power cut."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def remove_leftovers(directory: Path) -> None:
    """Delete temporary files old enough to belong to a writer that was killed."""
    for temporary in directory.glob(f".*{SUFFIX}"):
        try:
            if time.time() - temporary.stat().st_mtime > STALE_AFTER:
                temporary.unlink()
        except FileNotFoundError:  # its writer lives, or somebody else tidied first
            continue
