"""Writers that are killed, collide, or run out of room: the store is whole at every moment."""

import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from support.commands import environment
from support.planted_units import planted_provenance, planted_rows, planted_unit
from support.tally import TALLY

from benchmark.store.store import Store, StoreUnwritable

UNIT = planted_unit("mlp-2", replicas=50)

WRITER = """
import os, signal, sys
from support.planted_units import planted_provenance, planted_rows, planted_unit
from benchmark.store.store import Store

stage, place, loss = sys.argv[1], sys.argv[2], float(sys.argv[3])

def die(*arguments, **keywords):
    os.kill(os.getpid(), signal.SIGKILL)

def after(function):
    def both(*arguments, **keywords):
        function(*arguments, **keywords)
        die()
    return both

class Torn:
    '''A file whose writer dies halfway through.'''
    def __init__(self, descriptor):
        self.descriptor = descriptor
    def __enter__(self):
        return self
    def __exit__(self, *error):
        pass
    def write(self, data):
        os.write(self.descriptor, data[: len(data) // 2])
        die()

match stage:
    case "opened": os.fdopen = die
    case "half written": os.fdopen = lambda descriptor, mode: Torn(descriptor)
    case "written": os.fsync = die
    case "synced": os.replace = die
    case "renamed": os.replace = after(os.replace)

store = Store.open(place, create=True)
unit = planted_unit("mlp-2", replicas=50)
for _ in range(int(sys.argv[4])):
    store.write(unit, planted_rows(unit, loss), planted_provenance())
"""


def writer(stage: str, place: Path, loss: float = 0.5, times: int = 1) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, stage, str(place), str(loss), str(times)], env=environment()
    )


def losses(store: Store) -> set[float]:
    read = store.read([UNIT.id])
    return set() if read is None else set(read["train_loss"].to_pylist())


@pytest.mark.parametrize("stage", ["opened", "half written", "written", "synced", "renamed"])
def test_a_writer_killed_at_any_stage_leaves_the_old_state_or_the_new(
    stage: str, tmp_path: Path
) -> None:
    assert writer(stage, tmp_path).wait() == -signal.SIGKILL
    TALLY.fault("kill -9 of a writer")
    store = Store.open(str(tmp_path), create=True)
    written = stage == "renamed"
    assert store.done() == ({UNIT.id} if written else set())
    assert losses(store) == ({0.5} if written else set())
    assert store.quarantined() == 0
    leftovers = list((tmp_path / "units").glob(".*.tmp"))
    assert len(leftovers) == (0 if written else 1)
    store.write(UNIT, planted_rows(UNIT, loss=0.25), planted_provenance())
    assert losses(store) == {0.25}


def test_of_two_writers_of_one_unit_one_wins_and_no_reader_sees_a_tear(tmp_path: Path) -> None:
    store = Store.open(str(tmp_path), create=True)
    store.write(UNIT, planted_rows(UNIT, loss=1.0), planted_provenance())
    writers = [writer("none", tmp_path, loss, times=100) for loss in (1.0, 2.0)]
    seen: set[float] = set()
    while any(process.poll() is None for process in writers):
        found = losses(store)
        assert len(found) == 1
        seen |= found
    assert [process.returncode for process in writers] == [0, 0]
    assert seen == {1.0, 2.0}
    assert store.quarantined() == 0
    assert os.listdir(tmp_path / "units") == [f"{UNIT.id}.arrow"]  # noqa: PTH208 -- dot files too


def test_a_file_size_limit_is_a_full_disk_to_whoever_may_not_mount_one(tmp_path: Path) -> None:
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (2048, 2048))

    program = [sys.executable, "-c", WRITER, "none", str(tmp_path), "0.5", "1"]
    ended = subprocess.run(
        program, env=environment(), preexec_fn=limit, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 1
    assert "StoreUnwritable: cannot write" in ended.stderr
    assert "(File too large); free some space and run the same command again" in ended.stderr
    assert list((tmp_path / "units").iterdir()) == []
    TALLY.fault("full disk")


@pytest.fixture
def small_disk(tmp_path: Path) -> Path:
    """A disk of 256 kB, which is gone with the test."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(place)],
        capture_output=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip("a small disk needs the right to mount")
    return place


def test_a_full_disk_is_a_sentence_and_what_was_stored_stays(
    small_disk: Path, request: pytest.FixtureRequest
) -> None:
    request.addfinalizer(lambda: subprocess.run(["umount", str(small_disk)], check=True))
    store = Store.open(str(small_disk), create=True)
    units = [planted_unit(f"mlp-{depth}", replicas=50) for depth in range(100)]
    stored: list[str] = []

    def fill() -> None:
        for unit in units:
            store.write(unit, planted_rows(unit), planted_provenance())
            stored.append(unit.id)

    with pytest.raises(StoreUnwritable, match=r"No space left on device.*free some space"):
        fill()
    TALLY.fault("full disk")
    assert 0 < len(stored) < 100
    assert store.verified(unit.id for unit in units) == set(stored)
    assert not list((small_disk / "units").glob(".*"))
