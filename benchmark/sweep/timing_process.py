"""One of several processes that time a unit at once on a shared device, as shards train there.

A program: its input is a pickle (units, how they are run, the device) and then a line that says
go; its output is a line once it is ready, with its libraries loaded, and then the seconds per unit
of cost. It ends where its input does, and so with whoever started it.
"""

from __future__ import annotations

import os
import pickle
import sys

from benchmark.sweep.shards import calibrate


def main() -> int:
    """Answer on the standard output, to which nothing else may print."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    orders = sys.stdin.buffer
    units, run, device = pickle.load(orders)

    def wait() -> None:
        print("ready", file=answers, flush=True)
        if not orders.readline():
            raise SystemExit(1)

    print(repr(calibrate(units, run, device, wait)), file=answers, flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
