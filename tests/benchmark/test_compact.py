"""Folding unit files into one Parquet: the same table before, during and after."""

import gc
import json
import os
import subprocess
import sys
import tracemalloc
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from pyarrow import fs, parquet
from support.commands import environment
from support.planted_units import planted_manifest, planted_provenance, planted_rows, planted_unit
from support.tally import TALLY

from benchmark import compact, merge
from benchmark.store import compaction
from benchmark.store.compaction import compact_store
from benchmark.store.folder import atomic
from benchmark.store.folder import files as store_files
from benchmark.store.formats import compacted_file, schema
from benchmark.store.formats.unit_file import UnitFile, encode, equal_rows
from benchmark.store.results import Results
from benchmark.store.store import Store
from benchmark.store.stored_units import StoredUnits
from benchmark.study.unit import Unit

UNITS = [planted_unit(f"mlp-{depth}") for depth in range(2, 12)]


def written(place: Path, units: list[Unit], loss: float = 0.5) -> Store:
    store = Store.open(str(place), create=True)
    for unit in units:
        store.write(unit, planted_rows(unit, loss), planted_provenance(seconds=loss))
    store.write_manifest(planted_manifest(UNITS))
    return store


def only(folder: Path) -> Path:
    (file,) = folder.iterdir()
    return file


def files(place: Path) -> list[str]:
    return sorted(
        file.name for folder in ("units", "compacted") for file in (place / folder).iterdir()
    )


def test_the_same_table_and_provenance_come_back_from_one_file(tmp_path: Path) -> None:
    written(tmp_path, UNITS)
    before = Results.load(str(tmp_path))
    assert compact.main([str(tmp_path)]) == 0
    assert len(files(tmp_path)) == 1
    after = Results.load(str(tmp_path))
    assert after.complete
    assert after.table.equals(before.table)
    assert (after.provenance, after.counts) == (before.provenance, before.counts)
    store = Store.open(str(tmp_path))
    assert store.done() == {unit.id for unit in UNITS}
    assert store.units.read_folded([unit.id for unit in UNITS]).keys() == store.done()


def test_any_reader_of_parquet_opens_it(tmp_path: Path) -> None:
    compact_store(written(tmp_path, UNITS))
    (file,) = (tmp_path / "compacted").iterdir()
    table = parquet.read_table(file)
    assert table.column_names == [*schema.SCHEMA.names, "unit", "provenance"]
    first = [text for text in table["provenance"].to_pylist() if text is not None]
    assert [json.loads(text)["commit"] for text in first] == ["c0ffee"] * len(UNITS)
    assert sorted(set(table["unit_id"].to_pylist())) == sorted(unit.id for unit in UNITS)


def test_new_units_are_folded_into_the_next_and_nothing_new_changes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = written(tmp_path, UNITS[:4])
    assert compact_store(store) == (4, 4)
    (first,) = files(tmp_path)
    assert compact.main([str(tmp_path)]) == 0
    assert "4 units; there was nothing to fold" in capsys.readouterr().out
    assert files(tmp_path) == [first]
    written(tmp_path, UNITS[4:])
    assert compact.main([str(tmp_path)]) == 0
    assert "10 units are one file now, in place of 7" in capsys.readouterr().out
    assert first not in files(tmp_path)
    assert Results.load(str(tmp_path)).complete


def test_a_reader_that_looked_before_finds_every_unit_after(tmp_path: Path) -> None:
    reader = written(tmp_path, UNITS)
    batches = reader.read_units([unit.id for unit in UNITS])
    compact_store(written(tmp_path, UNITS[:2]))  # between what the reader lists and reads
    assert {unit_id for files in batches for unit_id in files} == {unit.id for unit in UNITS}
    compact_store(written(tmp_path, UNITS[:1]))
    assert reader.read([unit.id for unit in UNITS]) is not None


def test_a_reader_that_listed_unit_files_finds_them_folded(tmp_path: Path) -> None:
    reader = written(tmp_path, UNITS)

    class Late(StoredUnits):
        """Lists, and reads only after somebody has compacted."""

        def list_loose(self) -> set[str]:
            found = super().list_loose()
            if found:
                compact_store(Store.open(str(tmp_path)))
            return found

    late = Late(reader.files, reader.quarantine, {})
    ids = [unit.id for unit in UNITS]
    assert sorted(unit_id for files in late.read(ids) for unit_id in files) == sorted(ids)
    assert reader.quarantined() == 0


def test_a_damaged_file_is_set_aside_and_its_units_are_missing(tmp_path: Path) -> None:
    compact_store(written(tmp_path, UNITS))
    (file,) = (tmp_path / "compacted").iterdir()
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)
    results = Results.load(str(tmp_path))
    assert (results.counts[0].missing, results.quarantined) == (len(UNITS), 1)
    assert [kept.read_bytes() for kept in (tmp_path / "quarantine").iterdir()] == [data]


