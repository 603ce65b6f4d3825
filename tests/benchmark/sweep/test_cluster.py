"""The temporary folders of drivers: their own while they live, gone when they were killed."""

import fcntl
import subprocess
import sys
from pathlib import Path

from support.commands import environment

from benchmark.sweep.cluster import locked_folder, remove_abandoned

DRIVER = """
import os, signal, tempfile, sys
tempfile.tempdir = sys.argv[1]
from benchmark.sweep.cluster import locked_folder
folder, lock = locked_folder(short=False)
(folder / "ray").mkdir()
print(folder, flush=True)
sys.stdin.readline()
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_folder_stays_as_long_as_its_driver_lives(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", DRIVER, str(tmp_path)],
        env=environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as driver:
        assert driver.stdout is not None
        folder = Path(driver.stdout.readline().strip())
        remove_abandoned(tmp_path)
        assert (folder / "ray").is_dir()
        driver.communicate("\n")
    remove_abandoned(tmp_path)
    assert not folder.exists()


def test_folders_that_are_not_ours_stay(tmp_path: Path) -> None:
    (tmp_path / "sweep-other").mkdir()
    (tmp_path / "lock").touch()
    remove_abandoned(tmp_path)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["lock", "sweep-other"]


def test_a_lock_is_held_from_the_start() -> None:
    folder, lock = locked_folder(short=True)
    with lock, (folder / "lock").open("r+") as other:
        try:
            fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
            held = False
        except BlockingIOError:
            held = True
    assert held
    remove_abandoned(folder.parent)
    assert not folder.exists()
