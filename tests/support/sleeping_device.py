"""A device that only takes time, for processes that import little."""

import fcntl
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmark.study.unit import Unit

STEP = 0.05
"""Seconds of a step."""
STEPS = 400
Training = Callable[..., list[dict[str, Any]]]


def sleeper(queue: Path | None = None) -> Training:
    """Trains in its sleep: beside others, or where there is a ``queue`` one step at a time."""

    def run(
        unit: Unit,
        on_progress: Callable[[int], None] | None = None,
        *,
        device: str | None = None,
        checkpoint: Path | None = None,
    ) -> list[dict[str, Any]]:
        with (queue or Path("/dev/null")).open("w") as file:
            for _ in range(STEPS):
                if queue:
                    fcntl.flock(file, fcntl.LOCK_EX)
                time.sleep(STEP)
                fcntl.flock(file, fcntl.LOCK_UN)
                if on_progress:
                    on_progress(1)
        return []

    return run


def full(unit: Unit, *_: object, **__: object) -> list[dict[str, Any]]:
    raise MemoryError("CUDA out of memory")
