"""A storage that refuses, fails or stays away is one sentence with a mend, whoever asks it."""

import errno
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.planted_units import planted_manifest, planted_provenance, planted_rows, planted_unit
from support.refusing_server import RefusingServer, refusing_server

from benchmark import compact, job, merge, status
from benchmark.report.__main__ import main as report
from benchmark.store.folder import files
from benchmark.store.folder.errors import StoreError, StoreUnreadable, mask_secrets
from benchmark.store.folder.files import Files
from benchmark.store.store import Store
from benchmark.study import Depth, Study
from benchmark.sweep.workers.watchdog import Watchdog

UNIT = planted_unit("mlp-2")
STUDY = Study(
    name="small",
    question="?",
    parts=(
        Depth(
            name="rungs",
            space="mlp",
            rules=("default",),
            seeds=1,
            depths=(2, 3),
            rates=(0.1, 0.2, 0.4),
        ),
    ),
)


@pytest.fixture(autouse=True)
def surroundings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Keys that are nobody's, and no waiting."""
    for name, value in (
        ("AWS_ACCESS_KEY_ID", "any"),
        ("AWS_SECRET_ACCESS_KEY", "any"),
        ("AWS_EC2_METADATA_DISABLED", "true"),
        ("HOME", str(tmp_path)),
    ):
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(files, "PAUSES", [])


def run_every_command(uri: str, folder: Path) -> dict[str, int]:
    """The exit code of every command that takes a results folder."""
    return {
        "status": status.main([uri]),
        "compact": compact.main([uri]),
        "merge": merge.main([uri, "--out", str(folder / "merged")]),
        "report": report([uri, "--out", str(folder / "report")]),
        "job": job.main(STUDY, ["--out", uri, "--dry-run"]),
    }


ANSWERS = [
    (403, "AccessDenied", r"refuses these credentials.*AWS_ACCESS_KEY_ID"),
    (301, "PermanentRedirect", r"another region.*region="),
]


@pytest.mark.parametrize(("code", "name", "mend"), ANSWERS)
def test_every_method_says_why_and_what_to_do(code: int, name: str, mend: str) -> None:
    with refusing_server(code, name) as server:
        store = Store.locate(server.uri())
        methods: list[Callable[[], Any]] = [
            store.exists,
            store.manifest,
            store.done,
            store.attempts,
            store.quarantined,
            lambda: store.verified([UNIT.id]),
            lambda: store.find_unit(UNIT.id),
            lambda: store.read([UNIT.id]),
            lambda: store.write(UNIT, planted_rows(UNIT), planted_provenance()),
            lambda: store.write_manifest(planted_manifest([UNIT])),
            lambda: store.write_failure(UNIT, "error", "trace"),
            lambda: store.files.remove("study.json"),
            lambda: store.files.open("study.json"),
        ]
        for method in methods:
            with pytest.raises(StoreError, match=mend):
                method()


