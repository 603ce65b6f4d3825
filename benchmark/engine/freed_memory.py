"""Memory that a step frees stays with the process until its unit ends.

glibc gives large freed blocks back to the system at once, and asks for them again at the next step:
the system then clears every page anew. That was a tenth of a step's time for a ResNet on images of
8 x 8 and an eighth for a light cell of NAS-Bench-201 (medians of five interleaved rounds on one
core). The numbers are the same bytes.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Final

M_TRIM_THRESHOLD, M_MMAP_MAX, M_ARENA_MAX = -1, -4, -8
"""Parameters of glibc's ``mallopt`` (malloc.h)."""
SETTINGS: Final = (
    (M_MMAP_MAX, 0),  # large blocks come from the heap as well
    (M_TRIM_THRESHOLD, 2**31 - 1),  # whose end is not given back
    (M_ARENA_MAX, 1),  # threads share it: a worker's shard runs in a thread
)


@cache
def find_trim() -> Callable[[int], int] | None:
    """glibc's ``malloc_trim``, after its settings were made; None where there is another library.

    They are made once per process.
    """
    library = ctypes.CDLL(None)
    if not (hasattr(library, "mallopt") and hasattr(library, "malloc_trim")):
        return None
    for parameter, value in SETTINGS:
        library.mallopt(parameter, value)
    return library.malloc_trim


@contextmanager
def keep_freed_memory() -> Iterator[None]:
    """Keep what is freed while the context is open, and give it back to the system at its end."""
    trim = find_trim()
    try:
        yield
    finally:
        if trim is not None:
            trim(0)
