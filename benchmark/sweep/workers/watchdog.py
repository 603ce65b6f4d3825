"""Ends a worker whose unit runs past its time limit, from outside, and says where it hung.

A thread of the worker could not: code that hangs may hold the interpreter's lock, or the process
may be stopped. So every worker has a small process beside it, told over a pipe when a unit begins
and ends. At the limit it asks the worker for its stacks (``faulthandler``, which needs no lock),
keeps them as a failed attempt of the unit, and kills. ``faulthandler.dump_traceback_later`` would
end the process as well, but not a stopped one, and its stacks would not reach an object store.

This file is also that process's program: until it kills, it imports the standard library alone.
"""

from __future__ import annotations

import faulthandler
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Final

if TYPE_CHECKING:
    from benchmark.study.unit import Unit

ASK: Final = signal.SIGUSR2
ANSWER_SECONDS: Final = 2.0
"""How long a hanging worker may take to write down its stacks."""
STORE_SECONDS: Final = 60.0
"""How long the failure may take to be stored: the store may be what hangs."""


class Watchdog:
    """A worker's side: one for the life of the process."""

    def __init__(self, uri: str, seconds: float) -> None:
        self.stacks = tempfile.TemporaryFile()  # noqa: SIM115 -- open as long as the process
        faulthandler.register(ASK, file=self.stacks, all_threads=True)
        descriptor = self.stacks.fileno()
        self.process = subprocess.Popen(
            # -P: this file's folder must not hide modules of the standard library
            [sys.executable, "-P", __file__, repr(seconds), str(descriptor)],
            stdin=subprocess.PIPE,
            pass_fds=[descriptor],
            env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        )
        self.tell({"uri": uri})  # not on the command line: it may hold credentials

    def tell(self, message: dict[str, str]) -> None:
        """One line; the worker goes on without a watchdog that was killed."""
        pipe: IO[bytes] | None = self.process.stdin
        assert pipe is not None
        try:
            pipe.write(json.dumps(message).encode() + b"\n")
            pipe.flush()
        except BrokenPipeError:
            return

    @contextmanager
    def watching(self, unit: Unit) -> Iterator[None]:
        """The clock of a unit."""
        from benchmark.store.failures import describe_unit

        self.tell({"unit": unit.id, "description": describe_unit(unit)})
        try:
            yield
        finally:
            self.tell({})


def main(seconds: float, descriptor: int) -> None:
    """Wait for units to begin and end; returns when the worker does."""
    worker = os.getppid()
    pipe = open(0, "rb", buffering=0)  # noqa: SIM115 -- unbuffered, for select
    uri = json.loads(pipe.readline() or b'{"uri": ""}')["uri"]
    while line := pipe.readline():
        begun = json.loads(line)
        if not begun or select.select([pipe], [], [], seconds)[0]:
            continue
        stacks = ask_for_stacks(worker, descriptor)
        writing = threading.Thread(
            target=keep_failure, args=(uri, begun, seconds, stacks), daemon=True
        )
        writing.start()
        writing.join(STORE_SECONDS)
        if not select.select([pipe], [], [], 0)[0]:  # it did not end meanwhile
            os.kill(worker, signal.SIGKILL)


def ask_for_stacks(worker: int, descriptor: int) -> str:
    """The worker's stacks, or that it gives none."""
    before = os.fstat(descriptor).st_size
    os.kill(worker, ASK)
    deadline = time.monotonic() + ANSWER_SECONDS
    while os.fstat(descriptor).st_size == before and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(0.1)  # the rest of what it writes
    size = os.fstat(descriptor).st_size
    text = os.pread(descriptor, size - before, before).decode(errors="replace")
    return text or "the worker did not answer when asked for its stacks: stopped, or in the kernel"


def keep_failure(uri: str, begun: dict[str, str], seconds: float, stacks: str) -> None:
    """Store the failed attempt."""
    from benchmark.store.store import Failure, Store

    error = f"TimeoutError: past the limit of {seconds:g} s; killed (--unit-timeout sets it)"
    Store.locate(uri).logs.write(
        Failure(begun["unit"], begun["description"], 0, error, f"{stacks}\n{error}", killed=True)
    )


if __name__ == "__main__":
    main(float(sys.argv[1]), int(sys.argv[2]))
