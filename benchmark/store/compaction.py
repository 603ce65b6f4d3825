"""Folding the files of finished units into one: written, read back, compared, and only then
are the files deleted whose units it holds.

A reader finds every unit at every moment, and whoever is killed in between leaves a unit in two
places, which are equal. Two may compact at once: each deletes only what is in a file that it wrote
and read back; a later one may have deleted that file by then, having read all of it into its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from benchmark.store.folder.errors import StoreUnwritable
from benchmark.store.formats.compacted_file import CompactedFile, write_compacted
from benchmark.store.formats.unit_file import UnitFile, equal_rows
from benchmark.store.store import Store
from benchmark.store.stored_units import BATCH, THREADS, split_batches


def compact_store(store: Store) -> tuple[int, int]:
    """Fold what can be folded; how many units the one file has, and how many files it replaced.

    Holds some units at a time. Raises ``StoreUnreadable``, and ``StoreUnwritable`` where the store
    cannot be written or the new file does not read back as it was written.
    """
    loose = sorted(store.units.list_loose())
    old = store.units.open_compacted()
    if len(loose) + len(old) < 2:
        return len(loose) + sum(len(file.spans) for file in old.values()), 0
    with store.files.scratch_file("compacted") as scratch:
        name, written = write_compacted(scratch, every_unit(store, old, loose))
        if not written:
            return 0, 0
        store.files.place(scratch, f"compacted/{name}")
    file = store.files.open("compacted", name)
    if file is None:  # another compaction has folded it already
        return len(written), 0
    new = store.quarantine.check("compacted", name, lambda: CompactedFile(file, name))
    if new is None or not written <= new.spans.keys():
        raise explain_difference(store, name)
    replaced = list_covered(store, new, old, loose)
    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(lambda place: store.files.remove(*place), replaced))
    return len(written), len(replaced)


def every_unit(
    store: Store, old: dict[str, CompactedFile], loose: list[str]
) -> Iterator[dict[str, UnitFile]]:
    """The units of all files, some at a time; a unit of several files comes several times."""
    for file in old.values():
        yield from file.read(file.spans)
    for some in split_batches(loose, BATCH):
        yield store.units.read_loose(some)


def list_covered(
    store: Store, new: CompactedFile, old: dict[str, CompactedFile], loose: list[str]
) -> list[tuple[str, str]]:
    """The files all of whose units the new one has with equal rows.

    A file with another result of a unit that an earlier file has too is left. Raises
    ``StoreUnwritable`` where the new file differs from what was folded into it.
    """
    kept: set[str] = set()
    found: list[tuple[str, str]] = []
    for name, file in old.items():
        different = set().union(*(find_differing(units, new) for units in file.read(file.spans)))
        if different - kept:
            raise explain_difference(store, name)
        kept |= file.spans.keys()
        if not different:
            found.append(("compacted", name))
    for some in split_batches(loose, BATCH):
        units = {i: file for i, file in store.units.read_loose(some).items() if len(file.rows)}
        different = find_differing(units, new)
        if different - kept:
            raise explain_difference(store, min(different - kept))
        found += [("units", f"{i}.arrow") for i in units if i not in different]
    return found


def find_differing(units: dict[str, UnitFile], new: CompactedFile) -> set[str]:
    """The ids of those of these units that the new file lacks or has otherwise."""
    there = {unit_id: file for files in new.read(units) for unit_id, file in files.items()}
    return {
        unit_id
        for unit_id, file in units.items()
        if unit_id not in there
        or there[unit_id].unit != file.unit
        or not equal_rows(there[unit_id].rows, file.rows)
    }


def explain_difference(store: Store, name: str) -> StoreUnwritable:
    """The sentence for a new file that is not what was written."""
    return StoreUnwritable(
        f"{store.files.name} did not give back {name} as it was written; nothing was deleted; "
        "check the disk and run the same command again"
    )
