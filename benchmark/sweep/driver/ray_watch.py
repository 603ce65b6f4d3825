"""Notices that Ray is gone, before Ray's own library ends the driver without a word.

That library waits a minute for a lost server and then ends the process from C++, so that no
exception is raised. A thread therefore looks after the server: the processes of our own Ray, or the
port of a cluster that was joined. Where they are gone, ``RayLost`` is raised in the main thread.
"""

from __future__ import annotations

import contextlib
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Final

import psutil
import ray

from search_spaces.command.signals import REPEATER

INTERVAL: Final = 1.0
"""Seconds between two looks."""
PATIENCE: Final = 3
"""Looks in a row that must fail."""
CONNECT_SECONDS: Final = 10.0
SERVERS: Final = ("gcs_server", "raylet")
SIGNAL: Final = signal.SIGALRM


class RayLost(KeyboardInterrupt):
    """Ray's server is gone; no ``Exception``, which Ray's own loops would catch and go on."""

    signum: Final = SIGNAL


def find_servers() -> list[psutil.Process]:
    """The servers of our own Ray, which are children of this process."""
    return [child for child in psutil.Process().children() if child.name() in SERVERS]


def are_running(servers: list[psutil.Process]) -> bool:
    """Whether all of these processes are there, and none is a zombie."""
    with contextlib.suppress(psutil.Error):
        return all(each.status() != psutil.STATUS_ZOMBIE for each in servers)
    return False


def accepts_connections(host: str, port: int) -> bool:
    """Whether a server accepts connections."""
    try:
        socket.create_connection((host, port), timeout=CONNECT_SECONDS).close()
    except OSError:
        return False
    return True


def find_check(joined: bool) -> Callable[[], bool]:
    """What tells whether the Ray that this process is connected to is there."""
    if not joined:
        servers = find_servers()
        return lambda: are_running(servers)
    host, _, port = ray.get_runtime_context().gcs_address.rpartition(":")
    return lambda: accepts_connections(host.strip("[]"), int(port))


@contextlib.contextmanager
def watch_ray(
    is_there: Callable[[], bool], notify: Callable[[], None]
) -> Iterator[threading.Event]:
    """While the context is open, raise ``RayLost`` in it once ``is_there`` fails several times.

    ``notify`` is called first. The event that the context gives is set then; what arrives may be a
    plain ``KeyboardInterrupt``, which Ray's library makes of an error in a handler. Signal handlers
    belong to the main thread: elsewhere nothing is watched.
    """
    main = threading.main_thread()
    if threading.current_thread() is not main:
        yield threading.Event()
        return
    lost, ended = threading.Event(), threading.Event()
    before = signal.getsignal(SIGNAL)

    def handle(signum: int, frame: FrameType | None) -> None:
        if lost.is_set():
            REPEATER.hear()
            raise RayLost
        if callable(before):  # somebody else's timer
            before(signum, frame)

    def watch() -> None:
        failures = 0
        while not ended.wait(INTERVAL):
            failures = 0 if is_there() else failures + 1
            if failures >= PATIENCE:
                lost.set()
                notify()
                signal.pthread_kill(main.ident or 0, SIGNAL)
                return

    signal.signal(SIGNAL, handle)
    thread = threading.Thread(target=watch, name="ray watch", daemon=True)
    thread.start()
    try:
        yield lost
    finally:
        ended.set()
        thread.join()
        signal.signal(SIGNAL, before)
