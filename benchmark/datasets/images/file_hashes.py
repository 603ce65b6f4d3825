"""The sha256 of every file under a folder, remembered for as long as the files stay as they are.

Hashing ImageNet reads 140 GB, and every worker needs the result. A hash is remembered under the
file's size, inode and times of change (of content, and of anything, which no program can set back),
and not before the file has been left alone for a while. The memory is a file per folder under
``XDG_CACHE_HOME``; where it is damaged, missing or cannot be written the files are hashed again.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import Progress

SETTLED_SECONDS: Final = 10.0
"""How long a file must have been left alone: clocks of file systems tick, some every 2 seconds."""
ENTRY: Final = np.dtype(
    [("size", "<i8"), ("modified", "<i8"), ("changed", "<i8"), ("inode", "<u8"), ("hash", "V32")]
)
TOGETHER: Final = 4096
"""Files that are asked for at a time."""


def hash_files(root: Path, paths: Sequence[str]) -> NDArray[np.uint8]:
    """The sha256 of every file, N x 32; raises ``OSError`` where one cannot be read."""
    memory, begin = cache_path(root), time.time_ns()
    known = {} if memory is None else read_cache(memory)
    keys = [file_key(path) for path in paths]
    unknown = [number for number, key in enumerate(keys) if key not in known]
    new = dict(zip(unknown, read_files([paths[number] for number in unknown]), strict=True))
    found = [(*key, new[n] if n in new else known[key]) for n, key in enumerate(keys)]
    entries = np.array(found, ENTRY)
    newest = np.maximum(entries["modified"], entries["changed"])
    settled = newest < begin - int(SETTLED_SECONDS * 1e9)
    if memory is not None and settled[unknown].any():
        write_cache(memory, entries[settled])
    return np.frombuffer(entries["hash"].tobytes(), np.uint8).reshape(-1, 32)


def file_key(path: str) -> tuple[int, int, int, int]:
    """What changes whenever a file's bytes do: size, both times of change, inode."""
    status = Path(path).stat()
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino


def read_files(paths: Sequence[str]) -> list[bytes]:
    """The sha256 of every file; with a progress bar where there are many and a terminal."""

    def hash_one(path: str) -> bytes:
        with Path(path).open("rb") as file:
            return hashlib.file_digest(file, "sha256").digest()

    console = Console(stderr=True)
    hidden = len(paths) <= TOGETHER or not console.is_terminal
    found: list[bytes] = []
    with (
        ThreadPoolExecutor(count_cpus()) as pool,
        Progress(console=console, transient=True, disable=hidden) as progress,
    ):
        for start in progress.track(
            range(0, len(paths), TOGETHER), description="reading the images for their checksum"
        ):
            found += pool.map(hash_one, paths[start : start + TOGETHER])
    return found


def cache_path(root: Path) -> Path | None:
    """Where the hashes of a folder's files are remembered, if anywhere."""
    base = Path(os.environ.get("XDG_CACHE_HOME", ""))
    name = hashlib.sha256(os.fsencode(root)).hexdigest()[:32]
    if not base.is_absolute():  # one that is relative counts as none
        try:
            base = Path.home() / ".cache"
        except RuntimeError:  # this user has no home
            return None
    return base / "architecture-aware-rates" / "file-hashes" / name


def read_cache(path: Path) -> dict[tuple[int, ...], bytes]:
    """What is remembered; nothing where the file is missing or its seal does not match."""
    try:
        data = path.read_bytes()
    except OSError:
        return {}
    seal, body = data[:32], data[32:]
    if hashlib.sha256(body).digest() != seal or len(body) % ENTRY.itemsize:
        return {}
    return {tuple(entry[:4]): entry[4] for entry in np.frombuffer(body, ENTRY).tolist()}


def write_cache(path: Path, entries: NDArray[Any]) -> None:
    """Remember entries, whole or not at all; where that is impossible nothing is remembered."""
    body = entries.tobytes()
    draft = path.with_name(f"{path.name}.{uuid4().hex}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        draft.write_bytes(hashlib.sha256(body).digest() + body)
        draft.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            draft.unlink(missing_ok=True)


def count_cpus() -> int:
    """The processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
