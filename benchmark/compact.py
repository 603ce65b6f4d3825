"""``python -m benchmark.compact RESULTS``: folds the files of finished units into one Parquet."""

from __future__ import annotations

from collections.abc import Sequence

from benchmark.command import Parser, entry_point
from benchmark.store.compaction import compact_store
from benchmark.store.store import Store


@entry_point
def main(argv: Sequence[str] | None = None) -> int:
    """Compact a results folder; 0, or 2 where there is none or it cannot be written."""
    parser = Parser(prog="python -m benchmark.compact", description=__doc__)
    parser.add_argument("results", metavar="RESULTS", help="the folder or URI of a job's results")
    store = Store.open(parser.parse_args(argv).results)
    Store.open(store.uri, create=True)  # results of an earlier version lack a folder
    units, replaced = compact_store(store)
    if replaced:
        print(f"{units:,} units are one file now, in place of {replaced:,}")
    else:
        print(f"{units:,} units; there was nothing to fold")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
