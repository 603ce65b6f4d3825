"""Writers, compactions and readers at once on one folder: what was there once never goes away."""

import random
import threading
from collections.abc import Callable
from pathlib import Path

from support.planted_units import planted_provenance, planted_rows, planted_unit
from support.tally import TALLY

from benchmark.store.compaction import compact_store
from benchmark.store.store import Store

UNITS = [planted_unit(f"mlp-{depth}") for depth in range(24)]


def test_writers_compactions_and_readers_at_once(tmp_path: Path) -> None:
    """Two drivers write the same units, two compact, and two read, as other processes would."""
    Store.open(str(tmp_path), create=True)
    ended = threading.Event()
    wrong: list[object] = []

    def write(seed: int) -> None:
        units = random.Random(seed).sample(UNITS, len(UNITS))
        for unit in units:
            store = Store.open(str(tmp_path), create=True)
            if store.find_unit(unit.id) is None:
                store.write(unit, planted_rows(unit), planted_provenance())

    def compact(_: int) -> None:
        while not ended.is_set():
            compact_store(Store.open(str(tmp_path), create=True))

    def read(_: int) -> None:
        seen: set[str] = set()
        while not ended.is_set():
            store = Store.open(str(tmp_path), create=True)
            found = store.done()
            loaded = {i for files in store.read_units(found) for i in files}
            if not seen <= found or not found <= loaded:
                wrong.append((len(seen), len(found), len(loaded)))
            seen |= loaded

    def start(act: Callable[[int], None]) -> list[threading.Thread]:
        def noted(seed: int) -> None:
            try:
                act(seed)
            except BaseException as error:
                wrong.append(error)

        threads = [threading.Thread(target=noted, args=(seed,)) for seed in (1, 2)]
        for thread in threads:
            thread.start()
        return threads

    others = start(compact) + start(read)
    for thread in start(write):
        thread.join()
    ended.set()
    for thread in others:
        thread.join()
    TALLY.fault("compaction beside writers and readers", 2)
    assert wrong == []
    store = Store.open(str(tmp_path), create=True)
    compact_store(store)
    table = store.read([unit.id for unit in UNITS])
    assert table is not None
    assert len(table) == sum(len(unit.replicas) for unit in UNITS)
    assert store.quarantined() == 0
    assert [path.name for path in (tmp_path / "units").iterdir()] == []
