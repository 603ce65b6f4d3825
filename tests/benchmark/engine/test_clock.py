"""The time of day may be set back while a study runs: ids, rows and files stay as they are."""

import time
from itertools import count
from pathlib import Path

import pytest
from support.small_study import ONE_ROUND

from benchmark.engine import engine
from benchmark.plan.planner import plan
from benchmark.store import provenance
from benchmark.store.compaction import compact_store
from benchmark.store.folder import atomic
from benchmark.store.store import Store
from benchmark.study.unit import Unit

HOUR = 3600 * 10**9


def set_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock is an hour earlier each time that it is read."""
    begin, reads = time.time_ns(), count(1)
    monkeypatch.setattr(time, "time_ns", lambda: begin - next(reads) * HOUR)
    monkeypatch.setattr(time, "time", lambda: time.time_ns() / 1e9)


def planned() -> list[Unit]:
    return [unit for stage in plan(ONE_ROUND, lambda _: None) for unit in stage.units or ()]


def rows(units: list[Unit], place: Path) -> list[dict[str, object]]:
    """Trained, stored, compacted and read again."""
    store = Store.open(str(place), create=True)
    for unit in units:
        store.write(unit, engine.run(unit), provenance.make_record("none", 0.0))
        compact_store(store)
    found = store.read([unit.id for unit in units])
    assert found is not None
    kept: list[dict[str, object]] = found.to_pylist()
    return kept


def test_a_clock_that_runs_backwards_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    units = planned()
    expected = repr(rows(units, tmp_path / "steady"))
    set_back(monkeypatch)
    assert planned() == units
    assert repr(rows(units, tmp_path / "backwards")) == expected
    living = tmp_path / f".x.1{atomic.TEMPORARY}"  # of a writer that is at work
    living.touch()
    atomic.remove_leftovers(tmp_path)
    assert living.exists()
