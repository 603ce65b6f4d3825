"""``python -m benchmark.compact RESULTS``: folds the files of finished units into one Parquet."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from benchmark.command import Parser, entry_point
from benchmark.store import compacted_file
from benchmark.store.store import THREADS, Store, StoreUnwritable


def compact(store: Store) -> tuple[int, int]:
    """Fold what can be folded; how many units the one file has, and how many files it replaced.

    The new file is written whole and read back before what it holds is deleted; so a reader finds
    every unit at every moment, and whoever is killed in between leaves a unit in two places, which
    are equal. Two may compact at once: each deletes only what is in a file that it wrote. Raises
    ``StoreUnwritable``.
    """
    loose = store.loose()
    files = {unit_id: file for some in store.files(store.done()) for unit_id, file in some.items()}
    replaced = [("compacted", name) for name, units in store.folds.items() if units]
    replaced += [("units", f"{unit_id}.arrow") for unit_id in loose & files.keys()]
    if len(replaced) < 2:
        return len(files), 0
    name, data = compacted_file.encode(files)
    store.put(f"compacted/{name}", data)
    if store.folded().keys() < files.keys():
        raise StoreUnwritable(
            f"{store.path('compacted', name)} did not read back as it was written; nothing was "
            "deleted; check the disk and run the same command again"
        )
    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(lambda place: store.remove(*place), replaced))
    return len(files), len(replaced)


@entry_point
def main(argv: Sequence[str] | None = None) -> int:
    """Compact a results folder; 0, or 2 where there is none or it cannot be written."""
    parser = Parser(prog="python -m benchmark.compact", description=__doc__)
    parser.add_argument("results", metavar="RESULTS", help="the folder or URI of a job's results")
    store = Store.open(parser.parse_args(argv).results)
    Store.open(store.uri, create=True)  # results of an earlier version lack a folder
    units, replaced = compact(store)
    if replaced:
        print(f"{units:,} units are one file now, in place of {replaced:,}")
    else:
        print(f"{units:,} units; there was nothing to fold")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