@pytest.mark.parametrize(("code", "name", "mend"), ANSWERS)
def test_every_command_says_it_in_one_sentence(
    code: int, name: str, mend: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with refusing_server(code, name) as server:
        codes = run_every_command(server.uri(keys="KEY:HIDDEN@"), tmp_path)
    assert set(codes.values()) == {2}, codes
    said = capsys.readouterr()
    assert len(said.err.splitlines()) == len(codes)
    assert all(line.startswith("error: cannot read s3://***@") for line in said.err.splitlines())
    assert "HIDDEN" not in said.err + said.out


@pytest.mark.slow
def test_a_storage_that_fails_is_asked_again_and_then_said(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Other failures are told in ``tests/chaos/test_object_store.py``, where they pass."""
    with refusing_server(503, "SlowDown") as server:
        assert status.main([server.uri()]) == 2
        assert server.seen > 1
    assert "run the same command again later" in capsys.readouterr().err


@pytest.mark.slow
def test_where_nobody_listens(capsys: pytest.CaptureFixture[str]) -> None:
    server = RefusingServer(200, "")
    server.server_close()
    assert status.main([server.uri()]) == 2
    assert "nothing answers there; check the network" in capsys.readouterr().err


def test_without_credentials(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    with refusing_server(403, "AccessDenied") as server:
        assert status.main([server.uri()]) == 2
    assert "AWS_ACCESS_KEY_ID" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("place", "sentence"),
    [
        ("s3://", "names no bucket or folder"),
        ("gs://", "names no bucket or folder"),
        ("s3:/bucket/x", "is no URI; write s3://bucket/x"),
        ("s3:bucket/x", "is no URI; write s3://bucket/x"),
        ("gs:/bucket/x", "is no URI; write gs://bucket/x"),
        ("file:/tmp/x", "is no URI; write file:///tmp/x"),
        ("", "is empty"),
        ("  ", "is empty"),
        ("a\0b", "NUL character"),
        ("s3://bucket/a\0b", "s3://bucket"),
        ("s3://KEY:SEC/RET@bucket/x", "s3://***@bucket/x"),
        ("x" * 5_000, "too long"),
        ("x/" * 5_000, "too long"),
        ("s3://bucket/" + "x" * 5_000 + "\n", "s3://bucket"),
        ("~nobody-of-this-name/x", "cannot read ~nobody-of-this-name/x"),
        ("nosuch://x", "no place that pyarrow opens"),
        ("s3://[::1/x", "no place that pyarrow opens"),
    ],
)
def test_a_place_that_cannot_be(
    place: str, sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    codes = run_every_command(place, tmp_path)
    assert set(codes.values()) == {2}, codes
    for line in capsys.readouterr().err.splitlines():
        assert line.startswith("error: ")
        assert sentence.lower() in line.lower()
        assert len(line) < 1_000
        assert line.isprintable()
        assert "SEC" not in line
    made = [path.name for parent in (tmp_path, Path.cwd()) for path in parent.iterdir()]
    assert not [name for name in made if name.startswith(("s3", "gs", "x", "file:"))]


@settings(max_examples=200, deadline=None)
@given(
    st.one_of(
        st.text(max_size=60),
        st.builds(
            "{}:{}{}".format,
            st.sampled_from(["s3", "gs", "file", "hdfs", "", "S3", "http"]),
            st.sampled_from(["", "/", "//", "///", "//a:b@", "//[", "//a?b=", "//a#"]),
            st.text(max_size=20),
        ),
    )
)
def test_any_text_is_a_place_or_a_sentence(text: str) -> None:
    try:
        located = Files.locate(text)
        if located.local:
            located.exists("study.json")
    except StoreUnreadable as error:
        sentence = str(error)
        assert sentence.isprintable()
        assert len(sentence) < 1_000


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("s3://KEY:SECRET@bucket/x", "s3://***@bucket/x"),
        ("s3://KEY@bucket/x", "s3://***@bucket/x"),
        ("s3://KEY:SEC/RET@bucket/x?region=r", "s3://***@bucket/x?region=r"),
        ("cannot open 's3://K:S@b' (s3://K:S@b)", "cannot open 's3://***@b' (s3://***@b)"),
        ("gs://b?access_token=SECRET&region=r", "gs://b?access_token=***&region=r"),
        ("abfs://a.b/c?sig=SECRET", "abfs://a.b/c?sig=***"),
        ("s3://bucket/mail@home", "s3://bucket/mail@home"),
        ("/home/me@work", "/home/me@work"),
    ],
)
def test_secrets_are_masked(text: str, shown: str) -> None:
    assert mask_secrets(text) == shown


def test_a_watchdog_does_not_show_the_uri() -> None:
    watchdog = Watchdog("s3://KEY:SECRET@bucket/x", 60.0)
    try:
        command = b""
        while not command:  # it is only now becoming another program
            command = Path(f"/proc/{watchdog.process.pid}/cmdline").read_bytes()
        assert b"watchdog.py" in command
        assert b"SECRET" not in command
    finally:
        assert watchdog.process.stdin is not None
        watchdog.process.stdin.close()
        assert watchdog.process.wait(timeout=30) == 0


@pytest.mark.parametrize(
    "number", [errno.EINVAL, errno.ENOTSUP, errno.EBADF, errno.EACCES, errno.ENOSYS]
)
def test_a_filesystem_that_cannot_sync_folders(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sync = os.fsync

    def refuse(descriptor: int) -> None:
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(number, os.strerror(number))
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", refuse)
    store = Store.open(str(tmp_path), create=True)
    store.write(UNIT, planted_rows(UNIT), planted_provenance())
    assert store.verified([UNIT.id]) == {UNIT.id}


def test_a_sync_that_fails_for_another_reason_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    store = Store.open(str(tmp_path), create=True)
    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(StoreError, match=r"cannot write .*Input/output error"):
        store.write(UNIT, planted_rows(UNIT), planted_provenance())
