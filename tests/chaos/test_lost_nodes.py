"""A cluster of several nodes on this machine, whose workers and nodes are killed meanwhile."""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from support.commands import TESTS, environment, identities, rows_of, start_job, wait_until
from support.small_study import ONE_ROUND_UNITS, of_one_round
from support.tally import TALLY

from benchmark.store.store import Store

pytestmark = [pytest.mark.ray, pytest.mark.slow]


@dataclass(frozen=True)
class Cluster:
    """``tests/support/ray_nodes.py`` and its address."""

    process: subprocess.Popen[str]
    address: str

    def add_node(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        told(self.process, "added")


def told(process: subprocess.Popen[str], word: str) -> str:
    """The rest of the first line that begins with a word."""
    assert process.stdout is not None
    return next(line.split()[-1] for line in process.stdout if line.startswith(word))


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """A head without cores, and two nodes of one core each."""
    variables = {
        "RAY_USAGE_STATS_ENABLED": "0",
        "OMP_NUM_THREADS": "1",
        "RAY_health_check_period_ms": "500",  # a node's death is known in seconds
        "RAY_health_check_timeout_ms": "2000",
        "RAY_health_check_failure_threshold": "3",
    }
    with (
        tempfile.TemporaryDirectory(dir="/tmp", prefix="t", ignore_cleanup_errors=True) as folder,
        subprocess.Popen(
            [sys.executable, str(TESTS / "support" / "ray_nodes.py"), folder],
            env=environment(**variables),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        ) as process,
    ):
        yield Cluster(process, told(process, "address"))
        process.communicate(timeout=60)


def at_work(out: Path, notes: Path, but: int = 0) -> list[int]:
    """The workers whose units are not finished."""
    starts = [note.name.split(".") for note in notes.iterdir()]
    there = {file.stem for file in (out / "units").glob("*.arrow")}
    pids = {int(pid) for unit_id, pid, _ in starts if unit_id not in there}
    return [pid for pid in pids if pid != but and Path(f"/proc/{pid}").exists()]


def parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def test_a_killed_worker_and_a_killed_node_are_made_good_by_the_same_command(
    cluster: Cluster, tmp_path: Path, undisturbed: list[dict[str, Any]]
) -> None:
    out, notes = tmp_path / "out", tmp_path / "notes"
    notes.mkdir()
    variables = {"RAY_ADDRESS": cluster.address, "NOTES": str(notes), "ONE_ROUND": "1"}
    process = start_job(out, UNIT_SECONDS="3", **variables)
    wait_until(lambda: len(identities(out)) >= 1 and bool(at_work(out, notes)))
    (worker, *_) = at_work(out, notes)
    os.kill(worker, signal.SIGKILL)
    TALLY.fault("kill -9 of a Tune worker")
    wait_until(lambda: bool(at_work(out, notes, but=worker)))
    raylet = parent(at_work(out, notes, but=worker)[0])
    assert "raylet" in Path(f"/proc/{raylet}/cmdline").read_text()
    before = identities(out)
    os.kill(raylet, signal.SIGKILL)
    TALLY.fault("kill -9 of a raylet")
    said, complained = process.communicate(timeout=200)
    assert process.returncode == 0, said + complained
    TALLY.kept(before, identities(out))
    TALLY.noted(notes)
    TALLY.same(rows_of(out), of_one_round(undisturbed))
    store = Store.open(str(out))
    logs = [store.logs.read(name) for logs in store.logs.list_logs().values() for _, name in logs]
    reasons = [log.error for log in logs if log is not None]
    assert len(reasons) == 2  # one unit each was at work, and no other is blamed
    assert all(reason.startswith("the worker was lost: ") for reason in reasons)


def test_two_drivers_on_one_store_share_the_work(
    cluster: Cluster, tmp_path: Path, undisturbed: list[dict[str, Any]]
) -> None:
    cluster.add_node()
    out, notes = tmp_path / "out", tmp_path / "notes"
    notes.mkdir()
    variables = {"RAY_ADDRESS": cluster.address, "NOTES": str(notes), "ONE_ROUND": "1"}
    variables["UNIT_SECONDS"] = "0.5"
    processes = [start_job(out, "--workers", "1", **variables) for _ in range(2)]
    TALLY.fault("second driver on one store")
    for process in processes:
        said, complained = process.communicate(timeout=200)
        assert process.returncode == 0, said + complained
    assert len(identities(out)) == ONE_ROUND_UNITS
    TALLY.noted(notes)
    TALLY.same(rows_of(out), of_one_round(undisturbed))
