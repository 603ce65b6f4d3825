"""Telling a lack of memory from other errors."""

from __future__ import annotations

import torch

SAID = (
    *("DefaultCPUAllocator", "can't allocate memory", "bad_alloc", "Unable to allocate"),
    "could not create a ",  # oneDNN: a memory or a primitive
)


def exhausted(error: Exception) -> bool:
    """Whether an error says that memory, a GPU's or the machine's, did not suffice."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    return isinstance(error, RuntimeError) and any(said in str(error) for said in SAID)
