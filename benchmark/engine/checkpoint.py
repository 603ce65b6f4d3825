"""Where a long unit stands, in a file that outlives its process.

The file holds what is finished and the state between two steps of what is in training. It is
written whole or not at all, and deleted with the unit's end. Its first lines are a mark, the sha256
of all that follows, and the format, unit and torch version of its writer. The checksum is compared
before torch sees a byte, and torch unpickles nothing but tensors and plain values.

A checkpoint only saves time: one that cannot be written, read or used costs the steps it would have
saved, and no more.
"""

from __future__ import annotations

import hashlib
import io
import json
import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import torch
from pyarrow import fs

from benchmark.engine.device import is_out_of_memory
from benchmark.store.folder import atomic
from benchmark.training.loop import Training
from benchmark.training.outcome import Outcome

FORMAT: Final = 2
MARK: Final = b"learning-rate benchmark checkpoint\n"
EVERY = 60.0
"""Seconds between writes; a unit that takes less leaves no file."""

log = logging.getLogger(__name__)


class Checkpoint:
    """The checkpoint of one unit in a local file, or none where ``path`` is None.

    A damaged file, and one whose state does not fit its unit, is renamed to ``NAME.*.damaged``.
    """

    def __init__(self, path: Path | None, unit_id: str) -> None:
        self.path, self.unit_id = path, unit_id
        self.written = time.monotonic()
        self.warned = False

    def load(self, replicas: int) -> dict[str, Any]:
        """What was written last for a unit that trains so many replicas.

        Empty where nothing was written, where another version of this program or of torch wrote it,
        or where it is damaged.
        """
        if self.path is None:
            return {}
        try:
            data = self.path.read_bytes()
        except OSError:  # there is none, or it cannot be read
            return {}
        try:
            header, content = open_sealed(data)
        except ValueError:
            self.set_aside("it is damaged")
            return {}
        if header != self.header():
            return {}
        try:
            stored = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
            fits = adds_up(stored, replicas)
        except Exception:  # torch.load raises errors of many kinds
            fits = False
        if not fits:
            self.set_aside("its content does not fit the unit")
            return {}
        found: dict[str, Any] = stored
        return found

    def resume(self, build: Callable[[], Training], state: dict[str, Any] | None) -> Training:
        """A training in this state; a new one where there is none, or where it does not fit."""
        training = build()
        if not state:
            return training
        try:
            training.restore(state)
        except Exception as error:
            if is_out_of_memory(error):
                raise
            self.set_aside(f"its state does not fit ({type(error).__name__})")
            return build()
        return training

    def save_when_due(self, training: Training, outcomes: list[Outcome], sizes: list[int]) -> None:
        """Write where it is time: outcomes of the chunks that are done, the sizes of those to come,
        and the first of them in training. Of several ranks the first writes."""
        if self.path is None or time.monotonic() - self.written < EVERY:
            return
        if training.batches.ranks.rank == 0:
            state = {"outcomes": outcomes, "sizes": sizes, "training": training.state()}
            buffer = io.BytesIO()
            torch.save(state, buffer)
            try:
                self.path.parent.mkdir(parents=True, exist_ok=True)
                data = seal_content(self.header(), buffer.getvalue())
                atomic.write_atomically(fs.LocalFileSystem(), str(self.path), data)
            except OSError as error:
                self.warn(f"cannot be written ({error.strerror}); training goes on without it")
        self.written = time.monotonic()

    def remove(self) -> None:
        """Delete the file."""
        if self.path is not None:
            try:
                self.path.unlink(missing_ok=True)
            except OSError as error:
                self.warn(f"cannot be deleted ({error.strerror})")

    def set_aside(self, reason: str) -> None:
        """Rename the file, so that it is kept and not read again."""
        assert self.path is not None
        self.warn(f"is not used: {reason}; the unit is trained from its beginning")
        try:
            aside = f"{self.path.name}.{uuid4().hex[:8]}.damaged"
            self.path.replace(self.path.with_name(aside))
        except OSError:  # another rank was first, or the folder cannot be written
            return

    def warn(self, text: str) -> None:
        """Say once that there is no use of the checkpoint."""
        if not self.warned:
            log.warning("the checkpoint %s %s", self.path, text)
        self.warned = True

    def header(self) -> dict[str, Any]:
        """What a file must say to be of use here."""
        return {"format": FORMAT, "unit": self.unit_id, "torch": torch.__version__}


def seal_content(header: dict[str, Any], content: bytes) -> bytes:
    """The bytes of a file."""
    sealed = json.dumps(header).encode() + b"\n" + content
    return MARK + hashlib.sha256(sealed).hexdigest().encode() + b"\n" + sealed


def open_sealed(data: bytes) -> tuple[dict[str, Any], bytes]:
    """The header and the content; raises ``ValueError`` where a bit was changed."""
    mark, (digest, _, sealed) = data[: len(MARK)], data[len(MARK) :].partition(b"\n")
    if mark != MARK or hashlib.sha256(sealed).hexdigest().encode() != digest:
        raise ValueError("the checksum does not match")
    header, _, content = sealed.partition(b"\n")
    found: dict[str, Any] = json.loads(header)
    return found, content


def adds_up(stored: Any, replicas: int) -> bool:
    """Whether the chunks that are done and those to come are those of so many replicas."""
    outcomes, sizes = stored["outcomes"], stored["sizes"]
    return (
        isinstance(stored["training"], dict)
        and all(isinstance(outcome, dict) for outcome in outcomes)
        and all(type(size) is int and size > 0 for size in sizes)
        and len(outcomes) + sum(sizes) == replicas
    )
