"""``python -m benchmark.overhead``: what the machinery costs, on units that train nothing.

The units are packed as if each took a second, so that Ray Tune carries as many shards as it would,
and go the whole way: shard, worker, watchdog, file, progress. Starting Ray is left out.
"""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console

from benchmark.command import Parser, entry_point
from search_spaces.errors import InvalidInput


@entry_point
def main(argv: Sequence[str] | None = None) -> int:
    """Measure and print; 0, 1 where it is more than was promised, 2 on bad input."""
    parser = Parser(prog="python -m benchmark.overhead", description=__doc__)
    parser.add_argument("--units", type=int, default=10_000, help="how many (default 10000)")
    parser.add_argument("--workers", type=int, help="shards at once (default: every core)")
    asked = parser.parse_args(argv)
    if not 1 <= asked.units <= 10**6:
        raise InvalidInput(f"--units {asked.units}: give 1 to 1,000,000")
    from benchmark.speed.machinery import MEMORY, SHARE, measure_overhead  # load Ray
    from benchmark.sweep.resources import check_workers

    found = measure_overhead(asked.units, check_workers(asked.workers), Console(stderr=True))
    print(
        f"{found.units:,} units in {found.shards:,} shards, {found.slots} at once: "
        f"{found.seconds:.1f} s\n"
        f"overhead of a unit: {1000 * found.share:.1f} ms of a core, {found.share:.1%} of a "
        f"one-second unit's time (at most {SHARE:.0%} is promised)\n"
        f"memory of the driver: {found.memory / 1e6:,.0f} MB (at most {MEMORY / 1e6:,.0f})\n"
        f"results read again and checked in {found.reading:.1f} s"
    )
    return 0 if found.within else 1


if __name__ == "__main__":
    raise SystemExit(main())
