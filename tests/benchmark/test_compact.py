"""Folding unit files into one Parquet: the same table before, during and after."""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from pyarrow import parquet
from support.commands import environment
from support.planted_units import planted_manifest, planted_provenance, planted_rows, planted_unit
from support.tally import TALLY

from benchmark import compact, merge
from benchmark.store import schema
from benchmark.store.compaction import compact_store
from benchmark.store.results import Results
from benchmark.store.store import Store
from benchmark.study.unit import Unit

UNITS = [planted_unit(f"mlp-{depth}") for depth in range(2, 12)]


def written(place: Path, units: list[Unit], loss: float = 0.5) -> Store:
    store = Store.open(str(place), create=True)
    for unit in units:
        store.write(unit, planted_rows(unit, loss), planted_provenance(seconds=loss))
    store.write_manifest(planted_manifest(UNITS))
    return store


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
    assert store.read_folded([unit.id for unit in UNITS]).keys() == store.done()


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

    class Late(Store):
        """Lists, and reads only after somebody has compacted."""

        def list_loose(self) -> set[str]:
            found = super().list_loose()
            if found:
                compact_store(Store.open(str(tmp_path)))
            return found

    late = Late(reader.files)
    assert late.read([unit.id for unit in UNITS]) is not None
    assert late.quarantined() == 0


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
import os, signal, sys
from benchmark.store import atomic, compaction
from benchmark.store.files import Files
from benchmark.store.store import Store

step, place = int(sys.argv[1]), sys.argv[2]
taken = 0

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
Store.read_loose = counted(Store.read_loose)
Files.remove = counted(Files.remove)
compaction.compact_store(Store.open(place))
"""


def test_killed_at_any_step_nothing_is_lost_and_the_next_one_finishes(tmp_path: Path) -> None:
    source = tmp_path / "source"
    compact_store(written(source, UNITS[:3]))
    written(source, UNITS[3:6])
    expected = Results.load(str(source)).table
    step, code = 0, -signal.SIGKILL
    while code == -signal.SIGKILL:
        place = tmp_path / str(step)
        shutil.copytree(source, place)
        command = [sys.executable, "-c", KILLED, str(step), str(place)]
        code = subprocess.run(command, env=environment(), check=False).returncode
        assert Results.load(str(place)).table.equals(expected)
        compact_store(Store.open(str(place)))
        assert Results.load(str(place)).table.equals(expected)
        assert len(files(place)) - sum(name.startswith(".") for name in files(place)) == 1
        step += code == -signal.SIGKILL
    assert code == 0
    assert step > 8  # the write, its check, and a deletion each of four files
    TALLY.fault("kill -9 of a compaction", step)


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
