"""How much memory this process has taken."""

from __future__ import annotations

import resource


def read_peak_memory() -> int:
    """Bytes of this process at its peak so far, as Linux counts them."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
