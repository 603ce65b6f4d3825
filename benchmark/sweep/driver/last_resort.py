"""Ends the process where Ray's library does not give control back in time.

A signal or the loss of Ray's server can leave that library waiting, in C++, for processes that are
gone; after a minute it ends the driver itself, without a sentence and with the folder left behind.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final

import psutil

from benchmark.sweep.driver.driver_folder import delete_folder

SECONDS: Final = 15.0
"""How long an orderly end may take."""
END_SECONDS: Final = 3.0
"""How long a process may take to end before it is killed."""


class LastResort:
    """Once armed, ends the process after ``SECONDS`` unless it is disarmed before."""

    def __init__(self) -> None:
        self.folder = Path()
        self.timer: threading.Timer | None = None
        self.turn = threading.Lock()
        self.disarmed = False

    def arm(self, report: Callable[[], int]) -> None:
        """Set the clock, once; ``report`` says why the command ends and gives the exit code."""
        if self.timer is None:
            self.timer = threading.Timer(SECONDS, self.end_process, [report])
            self.timer.daemon = True
            self.timer.start()

    def disarm(self) -> None:
        """Stop the clock; where it has run out, the process ends here, and nobody else reports."""
        if self.timer is not None:
            self.timer.cancel()
        with self.turn:
            self.disarmed = True

    def end_process(self, report: Callable[[], int]) -> None:
        """End what this process started, delete its folder, and end it."""
        with self.turn:
            if self.disarmed:
                return
            end_descendants(self.folder)
            delete_folder(self.folder)
            code = report()
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)


def end_descendants(folder: Path) -> None:
    """End the processes that we started to work in the folder, and those that they started."""
    started = []
    with contextlib.suppress(psutil.Error):
        for child in psutil.Process().children():
            if works_in(child, folder):
                with contextlib.suppress(psutil.Error):
                    started += [child, *child.children(recursive=True)]
    for process in started:
        with contextlib.suppress(psutil.Error):
            process.terminate()
    _, alive = psutil.wait_procs(started, timeout=END_SECONDS)
    for process in alive:
        with contextlib.suppress(psutil.Error):
            process.kill()
    psutil.wait_procs(alive, timeout=END_SECONDS)


def works_in(process: psutil.Process, folder: Path) -> bool:
    """Whether a process was told of the folder, as all servers of a Ray in it are."""
    with contextlib.suppress(psutil.Error):
        return any(str(folder) in word for word in process.cmdline())
    return False