def test_merging_reads_folders_that_are_compacted_or_not(tmp_path: Path) -> None:
    compact_store(written(tmp_path / "a", UNITS[:6]))
    written(tmp_path / "b", UNITS[4:])
    merged = merge.merge([str(tmp_path / "a"), str(tmp_path / "b")], str(tmp_path / "c"))
    assert (merged.copied, merged.shared, merged.differ) == (10, 2, ())
    compact_store(Store.open(str(tmp_path / "c")))
    again = merge.merge([str(tmp_path / "a")], str(tmp_path / "c"))
    assert (again.copied, again.shared) == (0, 6)
    assert Results.load(str(tmp_path / "c")).complete


def test_a_folder_without_results_is_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert compact.main([str(tmp_path)]) == 2
    assert f"error: {tmp_path} is not a results folder" in capsys.readouterr().err
    assert compact.main([]) == 2
    assert capsys.readouterr().err.startswith("error: the following arguments are required")


KILLED = """
import os, shutil, signal, sys
from benchmark.store import compaction
from benchmark.store.folder import atomic
from benchmark.store.folder.files import Files
from benchmark.store.store import Store
from benchmark.store.stored_units import StoredUnits

source, places = sys.argv[1:]
taken = step = 0

def counted(function):
    def both(*arguments, **keywords):
        global taken
        if taken == step:
            os.kill(os.getpid(), signal.SIGKILL)
        taken += 1
        return function(*arguments, **keywords)
    return both

compaction.THREADS = 1
os.replace = counted(os.replace)
atomic.sync_directory = counted(atomic.sync_directory)
Files.open = counted(Files.open)
StoredUnits.read_loose = counted(StoredUnits.read_loose)
Files.remove = counted(Files.remove)
while True:
    place = shutil.copytree(source, f"{places}/{step}")
    child = os.fork()  # before any thread was started: each step is killed without a new import
    if child == 0:
        compaction.compact_store(Store.open(place))
        os._exit(0)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if code != -signal.SIGKILL:
        sys.exit(code)
    step += 1
"""


def test_killed_at_any_step_nothing_is_lost_and_the_next_one_finishes(tmp_path: Path) -> None:
    source, places = tmp_path / "source", tmp_path / "killed"
    compact_store(written(source, UNITS[:3]))
    written(source, UNITS[3:6])
    expected = Results.load(str(source)).table
    command = [sys.executable, "-c", KILLED, str(source), str(places)]
    assert subprocess.run(command, env=environment(), check=False, timeout=60).returncode == 0
    steps = len(list(places.iterdir())) - 1  # the last one was not killed
    for place in places.iterdir():
        assert Results.load(str(place)).table.equals(expected)
        compact_store(Store.open(str(place)))
        assert Results.load(str(place)).table.equals(expected)
        assert len(files(place)) - sum(name.startswith(".") for name in files(place)) == 1
    assert steps > 8  # the write, its check, and a deletion each of four files
    TALLY.fault("kill -9 of a compaction", steps)


def test_two_that_compact_at_once_lose_nothing(tmp_path: Path) -> None:
    written(tmp_path, UNITS)
    expected = Results.load(str(tmp_path)).table
    command = [sys.executable, "-m", "benchmark.compact", str(tmp_path)]
    both = [subprocess.Popen(command, env=environment(), stdout=subprocess.PIPE) for _ in range(2)]
    for process in both:
        process.communicate(timeout=60)
        assert process.returncode == 0
    assert Results.load(str(tmp_path)).table.equals(expected)
    assert os.listdir(tmp_path / "units") == []  # noqa: PTH208 -- dot files too


def results_of(place: Path) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = Results.load(str(place)).table.to_pylist()
    return rows


@pytest.mark.parametrize("lost", [1, 50, 10_000])
def test_a_file_that_does_not_read_back_replaces_nothing(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    lost: int,
) -> None:
    """Every unit is in two compacted files and some in files of their own: all of them stay."""
    compact_store(written(tmp_path, UNITS[:8]))
    file = only(tmp_path / "compacted")
    file.rename(tmp_path / "kept")
    compact_store(written(tmp_path, UNITS[:8]))
    (tmp_path / "kept").rename(file)
    written(tmp_path, UNITS[6:])
    before, expected = files(tmp_path), results_of(tmp_path)
    place = atomic.place_atomically

    def lose(scratch: Path, filesystem: fs.FileSystem, path: str) -> None:
        place(scratch, filesystem, path)
        os.truncate(path, max(0, Path(path).stat().st_size - lost))

    with monkeypatch.context() as patch:
        patch.setattr(store_files, "place_atomically", lose)
        assert compact.main([str(tmp_path)]) == 2
    error = capsys.readouterr().err
    assert "nothing was deleted" in error
    assert error.count("\n") == 1
    assert files(tmp_path) == before
    assert results_of(tmp_path) == expected
    assert Store.open(str(tmp_path)).quarantined() == 1
    assert compact.main([str(tmp_path)]) == 0
    assert len(files(tmp_path)) == 1
    assert results_of(tmp_path) == expected


