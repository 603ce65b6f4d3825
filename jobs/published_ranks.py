"""How far could a learning-rate rule matter to NAS-Bench-201's ranking? No training needed.

Purpose   From the published accuracies of all 15,625 cells: how far two seeds agree (the ceiling of
          any study of ranks), how far 12 epochs stand for 200, how each rule's rate multiplier
          alone correlates with accuracy, and what of the ranking its rate classes can carry.
Cost      Under a minute on 2 cores; no GPU. The table is made once from NATS-Bench's records:
          python -m benchmark.published NATS_DIR --out FILE.parquet
Expect    Seeds agree almost perfectly over all cells and poorly among the best; 12 epochs fall
          short of that; path-cubed's multiplier follows accuracy without any training (about
          -0.68), so that a change of ranking along it shows nothing by itself.
Command   python jobs/published_ranks.py --published FILE.parquet [--out DIR]
"""

from __future__ import annotations

from argparse import RawDescriptionHelpFormatter
from collections.abc import Sequence
from pathlib import Path

from benchmark.command import Parser, entry_point
from search_spaces.errors import InvalidInput


@entry_point
def main(arguments: Sequence[str] | None = None) -> int:
    """Write the report; 0, or 2 where the table cannot be used."""
    parser = Parser(
        prog="python jobs/published_ranks.py",
        description=__doc__,
        formatter_class=RawDescriptionHelpFormatter,
    )
    parser.add_argument("--published", required=True, help="a table of benchmark.published")
    default = Path("reports/published-ranks")
    parser.add_argument("--out", type=Path, default=default, help=f"a folder (default {default})")
    options = parser.parse_args(arguments)
    from benchmark.published import table  # what judges and draws: after the arguments are read
    from benchmark.report import page

    report = page.build_published_page(table.read_table(options.published))
    try:
        written = report.write(options.out)
    except OSError as error:
        raise InvalidInput(
            f"--out {options.out} cannot be written ({error.strerror}); name another folder"
        ) from error
    for topic, answers in report.summary:
        print(f"{topic}: {answers}")
    print(written)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
