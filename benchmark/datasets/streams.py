"""Random streams: one for each seed and purpose, the same on every machine."""

from __future__ import annotations

import hashlib

import torch


def create_stream(seed: int, purpose: str) -> torch.Generator:
    """The random stream of a seed for one purpose, on the CPU.

    Streams of two purposes share nothing, so that drawing more numbers for one (augmentation, say)
    leaves the others (weights, order) as they were.
    """
    digest = hashlib.sha256(f"{purpose}:{seed}".encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:8], "little") >> 1)
