"""The temporary folders of drivers: their own while they live, gone when they were killed."""

import fcntl
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest
from support.commands import environment

from benchmark.sweep.driver import driver_folder
from benchmark.sweep.driver.driver_folder import (
    LEAST_AGE,
    MARK,
    delete_abandoned,
    make_driver_folder,
)
from search_spaces.errors import InvalidInput

DRIVER = """
import os, signal, tempfile, sys
tempfile.tempdir = sys.argv[1]
from benchmark.sweep.driver.driver_folder import make_driver_folder
folder, lock = make_driver_folder(for_ray=False)
(folder / "ray").mkdir()
print(folder, flush=True)
sys.stdin.readline()
os.kill(os.getpid(), signal.SIGKILL)
"""


def grow_old(folder: Path) -> None:
    """Set the lock's time to before what counts as new."""
    then = time.time() - LEAST_AGE - 1
    os.utime(folder / "lock", (then, then))


def abandoned_folder(place: Path, name: str = "sweep-abc") -> Path:
    """A folder as a killed driver leaves it, old enough to be deleted."""
    folder = place / name
    folder.mkdir()
    (folder / "lock").write_bytes(MARK)
    (folder / "rest").touch()
    grow_old(folder)
    return folder


def test_a_folder_stays_as_long_as_its_driver_lives_and_a_minute_longer(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", DRIVER, str(tmp_path)],
        env=environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as driver:
        assert driver.stdout is not None
        folder = Path(driver.stdout.readline().strip())
        grow_old(folder)
        delete_abandoned(tmp_path)
        assert (folder / "ray").is_dir()
        driver.communicate("\n")
    (folder / "lock").touch()
    delete_abandoned(tmp_path)
    assert folder.exists()
    grow_old(folder)
    delete_abandoned(tmp_path)
    assert not folder.exists()


def test_what_is_not_provably_ours_stays(tmp_path: Path) -> None:
    own = abandoned_folder(tmp_path)
    for name, content in [
        ("sweep-mydata", b""),
        ("sweep-text", b"lock\n"),
        ("sweep-more", MARK * 2),
    ]:
        folder = abandoned_folder(tmp_path, name)
        (folder / "lock").write_bytes(content)
        grow_old(folder)
    (tmp_path / "sweep-other").mkdir()
    (tmp_path / "lock").touch()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (tmp_path / "sweep-link").symlink_to(abandoned_folder(elsewhere, "data"))
    linked = tmp_path / "sweep-lock-link"
    linked.mkdir()
    (linked / "lock").symlink_to(elsewhere / "data" / "lock")
    before = {file for file in tmp_path.rglob("*") if own not in (file, *file.parents)}
    delete_abandoned(tmp_path)
    assert set(tmp_path.rglob("*")) == before


def test_a_lock_that_was_replaced_meanwhile_proves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between opening and locking, another driver deletes the folder and makes it anew."""
    folder = abandoned_folder(tmp_path)
    lock = fcntl.flock

    def replaced(file: object, operation: int) -> None:
        lock(file, operation)  # type: ignore[arg-type]
        (folder / "lock").unlink()
        (folder / "lock").write_bytes(MARK)

    monkeypatch.setattr(fcntl, "flock", replaced)
    delete_abandoned(tmp_path)
    assert folder.exists()


def test_a_lock_is_held_from_the_start() -> None:
    folder, lock = make_driver_folder(for_ray=True)
    grow_old(folder)
    with lock, (folder / "lock").open("r+") as other, pytest.raises(BlockingIOError):
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
    delete_abandoned(folder.parent)
    assert not folder.exists()


@pytest.mark.parametrize("name", ["x" * 60, "größe"])
def test_ray_gets_a_short_ascii_path(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / name
    place.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(place))
    folder, lock = make_driver_folder(for_ray=True)
    with lock:
        assert folder.parent == Path("/tmp")
        assert list(place.iterdir()) == []
    grow_old(folder)
    delete_abandoned(Path("/tmp"))
    assert not folder.exists()


def test_a_full_disk_is_a_sentence_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(driver_folder, "SOCKET_ROOM", 500)
    monkeypatch.setattr(driver_folder, "LEAST_SPACE", 2**60)
    with pytest.raises(InvalidInput, match=r"has \d+ MB free and Ray needs .* set TMPDIR to"):
        make_driver_folder(for_ray=True)
    assert list(tmp_path.iterdir()) == []


def test_no_temporary_folder_at_all_is_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "nowhere"))
    with pytest.raises(InvalidInput, match=r"no temporary folder can be made \(No such file"):
        make_driver_folder(for_ray=True)
