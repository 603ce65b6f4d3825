"""A running Ray: one of our own on this machine, or the cluster of ``RAY_ADDRESS``."""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
import shutil
import socket
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, Final, Self

import ray

from benchmark.command import ignore_signals
from benchmark.sweep.resources import Resources
from search_spaces.errors import InvalidInput

SOCKET_ROOM: Final = 40
"""Characters of a temporary folder's path that leave room for Ray's sockets below it (of 107)."""
CONNECT_SECONDS: Final = 10.0
REMOVE_SECONDS: Final = 3.0
PREFIX: Final = "sweep-"
QUIET: Final = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",  # 2.60 warns of this change of default otherwise
    "RAY_AIR_NEW_OUTPUT": "0",  # the new output prints a box and a table even at verbose=0
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",  # the store has the results
    "TUNE_DISABLE_SIGINT_HANDLER": "1",  # Ctrl-C is the job's to answer
    "OMP_NUM_THREADS": "1",
}


class Cluster:
    """Connected while the context is open; ``folder`` is for this driver's temporary files.

    ``slots`` is how many shards may run at once: ``workers``, or as many as there is room for now.
    A Ray of its own lives in that folder, apart from any other on the machine, and goes with the
    context; the folder of a driver that was killed goes when the next one starts.
    """

    def __init__(self, workers: int | None, resources: Resources) -> None:
        self.workers = workers
        self.resources = resources
        self.slots = workers or 0
        self.folder = Path()
        self.lock: IO[str] | None = None

    def __enter__(self) -> Self:
        os.environ |= QUIET
        address = os.environ.get("RAY_ADDRESS", "local")
        joined = address not in ("", "local")
        self.folder, self.lock = locked_folder(short=not joined)
        own: dict[str, Any] = {
            "address": "local",
            "num_cpus": self.workers and self.workers * self.resources.cpus * self.resources.ranks,
            "dashboard_host": "127.0.0.1",
            "_temp_dir": str(self.folder / "ray"),
        }
        logging.getLogger("ray.tune").setLevel(logging.CRITICAL)  # the store keeps what went wrong
        try:
            if joined:
                reach(address)
            with temporary_files_in(self.folder):
                ray.init(
                    **({} if joined else own), log_to_driver=False, logging_level=logging.ERROR
                )
            if not joined or not self.workers:  # a cluster may grow to what was asked for
                available = ray.cluster_resources()  # type: ignore[no-untyped-call]
                self.slots = min(self.workers or sys.maxsize, self.resources.slots(available))
        except BaseException as error:
            self.__exit__()
            if joined and isinstance(error, ConnectionError):
                raise unreachable(address, error) from error
            raise
        return self

    def __exit__(self, *_: object) -> None:
        with ignore_signals():  # an impatient second Ctrl-C
            ray.shutdown()
            remove(self.folder)
            if self.lock:
                self.lock.close()


def remove(folder: Path) -> None:
    """Delete a folder whose last writers may still be ending."""
    deadline = time.monotonic() + REMOVE_SECONDS
    while folder.exists() and time.monotonic() < deadline:
        shutil.rmtree(folder, ignore_errors=True)
        time.sleep(0.1)


def locked_folder(short: bool) -> tuple[Path, IO[str]]:
    """A new temporary folder, and its lock, which is held while this process lives."""
    places = [tempfile.gettempdir(), "/tmp"]
    for place in dict.fromkeys(places):
        remove_abandoned(Path(place))
    folder = tempfile.mkdtemp(prefix=PREFIX)
    if short and len(folder) > SOCKET_ROOM:
        Path(folder).rmdir()
        folder = tempfile.mkdtemp(prefix=PREFIX, dir="/tmp")
    lock = (Path(folder) / "lock").open("w")
    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    return Path(folder), lock


def remove_abandoned(place: Path) -> None:
    """Delete the temporary folders of drivers that were killed: nobody holds their locks."""
    for file in place.glob(f"{PREFIX}*/lock"):
        try:
            with file.open("r+") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(file.parent, ignore_errors=True)
        except OSError:  # its driver lives, or it is another user's
            continue


def reach(address: str) -> None:
    """Raise ``InvalidInput`` where nobody listens; Ray itself would try for minutes."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if address == "auto":  # Ray looks for a cluster on this machine, and knows at once
        return
    try:
        socket.create_connection((host, int(port)), timeout=CONNECT_SECONDS).close()
    except (OSError, ValueError) as error:
        raise unreachable(address, error) from error


def unreachable(address: str, error: Exception) -> InvalidInput:
    """The sentence for a cluster that does not answer."""
    reason = " ".join(str(error).split())
    return InvalidInput(
        f"nothing answers at RAY_ADDRESS={address} ({reason}); start that cluster, give its "
        "HOST:PORT, or unset RAY_ADDRESS to run on this machine"
    )


@contextlib.contextmanager
def temporary_files_in(folder: Path) -> Iterator[None]:
    """Processes that are started meanwhile keep their temporary files there, and lose them so."""
    before = os.environ.get("TMPDIR")
    os.environ["TMPDIR"] = str(folder)
    try:
        yield
    finally:
        if before is None:
            del os.environ["TMPDIR"]
        else:
            os.environ["TMPDIR"] = before
