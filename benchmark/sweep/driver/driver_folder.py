"""A driver's temporary folder: its own while it lives, and deleted by the next driver if not by it.

A folder is deleted only where this program can prove that it made it and that its driver is gone:
it belongs to this user, its lock file holds ``MARK``, nobody holds the lock, and it is older than
``LEAST_AGE``. The lock file is also that proof, which a lock of the package filelock would not be.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import stat
import tempfile
import time
from pathlib import Path
from typing import IO, Final

from search_spaces.errors import InvalidInput

PREFIX: Final = "sweep-"
MARK: Final = b"architecture-aware-rates: temporary folder of a driver, deleted with it\n"
LEAST_AGE: Final = 60.0
"""Seconds that a folder must be old before another driver deletes it."""
SOCKET_ROOM: Final = 40
"""Characters of the folder's path that leave room for Ray's sockets below it (of 107)."""
LEAST_SPACE: Final = 2**28
"""Bytes that Ray needs there for its logs and its object store."""
REMOVE_SECONDS: Final = 3.0


def make_driver_folder(for_ray: bool) -> tuple[Path, IO[bytes]]:
    """A new temporary folder, and its lock, which is held while this process lives.

    With ``for_ray`` its path is short and ASCII, as Ray's sockets need: it is below ``/tmp`` where
    the temporary folder of the system is not. Raises ``InvalidInput`` where no folder can be made
    or the disk is nearly full.
    """
    try:
        places = [tempfile.gettempdir(), "/tmp"]
        for place in dict.fromkeys(places):
            delete_abandoned(Path(place))
        folder = Path(tempfile.mkdtemp(prefix=PREFIX))
        if for_ray and (len(str(folder)) > SOCKET_ROOM or not str(folder).isascii()):
            folder.rmdir()
            folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir="/tmp"))
        try:
            free = shutil.disk_usage(folder).free
            if for_ray and free < LEAST_SPACE:
                raise InvalidInput(
                    f"the temporary folder {folder.parent} has {free / 1e6:.0f} MB free and Ray "
                    f"needs {LEAST_SPACE / 1e6:.0f} MB; free some, or set TMPDIR to another folder"
                )
            return folder, lock_folder(folder)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
    except OSError as error:
        raise InvalidInput(
            f"no temporary folder can be made ({error.strerror or error}); set TMPDIR to a folder "
            "that can be written"
        ) from error


def lock_folder(folder: Path) -> IO[bytes]:
    """Hold the folder's lock, and mark the folder as this program's."""
    lock = (folder / "lock").open("x+b", buffering=0)
    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    lock.write(MARK)
    return lock


def delete_abandoned(place: Path) -> None:
    """Delete the folders below ``place`` whose drivers were killed."""
    for file in place.glob(f"{PREFIX}*/lock"):
        try:
            if is_abandoned(file):
                shutil.rmtree(file.parent, ignore_errors=True)
        except OSError:  # another user's, or deleted meanwhile
            continue


def is_abandoned(file: Path) -> bool:
    """Whether a lock file is marked as this program's, old, and held by nobody."""
    folder = file.parent.lstat()
    if not stat.S_ISDIR(folder.st_mode) or folder.st_uid != os.getuid():
        return False
    descriptor = os.open(file, os.O_RDWR | os.O_NOFOLLOW)
    with os.fdopen(descriptor, "r+b", buffering=0) as lock:
        held = os.fstat(descriptor)
        if not stat.S_ISREG(held.st_mode) or time.time() - held.st_mtime < LEAST_AGE:
            return False
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # BlockingIOError: its driver lives
        there = file.lstat()
        same = (held.st_dev, held.st_ino) == (there.st_dev, there.st_ino)
        return same and lock.read(len(MARK) + 1) == MARK


def delete_folder(folder: Path) -> None:
    """Delete a folder whose last writers may still be ending."""
    deadline = time.monotonic() + REMOVE_SECONDS
    while folder.exists() and time.monotonic() < deadline:
        shutil.rmtree(folder, ignore_errors=True)
        time.sleep(0.1)
