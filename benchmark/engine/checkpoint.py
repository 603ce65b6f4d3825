"""Where a long unit stands, in a file that outlives its process.

The file holds what is finished and the state between two steps of what is in training. It is
written whole or not at all, read without unpickling anything but tensors and plain values, and
deleted with the unit's end.
"""

from __future__ import annotations

import io
import time
from pathlib import Path
from typing import Any, Final

import torch
from pyarrow import fs

from benchmark.store import atomic
from benchmark.training.loop import Training
from benchmark.training.outcome import Outcome

FORMAT: Final = 1
EVERY = 60.0
"""Seconds between writes; a unit that takes less leaves no file."""


class Checkpoint:
    """The checkpoint of one unit in a local file, or none where ``path`` is None."""

    def __init__(self, path: Path | None, unit_id: str) -> None:
        self.path, self.unit_id = path, unit_id
        self.written = time.monotonic()

    def load(self) -> dict[str, Any]:
        """What was written last; empty where nothing was, or where it cannot be used: a file that
        another version wrote costs the steps it held, and no more."""
        if self.path is None or not self.path.exists():
            return {}
        try:
            stored: dict[str, Any] = torch.load(self.path, map_location="cpu", weights_only=True)
        except Exception:  # torch.load meets garbage with errors of many kinds
            return {}
        named = (stored.get("format"), stored.get("unit"))
        return stored if named == (FORMAT, self.unit_id) else {}

    def save_when_due(self, training: Training, outcomes: list[Outcome], sizes: list[int]) -> None:
        """Write where it is time: outcomes of the chunks that are done, the sizes of those to come,
        and the first of them in training. Of several ranks the first writes."""
        if self.path is None or time.monotonic() - self.written < EVERY:
            return
        if training.batches.ranks.rank == 0:
            state = {
                "format": FORMAT,
                "unit": self.unit_id,
                "outcomes": outcomes,
                "sizes": sizes,
                "training": training.state(),
            }
            buffer = io.BytesIO()
            torch.save(state, buffer)
            self.path.parent.mkdir(parents=True, exist_ok=True)
            atomic.write(fs.LocalFileSystem(), str(self.path), buffer.getvalue())
        self.written = time.monotonic()

    def remove(self) -> None:
        """Delete the file."""
        if self.path is not None:
            self.path.unlink(missing_ok=True)
