"""A device that only takes time, for processes that import little."""

import fcntl
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

from benchmark.study.unit import Unit

STEP = 0.05
"""Seconds of a step."""
BEHIND = 2 * STEP
"""Seconds that the device makes up for where a busy machine wakes its process late."""
STEPS = 400
Training = Callable[..., list[dict[str, Any]]]


def sleeper(queue: Path | None = None) -> Training:
    """Trains in its sleep: beside others, or where there is a ``queue`` one step at a time.

    Its file says when the device did its last step. Nested functions alone travel to workers.
    """

    def take_step(file: IO[str]) -> None:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        done = max(float(file.read() or 0), time.monotonic() - BEHIND) + STEP
        time.sleep(max(0.0, done - time.monotonic()))
        file.seek(0)
        file.truncate()
        file.write(str(done))
        file.flush()
        fcntl.flock(file, fcntl.LOCK_UN)

    def run(
        unit: Unit,
        on_progress: Callable[[int], None] | None = None,
        *,
        device: str | None = None,
        checkpoint: Path | None = None,
    ) -> list[dict[str, Any]]:
        with queue.open("a+") if queue else tempfile.TemporaryFile("w+") as file:
            for _ in range(STEPS):
                take_step(file)
                if on_progress:
                    on_progress(1)
        return []

    return run


def full(unit: Unit, *_: object, **__: object) -> list[dict[str, Any]]:
    raise MemoryError("CUDA out of memory")
