"""A results folder read once: the planned table, the gaps by stage, and where it came from."""

import subprocess
import sys
from pathlib import Path

import pytest
from support.commands import environment
from support.planted_units import planted_manifest, planted_provenance, planted_rows, planted_unit

from benchmark import status
from benchmark.store.formats import schema
from benchmark.store.formats.compacted_file import write_compacted
from benchmark.store.formats.unit_file import UnitFile, seal
from benchmark.store.results import Results
from benchmark.store.store import Store
from benchmark.store.stored_units import BATCH
from search_spaces.errors import InvalidInput

DONE, DIVERGED, FAILED, MISSING, DAMAGED, EXTRA = (
    planted_unit(f"mlp-{depth}") for depth in range(2, 8)
)


@pytest.fixture
def folder(tmp_path: Path) -> str:
    """A folder in which everything that can happen to a unit has happened."""
    store = Store.open(str(tmp_path), create=True)
    store.write(DONE, planted_rows(DONE), planted_provenance(seconds=2.0))
    store.write(DIVERGED, planted_rows(DIVERGED, status="diverged"), planted_provenance(3.0))
    store.write(EXTRA, planted_rows(EXTRA), planted_provenance(100.0))
    store.write(DAMAGED, planted_rows(DAMAGED), planted_provenance())
    file = tmp_path / "units" / f"{DAMAGED.id}.arrow"
    file.write_bytes(file.read_bytes()[:-9])
    store.write_failure(FAILED, "MemoryError: no room", "Traceback ...\nMemoryError: no room")
    manifest = planted_manifest([DIVERGED, DONE, FAILED, MISSING, DAMAGED])
    again = manifest["stages"][0] | {"part": "again", "units": [DONE.id], "expected": 1}
    waits = manifest["stages"][0] | {"part": "later", "units": None, "expected": 7}
    store.write_manifest(manifest | {"stages": [*manifest["stages"], again, waits]})
    return str(tmp_path)


def test_the_table_is_the_plan_in_its_order_with_its_stages_columns(folder: str) -> None:
    table = Results.load(folder).table
    assert table.schema.names == ["part", "kind", "stage", *schema.SCHEMA.names]
    expected = [("rungs", DIVERGED.id)] * 3 + [("rungs", DONE.id)] * 3 + [("again", DONE.id)] * 3
    parts, ids = table["part"].to_pylist(), table["unit_id"].to_pylist()
    assert list(zip(parts, ids, strict=True)) == expected


def test_a_data_frame_has_the_table_s_rows_and_columns(
    folder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    results = Results.load(folder)
    frame = results.to_pandas()
    assert list(frame.columns) == results.table.schema.names
    for name in ("part", "stage", "unit_id", "rule", "lr"):
        assert frame[name].tolist() == results.table[name].to_pylist()
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(InvalidInput, match="pip install pandas"):
        results.to_pandas()


def test_every_unit_is_counted_once_per_stage(folder: str) -> None:
    results = Results.load(folder)
    rungs, again, later = results.counts
    assert (rungs.planned, rungs.done, rungs.failed, rungs.missing) == (5, 2, 1, 2)
    assert (rungs.replicas, rungs.diverged, rungs.untrainable) == (6, 3, 0)
    assert (again.planned, again.done, again.missing, again.waits) == (1, 1, 0, False)
    assert (later.planned, later.done, later.missing, later.waits) == (7, 0, 7, True)
    assert (results.quarantined, results.extra, results.complete) == (1, 1, False)
    assert set(results.failures) == {FAILED.id}


def test_provenance_is_that_of_the_planned_units(folder: str) -> None:
    summary = Results.load(folder).provenance
    assert summary.seconds == 5.0
    assert summary.commits == ["c0ffee"]
    assert summary.machines == len(summary.platforms) == len(summary.processors) == 1
    assert set(summary.versions) == {"python", "torch", "ray", "numpy", "pyarrow"}
    assert summary.finished is not None


def test_two_loads_are_equal(folder: str) -> None:
    first, second = Results.load(folder), Results.load(folder)
    assert first.table.equals(second.table)
    assert first.counts == second.counts
    assert first.quarantined == second.quarantined == 1


def test_a_complete_folder_says_so(tmp_path: Path) -> None:
    store = Store.open(str(tmp_path), create=True)
    store.write(DONE, planted_rows(DONE), planted_provenance())
    store.write_manifest(planted_manifest([DONE]))
    assert Results.load(str(tmp_path)).complete


def test_a_newer_manifest_is_refused(tmp_path: Path) -> None:
    Store.open(str(tmp_path), create=True).write_manifest(planted_manifest([]) | {"format": 2})
    with pytest.raises(InvalidInput, match=r"format 2.*upgrade"):
        Results.load(str(tmp_path))


def test_status_shows_every_count_and_why_units_failed(
    folder: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert status.main([folder]) == 0
    shown = capsys.readouterr().out
    rungs = next(line for line in shown.splitlines() if "rungs" in line)
    assert rungs.split() == ["rungs", "/", "grid", "5", "2", "1", "2", "6", "3"]
    assert "later / grid (waits)" in shown
    assert "1 damaged files were set aside" in shown
    assert "1 stored units belong to other fields" in shown
    assert "mlp-4 (3 replicas), attempt 1: MemoryError: no room" in shown


def test_status_of_what_is_no_store_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert status.main([str(tmp_path / "nothing")]) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert error.count("\n") == 1
    assert "nothing is not a results folder" in error


def test_a_driver_may_read_by_its_own_plan(folder: str) -> None:
    """Another driver may have replaced the manifest."""
    mine = planted_manifest([DONE, DIVERGED])
    Store.open(folder).write_manifest(planted_manifest([MISSING]))
    assert Results.load(folder, mine).complete
    assert not Results.load(folder).complete


MEASURE = """
import sys, tracemalloc
import pyarrow as pa
from benchmark.store.results import Results
Results.load(sys.argv[1])  # imports what it needs
tracemalloc.start()
table = Results.load(sys.argv[1]).table
print(len(table), table.nbytes, pa.default_memory_pool().max_memory())
print(tracemalloc.get_traced_memory()[1])
"""


@pytest.mark.parametrize("compacted", [False, True])
def test_memory_is_bounded_by_the_table_and_a_few_kilobytes_a_unit(
    tmp_path: Path, compacted: bool
) -> None:
    """Two kilobytes for each unit are 0.1 GB for 50,000; the rest does not grow with them."""
    store = Store.open(str(tmp_path), create=True)
    units = [planted_unit(f"mlp-{depth}", replicas=8) for depth in range(2, 602)]
    files = {
        unit.id: UnitFile(
            schema.make_table(planted_rows(unit)), planted_provenance(), unit.canonical
        )
        for unit in units
    }
    if compacted:
        with store.files.scratch_file("compacted") as scratch:
            name, _ = write_compacted(scratch, ({unit_id: file} for unit_id, file in files.items()))
            store.files.place(scratch, f"compacted/{name}")
    else:
        for unit_id, file in files.items():
            (tmp_path / "units" / f"{unit_id}.arrow").write_bytes(seal(file))
    store.write_manifest(planted_manifest(units))
    said = subprocess.run(
        [sys.executable, "-c", MEASURE, str(tmp_path)],
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    print(said)
    rows, table, buffers, objects = map(int, said.split())
    assert rows == 8 * len(units)
    batch = table if compacted else table * BATCH / len(units)  # one row group, decoded and sliced
    assert buffers < 1.6 * table + 2 * batch
    assert objects < 2000 * len(units) + 50_000 * BATCH  # a batch of files as they were read