def test_a_file_with_other_rows_replaces_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its checksum holds, so only the comparison of rows can tell."""
    store = written(tmp_path, UNITS)
    before = files(tmp_path)
    to_table = compacted_file.to_table

    def change(group: list[UnitFile], columns: pa.Schema) -> pa.Table:
        table = to_table(group, columns)
        place = table.schema.get_field_index("train_loss")
        return table.set_column(place, "train_loss", pc.add(table["train_loss"], 1.0))

    with monkeypatch.context() as patch:
        patch.setattr(compacted_file, "to_table", change)
        assert compact.main([str(tmp_path)]) == 2
    assert "as it was written; nothing was deleted" in capsys.readouterr().err
    assert set(before) <= set(files(tmp_path))
    assert store.done() == {unit.id for unit in UNITS}


def test_another_result_of_a_folded_unit_is_left(tmp_path: Path) -> None:
    compact_store(written(tmp_path, UNITS))
    written(tmp_path, UNITS[:1], loss=9.0)  # trained again elsewhere, with other rows
    written(tmp_path, UNITS[1:2])
    assert compact_store(Store.open(str(tmp_path))) == (10, 2)
    assert [file.name for file in (tmp_path / "units").iterdir()] == [f"{UNITS[0].id}.arrow"]
    assert Results.load(str(tmp_path)).table["train_loss"].to_pylist()[:3] == [0.5] * 3


def test_a_damaged_unit_among_many_is_set_aside_and_not_missed(tmp_path: Path) -> None:
    store = written(tmp_path, UNITS)
    (tmp_path / "units" / f"{UNITS[3].id}.arrow").write_bytes(b"torn")
    assert compact_store(store) == (9, 9)
    assert (store.quarantined(), len(store.done())) == (1, 9)


def test_units_of_many_row_groups_come_back_in_any_choice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Row groups of two units, batches of five rows, units of three: every boundary occurs."""
    monkeypatch.setattr(compacted_file, "GROUP_UNITS", 2)
    monkeypatch.setattr(compacted_file, "BATCH_ROWS", 5)
    monkeypatch.setattr(compaction, "BATCH", 2)
    store = Store.open(str(tmp_path), create=True)
    for place, unit in enumerate(UNITS):
        store.write(unit, planted_rows(unit, float(place)), planted_provenance())
    whole = store.load([unit.id for unit in UNITS])
    compact_store(store)
    (file,) = store.units.open_compacted().values()
    assert file.parquet.metadata.num_row_groups == 5
    for wanted in range(1, 2 ** len(UNITS), 7):
        ids = [unit.id for place, unit in enumerate(UNITS) if wanted >> place & 1]
        units = {i: found for some in file.read(ids) for i, found in some.items()}
        assert units.keys() == set(ids)
        assert all(equal_rows(units[i].rows, whole.select([i])) for i in ids)


def test_a_unit_may_lie_across_row_groups(tmp_path: Path) -> None:
    """As in files of a million rows that were written at once."""
    store = written(tmp_path, UNITS)
    compact_store(store)
    path = only(tmp_path / "compacted")
    parquet.write_table(parquet.read_table(path), tmp_path / "new", row_group_size=4)
    path.unlink()
    with pa.OSFile(str(tmp_path / "new")) as file:
        name = f"{compacted_file.compute_checksum(file)}.parquet"
    (tmp_path / "new").rename(tmp_path / "compacted" / name)
    fresh = Store.open(str(tmp_path))
    (found,) = fresh.units.open_compacted().values()
    assert found.parquet.metadata.num_row_groups == 8
    assert fresh.verified([unit.id for unit in UNITS]) == {unit.id for unit in UNITS}
    for unit in UNITS:
        stored = fresh.find_unit(unit.id)
        assert stored is not None
        assert stored.rows.to_pylist() == planted_rows(unit)


def test_memory_grows_by_little_with_every_unit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Under 5 kB a unit, so 50,000 units take less than a quarter of a gigabyte."""

    for module, name in ((compacted_file, "GROUP_UNITS"), (compaction, "BATCH")):
        monkeypatch.setattr(module, name, 32)
    record = planted_provenance()
    default = pa.default_memory_pool()
    pools = []  # as long as a buffer of theirs may live

    def peak_of(count: int) -> int:
        store = Store.open(str(tmp_path / str(count)), create=True)
        for depth in range(count):
            unit = planted_unit(f"mlp-{depth}")
            path = Path(store.files.path("units", f"{unit.id}.arrow"))
            path.write_bytes(encode(unit, planted_rows(unit), record))
        gc.collect()
        pools.append(pa.proxy_memory_pool(default))
        pa.set_memory_pool(pools[-1])
        tracemalloc.start()
        try:
            assert compact_store(store) == (count, count)
            return tracemalloc.get_traced_memory()[1] + int(pools[-1].max_memory() or 0)
        finally:
            tracemalloc.stop()
            pa.set_memory_pool(default)

    small, large = 150, 450
    peak_of(20)  # what the first use of a library takes
    growth = (peak_of(large) - peak_of(small)) / (large - small)
    assert growth < 5_000
