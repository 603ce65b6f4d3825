"""``python -m benchmark.speed [--quick] [--only TEXT] [--out FILE.parquet]``: the speed table.

Replica-steps per second of the engine and of its peers: a Ray Tune trial per learning rate, the
same with reused workers, a plain loop over rates, one with CUDA graphs. One worker with one thread
each, the same images, order, weights and precision; five interleaved repeats (two with --quick),
medians and ranges. Ratios are to Tune with reused workers; beside them the arithmetic that is done
in a second, as a share of a matrix product's in the same rounds. Then: paths, a plan, a store, a
report.

With --precision instead: how far losses and accuracies in bfloat16 differ from those in float32,
where weights, rates, seeds and images are the same.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmark.command import Parser, entry_point, local_path
from search_spaces.errors import InvalidInput


@entry_point
def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print and write; 0, or 2 where an argument is wrong."""
    parser = Parser(prog="python -m benchmark.speed", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="about two minutes on two cores")
    parser.add_argument(
        "--only", default="", help="networks whose names hold this text, or scale: the rest"
    )
    parser.add_argument(
        "--precision", action="store_true", help="bfloat16 against float32, by what is learned"
    )
    parser.add_argument(
        "--out", type=local_path, default=Path("speed.parquet"), help="the Parquet file"
    )
    options = parser.parse_args(argv)
    if options.out.is_dir() or not options.out.resolve().parent.is_dir():
        raise InvalidInput(f"--out {options.out}: name a file in a folder that exists")
    os.environ.setdefault("KINETO_LOG_LEVEL", "99")  # the profiler's own lines, which torch reads
    from benchmark.speed.measure import learn_in_both, measure_speed  # loads torch and Ray

    if options.precision:
        if options.only:
            raise InvalidInput("--precision compares networks of its own; leave --only out")
        learn_in_both(options.out, options.quick)
    else:
        measure_speed(options.out, options.quick, options.only)
    return 0


if __name__ == "__main__":
    sys.exit(main())
