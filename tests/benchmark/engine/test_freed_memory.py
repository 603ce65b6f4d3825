"""Freed memory stays within a unit, and goes back to the system after it."""

import subprocess
import sys

BLOCKS = """
import ctypes, resource
from pathlib import Path
from benchmark.engine.freed_memory import find_trim, keep_freed_memory

library = ctypes.CDLL(None)
library.malloc.restype, library.malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
library.free.argtypes = [ctypes.c_void_p]
SIZE = 2**26

def use_block():
    block = library.malloc(SIZE)
    ctypes.memset(block, 1, SIZE)
    library.free(block)

def count_faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt

def read_resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()

if find_trim() is None:
    print("no glibc")
else:
    with keep_freed_memory():
        use_block()
        before = count_faults()
        for _ in range(8):
            use_block()
        faults, kept = count_faults() - before, read_resident()
    print(faults, (kept - read_resident()) / SIZE)
"""


def test_a_block_is_used_again_within_a_unit_and_given_back_after_it() -> None:
    """64 MiB are 16,384 pages, each of which the system would clear at every use."""
    done = subprocess.run(
        [sys.executable, "-c", BLOCKS], capture_output=True, text=True, check=True
    )
    if done.stdout != "no glibc\n":
        faults, returned = map(float, done.stdout.split())
        assert faults < 100
        assert returned > 0.9
