"""Where a process trains, and how the libraries are set there."""

from __future__ import annotations

import torch


def default() -> str:
    """A GPU where the process sees one, else the CPU."""
    return "cuda" if torch.cuda.is_available() else "cpu"


def prepare(device: torch.device) -> None:
    """One thread, denormals flushed; on a GPU float32 is float32, and cuDNN times its algorithms.

    Two workers of two threads on two cores were seen to take a hundred times as long as one each.
    """
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    if device.type == "cuda":
        torch.backends.cudnn.allow_tf32 = False  # else it rounds products to 10 bits
        torch.backends.cudnn.benchmark = True
