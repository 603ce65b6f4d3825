"""Every kind of file that is written is read back whole, or set aside and counted.

Each test flips single bits of one file, a hundred at random, and reads what holds it.
"""

import errno
import io
import json
import os
import random
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from socket import gethostname
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from support.planted_published import long_table
from support.planted_units import planted_manifest, planted_provenance, planted_rows, planted_unit
from support.replicas import replica

from benchmark import merge, status
from benchmark.datasets import catalog
from benchmark.engine import checkpoint, engine
from benchmark.published import table as published
from benchmark.store.compaction import compact_store
from benchmark.store.failures import Failure, describe_error
from benchmark.store.folder import atomic
from benchmark.store.results import Results
from benchmark.store.store import Store
from benchmark.study.recipe import Recipe
from benchmark.study.unit import Unit
from search_spaces.__main__ import main as export_space
from search_spaces.errors import InvalidInput

FLIPS = 100
UNITS = [planted_unit(f"mlp-{depth}") for depth in (2, 3)]
FAILED = planted_unit("mlp-9")


def flipped(data: bytes) -> Iterator[bytes]:
    """The bytes with one bit changed, ``FLIPS`` times, and cut off, and empty."""
    chance = random.Random(0)
    for _ in range(FLIPS):
        changed = bytearray(data)
        changed[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        yield bytes(changed)
    yield data[: len(data) // 2]
    yield b""


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """Results with a unit file, a compacted one, and a failure of two attempts."""
    out = tmp_path / "out"
    store = Store.open(str(out), create=True)
    for unit in (*UNITS, planted_unit("mlp-4")):
        store.write(unit, planted_rows(unit), planted_provenance())
        if unit == UNITS[1]:
            compact_store(store)
    for attempt in (1, 2):
        store.write_failure(FAILED, f"ValueError: attempt {attempt}", "trace")
    store.write_manifest(planted_manifest([*UNITS, planted_unit("mlp-4"), FAILED]))
    return out


def only(folder: Path) -> Path:
    (file,) = folder.iterdir()
    return file


@pytest.mark.parametrize("folder", ["units", "compacted"])
def test_a_file_of_units(results: Path, folder: str, capsys: pytest.CaptureFixture[str]) -> None:
    whole = Results.load(str(results))
    file = only(results / folder)
    lost = {"units": 1, "compacted": 2}[folder]
    data = file.read_bytes()
    for number, damaged in enumerate(flipped(data), start=1):
        file.write_bytes(damaged)
        found = Results.load(str(results))
        assert found.quarantined == number
        assert found.counts[0].missing == lost
        assert len(found.table) == len(whole.table) - 3 * lost
        assert not file.exists()
    assert status.main([str(results)]) == 0
    assert f"{FLIPS + 2} damaged files were set aside" in capsys.readouterr().out
    file.write_bytes(data)
    assert Results.load(str(results)).table.equals(whole.table)


@pytest.mark.parametrize("kind", ["folder", "pipe", "link to nothing"])
@pytest.mark.parametrize("place", ["units", "compacted", "failures"])
def test_what_is_no_file_is_set_aside(results: Path, place: str, kind: str) -> None:
    """It would be taken for a unit that is done, or be waited for."""
    file = sorted((results / place).iterdir())[-1]
    file.unlink()
    if kind == "folder":
        (file / "inner").mkdir(parents=True)
    elif kind == "pipe":
        os.mkfifo(file)
    else:
        file.symlink_to(results / "nowhere")
    found = Results.load(str(results))
    missing = {"units": 1, "compacted": 2, "failures": 0}[place]
    assert found.counts[0].missing == missing
    assert found.quarantined == (0 if kind == "link to nothing" else 1)
    assert kind == "link to nothing" or not file.exists()


def test_a_failure_log_names_neither_the_user_nor_the_machine(results: Path) -> None:
    places = (Path.cwd(), Path.home(), Path("/home/jo/data"), Path("/Users/jo/data"))
    error = f"ValueError on {gethostname()}: " + " ".join(f"{place}/x.npz" for place in places)
    try:
        raise ValueError(error)
    except ValueError as raised:
        Store.open(str(results)).write_failure(FAILED, *describe_error(raised))
    (log,) = Store.open(str(results)).failures().values()
    for text in (log.error, log.traceback):
        for hidden in (str(Path.cwd()), f"{Path.home()}/", "jo/", f"on {gethostname()}"):
            assert hidden not in text
    assert 'test_bit_flips.py", line ' in log.traceback


@pytest.mark.parametrize("lacks", ["home", "working folder", "both"])
def test_a_failure_is_logged_whatever_the_user_lacks(
    lacks: str, results: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: int) -> None:
        raise KeyError

    store = Store.open(str(results))
    if lacks != "working folder":
        monkeypatch.delenv("HOME")
        monkeypatch.setattr("pwd.getpwuid", refuse)
    if lacks != "home":
        (tmp_path / "gone").mkdir()
        monkeypatch.chdir(tmp_path / "gone")
        (tmp_path / "gone").rmdir()
    store.write_failure(FAILED, "ValueError: of /home/jo/x", "trace")
    assert store.failures()[FAILED.id].error == "ValueError: of ~/x"


def test_a_failure_log(results: Path) -> None:
    store = Store.open(str(results))
    (_, first), (_, last) = store.logs.list_logs()[FAILED.id]
    data = (results / "failures" / last).read_bytes()
    for number, damaged in enumerate(flipped(data), start=1):
        (results / "failures" / last).write_bytes(damaged)
        found = Results.load(str(results))
        assert found.failures[FAILED.id].error == "ValueError: attempt 1"
        assert found.quarantined == number
    (results / "failures" / last).write_bytes(data)
    assert Results.load(str(results)).failures[FAILED.id].attempt == 2
    for log in (first, last):
        (results / "failures" / log).write_bytes(b"{}")
    assert Results.load(str(results)).counts[0].missing == 1  # and no more known of it


def test_the_manifest(results: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Readers say in a sentence what to do; a job sets it aside and writes its own."""
    file = results / "study.json"
    data = file.read_bytes()
    store = Store.open(str(results))
    for number, damaged in enumerate(flipped(data), start=1):
        file.write_bytes(damaged)
        assert status.main([str(results)]) == 2
        error = capsys.readouterr().err
        assert error.startswith(f"error: {results}: study.json is damaged")
        assert "run the job again" in error
        assert error.count("\n") == 1
        assert merge.main([str(results), "--out", str(results.parent / "merged")]) == 2
        capsys.readouterr()
        store.require_study("planted")  # so a job does not take it for another study's
        assert file.exists()  # and nothing was moved so far: a dry run writes nothing
        store.write_manifest(store_manifest(data))
        assert store.quarantined() == number
        assert Results.load(str(results)).counts[0].done == 3


def store_manifest(data: bytes) -> dict[str, object]:
    content = json.loads(data)
    content.pop("seal")
    return dict(content)


@pytest.mark.parametrize(
    "content", [b"{}", b"[]", b"null", b'{"format": 1}', b'"\xff"', b"[" * 10_000, b"\0" * 100]
)
def test_json_of_another_shape(results: Path, content: bytes) -> None:
    (results / "study.json").write_bytes(content)
    with pytest.raises(InvalidInput, match=r"study\.json is damaged.*run the job again"):
        Results.load(str(results))


def test_files_without_a_seal_are_read_where_their_shape_is_right(results: Path) -> None:
    manifest = store_manifest((results / "study.json").read_bytes())
    (results / "study.json").write_text(json.dumps(manifest))
    log = Failure(FAILED.id, "mlp-9", 7, "old", "trace")
    (results / "failures" / f"{FAILED.id}.7.json").write_text(json.dumps(asdict(log)))
    assert Results.load(str(results)).failures[FAILED.id] == log
    stage = manifest["stages"][0]  # type: ignore[index]
    changes: tuple[dict[str, Any], ...] = (
        {"format": "1"},
        {"format": 0},
        {"study": {"name": "planted"}},
        {"stages": [stage | {"expected": "1"}]},
        {"stages": [stage | {"units": "all"}]},
        {"stages": [{}]},
        {"seal": ""},
    )
    for changed in changes:
        (results / "study.json").write_text(json.dumps(manifest | changed))
        with pytest.raises(InvalidInput, match=r"study\.json is damaged"):
            Results.load(str(results))


def test_files_of_other_names_are_nobodys(results: Path) -> None:
    before = Results.load(str(results))
    for folder in ("", "units", "compacted", "failures", "checkpoints", "quarantine"):
        names = [file.name for file in (results / folder).iterdir() if file.is_file()]
        others = ("notes.json", ".DS_Store", "x.arrow", "y.parquet", "Thumbs.db", "a.b.json")
        for name in (*others, *(f"._{name}" for name in names), *(f"{n}.bak" for n in names)):
            (results / folder / name).write_bytes(b"\0\5\26\7")
    found = Results.load(str(results))
    assert found.table.equals(before.table)
    assert (found.counts, found.quarantined) == (before.counts, 0)
    assert compact_store(Store.open(str(results))) == (3, 2)
    assert (results / "units" / "x.arrow").exists()
    assert (results / "compacted" / "y.parquet").exists()


class Stopped(Exception):  # noqa: N818 -- stands for a kill
    """The process is gone."""


def trained_unit() -> Unit:
    return Unit(
        measure="training",
        space="mlp",
        space_version=1,
        space_options=(("width", 4),),
        architecture="mlp-2",
        replicas=(replica(0.1, 0), replica(0.2, 1)),
        recipe=Recipe(batch=512),
        dataset="digits",
        dataset_checksum=catalog.load("digits").checksum,
    )


@pytest.fixture
def interrupted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The checkpoint of a unit that was stopped."""
    monkeypatch.setattr(checkpoint, "EVERY", 0.0)
    path = tmp_path / "checkpoints" / f"{trained_unit().id}.pt"

    def stop(count: int) -> None:
        if path.exists():
            raise Stopped

    with pytest.raises(Stopped):
        engine.run(trained_unit(), stop, checkpoint=path)
    monkeypatch.setattr(checkpoint, "EVERY", 60.0)
    return path


def test_a_checkpoint(interrupted: Path, caplog: pytest.LogCaptureFixture) -> None:
    unit, data = trained_unit(), interrupted.read_bytes()
    rows = engine.run(unit)
    store = Store.locate(str(interrupted.parents[1]))
    assert engine.run(unit, checkpoint=interrupted) == rows
    assert "is not used" not in caplog.text
    for number, damaged in enumerate(flipped(data), start=1):
        interrupted.write_bytes(damaged)
        caplog.clear()
        assert engine.run(unit, checkpoint=interrupted) == rows
        assert "is not used: it is damaged" in caplog.text
        assert not interrupted.exists()
        assert store.quarantined() == number


def save_checkpoint(path: Path, content: object) -> None:
    """A file whose seal holds, whatever its content."""
    buffer = io.BytesIO()
    torch.save(content, buffer)
    header = checkpoint.Checkpoint(path, trained_unit().id).header()
    path.write_bytes(checkpoint.seal_content(header, buffer.getvalue()))


def change(path: Path, name: str) -> None:
    """A checkpoint as a program with a fault, or another torch, would have left it."""
    _, content = checkpoint.open_sealed(path.read_bytes())
    state: Any = torch.load(io.BytesIO(content), weights_only=True)
    training = state["training"]
    match name:
        case "a list":
            state = [1, 2]
        case "no training":
            del state["training"]
        case "a key is missing":
            del training["dropout"]
        case "other shapes":
            training["losses"] = torch.zeros(3, 7)
        case "another module":
            training["module"]["other"] = torch.zeros(3)
        case "another generator":
            training["batches"][0] = training["batches"][0][:-8].clone()
        case "sizes that do not add up":
            state["sizes"] = [1]
        case "sizes that are no numbers":
            state["sizes"] = ["a"]
    save_checkpoint(path, state)


@pytest.mark.parametrize(
    "name",
    [
        *("a list", "no training", "a key is missing", "other shapes", "another module"),
        *("another generator", "sizes that do not add up", "sizes that are no numbers"),
    ],
)
def test_a_checkpoint_that_does_not_fit_costs_time_alone(name: str, interrupted: Path) -> None:
    rows = engine.run(trained_unit())
    change(interrupted, name)
    assert engine.run(trained_unit(), checkpoint=interrupted) == rows
    assert not interrupted.exists()
    assert Store.locate(str(interrupted.parents[1])).quarantined() == 1


@pytest.mark.parametrize(
    "other", [{"torch": "0.1"}, {"format": 1}, {"format": 3}, {"unit": "0" * 64}, {"more": 1}]
)
def test_a_checkpoint_of_another_writer_is_left_for_its_unit_to_replace(
    other: dict[str, Any], interrupted: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Sealed and whole, but of another torch, program or unit."""
    rows = engine.run(trained_unit())
    header, content = checkpoint.open_sealed(interrupted.read_bytes())
    interrupted.write_bytes(checkpoint.seal_content(header | other, content))
    steps: list[int] = []
    assert engine.run(trained_unit(), steps.append, checkpoint=interrupted) == rows
    assert sum(steps) == 2 * 2  # two replicas, two steps: all of them
    assert Store.locate(str(interrupted.parents[1])).quarantined() == 0
    assert "is not used" not in caplog.text


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EACCES, errno.EIO])
def test_a_checkpoint_that_cannot_be_written_costs_nothing(
    number: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    rows = engine.run(trained_unit())
    monkeypatch.setattr(checkpoint, "EVERY", 0.0)
    monkeypatch.setattr(atomic, "write_atomically", refuse)
    assert engine.run(trained_unit(), checkpoint=tmp_path / "x" / "unit.pt") == rows
    (record,) = caplog.records  # said once
    assert f"cannot be written ({os.strerror(number)})" in record.getMessage()


def test_the_published_table(tmp_path: Path) -> None:
    accuracy_A = np.full(15625, np.nan)
    accuracy_A[:9] = np.linspace(0.1, 0.9, 9)
    table = long_table({("cifar10", "test", 200, None): accuracy_A})
    path = tmp_path / "published.parquet"
    published.write_table(table, path)
    whole = published.read_table(path)
    assert pq.read_table(path).equals(whole.table)  # any reader opens it
    assert not pq.read_metadata(path).metadata[b"seal"].endswith(b"0" * 64)
    sentences: list[str] = []
    for damaged in flipped(path.read_bytes()):
        path.write_bytes(damaged)
        try:
            found = published.read_table(path)
        except InvalidInput as error:
            sentences.append(str(error))
        else:  # the bit was one of the seal's own mark
            assert found.table.equals(whole.table)
    assert len(sentences) > FLIPS * 0.9
    assert all(f"{path} is damaged" in each and "\n" not in each for each in sentences)
    pq.write_table(table, path)  # as another program would: without a seal
    assert published.read_table(path).table.equals(whole.table)


def test_an_exported_space(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing here reads it again: whoever does can ask for the checksums of its pages."""
    path = tmp_path / "space.parquet"
    assert export_space(["export", "mlp", "--out", str(path)]) == 0
    capsys.readouterr()
    whole = pq.read_table(path)
    noticed = 0
    for damaged in flipped(path.read_bytes()):
        path.write_bytes(damaged)
        try:
            table = pq.read_table(path, page_checksum_verification=True)
        except (pa.ArrowException, OSError):
            noticed += 1
        else:
            assert [c.to_pylist() for c in table.columns] == [c.to_pylist() for c in whole.columns]
    assert noticed > FLIPS / 2
