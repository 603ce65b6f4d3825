"""The store: what is written is read back, what is damaged is set aside, and nothing else."""

import json
import os
import re
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from pathlib import Path
from threading import Barrier

import fsspec  # type: ignore[import-untyped]
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import fs
from support.planted_units import planted_manifest, planted_provenance, planted_rows, planted_unit

from benchmark.store.folder import atomic
from benchmark.store.folder.files import Files
from benchmark.store.folder.seal import Corrupt
from benchmark.store.formats import schema, unit_file
from benchmark.store.formats.unit_file import decode, encode
from benchmark.store.store import Failure, Store, StoreUnwritable, describe_error
from search_spaces.errors import InvalidInput

UNIT = planted_unit("mlp-2")
FILE = encode(UNIT, planted_rows(UNIT), planted_provenance())


def file_of(store: Store, unit_id: str) -> Path:
    return Path(store.files.path("units", f"{unit_id}.arrow"))


@pytest.fixture(params=["local", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    """A store in a folder, and one on a filesystem that knows only whole objects."""
    if request.param == "local":
        return Store.open(str(tmp_path / "out"), create=True)
    memory = fs.PyFileSystem(fs.FSSpecHandler(fsspec.filesystem("memory")))
    name = f"/{tmp_path.name}"
    for folder in ("units", "compacted", "failures", "quarantine"):
        memory.create_dir(f"{name}/{folder}", recursive=True)
    return Store(Files(f"memory:/{name}", memory, name))


def test_rows_come_back_as_written_in_the_order_asked_for(store: Store) -> None:
    units = [planted_unit(f"mlp-{depth}") for depth in (4, 2, 3)]
    rows = {unit.id: planted_rows(unit, loss=float(i)) for i, unit in enumerate(units)}
    for unit in units:
        store.write(unit, rows[unit.id], planted_provenance())
    ids = [units[i].id for i in (2, 0, 1)]
    read = store.read(ids)
    assert read is not None
    assert read.schema.equals(schema.SCHEMA)
    assert read.to_pylist() == [row for unit_id in ids for row in rows[unit_id]]
    assert store.done() == set(ids)


def test_a_unit_that_is_not_there_makes_the_read_none(store: Store) -> None:
    store.write(UNIT, planted_rows(UNIT), planted_provenance())
    assert store.read([UNIT.id, planted_unit("mlp-9").id]) is None
    assert store.load([UNIT.id, planted_unit("mlp-9").id]).rows.num_rows == 3


def test_losses_that_are_not_finite_survive(store: Store) -> None:
    store.write(UNIT, planted_rows(UNIT, loss=float("nan")), planted_provenance())
    read = store.read([UNIT.id])
    assert read is not None
    assert [str(value) for value in read["train_loss"].to_pylist()] == ["nan"] * 3


@settings(max_examples=200, deadline=None)
@given(st.integers(0, len(FILE) - 1), st.integers(1, 255))
def test_any_changed_byte_breaks_the_seal(position: int, difference: int) -> None:
    damaged = bytearray(FILE)
    damaged[position] ^= difference
    with pytest.raises(Corrupt):
        decode(bytes(damaged), UNIT.id)


@settings(max_examples=50, deadline=None)
@given(st.integers(0, len(FILE) - 1))
def test_a_file_cut_anywhere_breaks_the_seal(length: int) -> None:
    with pytest.raises(Corrupt):
        decode(FILE[:length], UNIT.id)


def test_a_file_under_another_units_name_is_not_that_unit() -> None:
    with pytest.raises(Corrupt, match="another unit"):
        decode(FILE, planted_unit("mlp-3").id)


def test_other_columns_under_this_schemas_number_are_refused_and_left_alone(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The seal holds, so the file is no damaged one: another version wrote it."""
    fewer = schema.SCHEMA.remove(len(schema.SCHEMA) - 1)
    with monkeypatch.context() as patch:
        patch.setattr(schema, "SCHEMA", fewer)
        store.write(UNIT, planted_rows(UNIT), planted_provenance())
    with pytest.raises(InvalidInput, match=r"other columns.*give --out another folder"):
        store.read([UNIT.id])
    assert store.done() == {UNIT.id}
    assert store.quarantined() == 0


def test_a_newer_schema_is_named_and_left_alone(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(schema, "VERSION", 99)
        store.write(UNIT, planted_rows(UNIT), planted_provenance())
    with pytest.raises(InvalidInput, match=r"schema 99.*upgrade"):
        store.read([UNIT.id])
    assert store.done() == {UNIT.id}
    assert store.quarantined() == 0


@pytest.mark.parametrize("name", schema.SCHEMA.names)
def test_an_outcome_without_a_column_is_refused_not_lost(name: str) -> None:
    replica = UNIT.replicas[0]
    misspelled = f"{name}s"
    assert schema.make_row(UNIT, replica, {name: None}).keys() == set(schema.SCHEMA.names)
    with pytest.raises(
        ValueError, match=rf"outcomes {misspelled} have no column.*correct the name"
    ):
        schema.make_row(UNIT, replica, {name: None, misspelled: 1.0})


def test_every_released_schema_has_a_reader() -> None:
    assert sorted(unit_file.READERS) == list(range(1, schema.VERSION + 1))


def test_damaged_files_are_set_aside_and_counted_and_the_unit_is_missing(tmp_path: Path) -> None:
    store = Store.open(str(tmp_path), create=True)
    for round_, damage in enumerate((FILE[:100], b"", FILE[:-1] + b"?"), start=1):
        file_of(store, UNIT.id).write_bytes(damage)
        assert store.verified([UNIT.id]) == set()
        assert store.done() == set()
        assert store.quarantined() == round_
    kept = [file.read_bytes() for file in sorted((tmp_path / "quarantine").iterdir())]
    assert kept == [FILE[:100], b"", FILE[:-1] + b"?"]
    store.write(UNIT, planted_rows(UNIT), planted_provenance())
    assert store.verified([UNIT.id]) == {UNIT.id}


def test_temporary_files_are_no_units_and_go_once_their_writer_is_long_dead(tmp_path: Path) -> None:
    store = Store.open(str(tmp_path), create=True)
    old, young = (file_of(store, UNIT.id).with_name(f".{n}.tmp") for n in ("old", "young"))
    old.write_bytes(FILE[:10])
    young.write_bytes(FILE[:10])
    long_ago = time.time() - 2 * atomic.STALE_AFTER
    os.utime(old, (long_ago, long_ago))
    assert store.done() == set()
    Store.open(str(tmp_path), create=True)
    assert not old.exists()
    assert young.exists()


def test_failures_number_themselves_and_end_with_success(store: Store) -> None:
    for text in ("first", "second"):
        try:
            raise ValueError(text)
        except ValueError as error:
            store.write_failure(UNIT, *describe_error(error))
    failure = store.failures()[UNIT.id]
    assert (failure.attempt, failure.error) == (2, "ValueError: second")
    assert "raise ValueError(text)" in failure.traceback
    assert "mlp-2 (3 replicas)" in failure.description
    assert store.attempts() == {UNIT.id: [1, 2]}
    store.write(UNIT, planted_rows(UNIT), planted_provenance())
    assert store.failures() == {}


def test_two_drivers_that_log_at_once_keep_both_logs(store: Store) -> None:
    drivers = [replace(store, cache={}) for _ in range(8)]
    together = Barrier(len(drivers))

    def log(driver: int) -> None:
        for attempt in range(5):
            together.wait()
            drivers[driver].write_failure(UNIT, f"{driver}: {attempt}", "trace", killed=True)

    with ThreadPoolExecutor(len(drivers)) as pool:
        list(pool.map(log, range(len(drivers))))
    logs = store.logs.list_logs()[UNIT.id]
    errors = {getattr(store.logs.read(name), "error", None) for _, name in logs}
    assert errors == {f"{driver}: {attempt}" for driver in range(8) for attempt in range(5)}
    assert len(store.attempts()[UNIT.id]) == 40
    assert store.killed(UNIT.id)


def test_logs_with_the_first_names_are_read_and_counted_on(store: Store) -> None:
    for attempt in (1, 2, 10):
        failure = Failure(UNIT.id, "mlp-2", attempt, f"old {attempt}", "trace", killed=True)
        store.files.write(
            f"failures/{UNIT.id}.{attempt}.json", json.dumps(asdict(failure)).encode()
        )
    assert store.attempts() == {UNIT.id: [1, 2, 10]}
    assert store.failures()[UNIT.id].error == "old 10"
    assert store.killed(UNIT.id)
    store.write_failure(UNIT, "new", "trace")
    assert store.attempts() == {UNIT.id: [1, 2, 10, 11]}
    assert store.failures()[UNIT.id].error == "new"
    assert not store.killed(UNIT.id)


def test_files_of_others_are_ignored(store: Store) -> None:
    store.write(UNIT, planted_rows(UNIT), planted_provenance())
    lost = planted_unit("mlp-3")
    store.write_failure(lost, "lost", "trace")
    (_, log), *_ = store.logs.list_logs()[lost.id]
    for name in (f"._{log}", "notes.json", "notes.1.json", f"{UNIT.id}.json", f"{UNIT.id}.x.json"):
        store.files.write(f"failures/{name}", b"not a log")
    store.files.write(f"units/._{UNIT.id}.arrow", b"not a unit")
    store.files.write("compacted/._x.parquet", b"not compacted units")
    assert store.attempts() == {lost.id: [1]}
    assert store.failures().keys() == {lost.id}
    assert not store.killed(UNIT.id)
    assert store.done() == {UNIT.id}
    assert store.quarantined() == 0


def test_the_manifest_comes_back(store: Store) -> None:
    assert not store.exists()
    store.write_manifest(planted_manifest([UNIT]))
    assert store.exists()
    assert store.manifest() == planted_manifest([UNIT])


def test_a_place_without_a_manifest_is_no_store(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=re.escape(str(tmp_path)) + ".*--out"):
        Store.open(str(tmp_path))


@pytest.mark.parametrize("uri", ["nosuch://bucket/x", "://"])
def test_a_uri_that_nobody_opens_is_named(uri: str) -> None:
    with pytest.raises(InvalidInput, match=uri):
        Store.open(uri)


def test_a_place_below_a_file_is_unwritable(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreUnwritable, match=r"cannot write .*file/out.*--out"):
        Store.open(str(tmp_path / "file" / "out"), create=True)


def test_a_file_uri_and_a_path_are_the_same_store(tmp_path: Path) -> None:
    Store.open(str(tmp_path), create=True).write(UNIT, planted_rows(UNIT), planted_provenance())
    assert Store.locate(tmp_path.as_uri()).verified([UNIT.id]) == {UNIT.id}


def test_reading_many_units_holds_one_batch_at_a_time(tmp_path: Path) -> None:
    """Reading is lazy: the files of one batch are held, not those of all units."""
    store = Store.open(str(tmp_path), create=True)
    units = [planted_unit(f"mlp-{depth}", replicas=1) for depth in range(300)]
    for unit in units:
        file_of(store, unit.id).write_bytes(encode(unit, planted_rows(unit), planted_provenance()))
    batches = [len(files) for files in store.read_units([unit.id for unit in units])]
    assert batches == [256, 44]
