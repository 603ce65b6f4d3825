"""``python -m benchmark.report RESULTS [--out DIR] [--open] [--published FILE] [--against OLD]``:
the page, and its verdict in a few lines. Of several results, or of a folder of reports, a
leaderboard of their rules and the list of their pages."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from io import TextIOWrapper

from benchmark.command import Parser, entry_point, local_path


@entry_point
def main(arguments: Sequence[str] | None = None) -> int:
    """Write the report; 0, or 3 where the study is incomplete, or 2 where the input is bad."""
    parser = Parser(prog="python -m benchmark.report", description=__doc__)
    parser.add_argument(
        "results",
        nargs="+",
        help="the folder or URI that a job wrote its results to; several are compared, and so are "
        "all in a folder of reports",
    )
    parser.add_argument(
        "--out", type=local_path, help="where to write (default: beside the results)"
    )
    parser.add_argument("--open", action="store_true", help="show the page in a browser")
    parser.add_argument("--published", help="a table of benchmark.published, to compare ranks with")
    parser.add_argument("--against", metavar="OLD", help="older results, to say what changed")
    for stream in (sys.stdout, sys.stderr):  # a terminal that lacks a character gets a mark for it
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")
    options = parser.parse_args(arguments)
    from benchmark.report.delivery import write_report  # loads what judges and draws

    return write_report(options)


if __name__ == "__main__":
    sys.exit(main())
