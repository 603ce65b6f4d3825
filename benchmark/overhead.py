"""``python -m benchmark.overhead``: what the machinery costs, on units that train nothing.

The units are packed as if each took a second, so that Ray Tune carries as many shards as it would,
and go the whole way: shard, worker, watchdog, file, progress. Starting Ray is left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from benchmark.command import Parser, entry_point, local_path
from search_spaces.errors import InvalidInput

MOST_NODES = 1000


@entry_point
def main(argv: Sequence[str] | None = None) -> int:
    """Measure and print; 0, 1 where it is more than was promised, 2 on bad input."""
    parser = Parser(prog="python -m benchmark.overhead", description=__doc__)
    parser.add_argument("--units", type=int, default=10_000, help="how many (default 10000)")
    parser.add_argument("--workers", type=int, help="shards at once (default: every core)")
    parser.add_argument(
        "--nodes", type=int, help="sweep on a simulated cluster of so many nodes (default: none)"
    )
    parser.add_argument(
        "--untrained", action="store_true", help="plan, store and show so many units; no sweep"
    )
    parser.add_argument("--out", type=local_path, help="a CSV file to which figures are added")
    asked = parser.parse_args(argv)
    if not 1 <= asked.units <= 10**6:
        raise InvalidInput(f"--units {asked.units}: give 1 to 1,000,000")
    if asked.nodes is not None and not 1 <= asked.nodes <= MOST_NODES:
        raise InvalidInput(f"--nodes {asked.nodes}: give 1 to {MOST_NODES}")
    if asked.untrained and asked.nodes:
        raise InvalidInput("--untrained sweeps nothing; leave --nodes out")
    if asked.out:
        from benchmark.speed.growth.table import add_figures

        add_figures(asked.out)  # what cannot be written is said before minutes of measuring
    if asked.untrained:
        measure_untrained(asked.units, asked.out)
        return 0
    return measure_sweep(asked.units, asked.workers, asked.nodes or 0, asked.out)


def measure_sweep(units: int, workers: int | None, nodes: int, out: Path | None) -> int:
    """Sweep units that train nothing, and print what that took; the exit code."""
    from benchmark.speed.growth import machinery  # loads Ray
    from benchmark.speed.growth.table import add_figures, list_sweep_figures
    from benchmark.sweep.resources import check_workers

    console = Console(stderr=True)
    found = machinery.measure_overhead(units, check_workers(workers), console, nodes)
    print(
        f"{found.units:,} units in {found.shards:,} shards, {found.slots} at once: "
        f"{found.seconds:.1f} s, the first stored after {found.first:.1f} s\n"
        f"overhead of a unit: {1000 * found.share:.1f} ms of a core, {found.share:.1%} of a "
        f"one-second unit's time (at most {machinery.SHARE:.0%} is promised)\n"
        f"memory of the driver: {found.memory / 1e6:,.0f} MB "
        f"(at most {machinery.MEMORY / 1e6:,.0f})\n"
        f"results read again and checked in {found.reading:.1f} s"
    )
    if out:
        add_figures(out, units, nodes, list_sweep_figures(found))
    return 0 if found.within else 1


def measure_untrained(units: int, out: Path | None) -> None:
    """Plan, store and show a study of about so many units, and print what that took."""
    from benchmark.speed.growth.stages import measure_stages
    from benchmark.speed.growth.table import add_figures, list_stage_figures

    found = measure_stages(units)
    figures = list_stage_figures(found)
    print(f"{found.units:,} units, {found.rows:,} rows")
    for name, (value, unit) in figures.items():
        print(f"{name}: {value:,.1f} {unit}")
    if out:
        add_figures(out, found.units, 0, figures)


if __name__ == "__main__":
    raise SystemExit(main())
