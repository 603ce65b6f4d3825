"""SIGINT, SIGTERM and SIGHUP at several moments: a sentence, the code, and nothing left."""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from support.commands import environment, identities, start_job, wait_until
from support.leftovers import left_running
from support.tally import TALLY

NAMES = {signal.SIGINT: "Ctrl-C", signal.SIGTERM: "SIGTERM", signal.SIGHUP: "SIGHUP"}


@pytest.fixture
def temporary() -> Iterator[Path]:
    """A temporary folder of the command's own, short enough for Ray."""
    with tempfile.TemporaryDirectory(dir="/tmp", prefix="t", ignore_cleanup_errors=True) as place:
        yield Path(place)


def end(process: subprocess.Popen[str], number: signal.Signals, whole_group: bool) -> str:
    """Send the signal; returns what the command wrote to standard error, with its code checked."""
    (os.killpg if whole_group else os.kill)(process.pid, number)
    TALLY.fault(f"{NAMES[number]} to a command")
    _, complained = process.communicate(timeout=90)
    assert process.returncode == 128 + number, complained
    assert "Traceback" not in complained
    lines = [line for line in complained.splitlines() if line.startswith("interrupted by ")]
    assert len(lines) == 1
    assert lines[0].startswith(f"interrupted by {NAMES[number]}: ")
    return lines[0]


@pytest.mark.ray
@pytest.mark.slow
def test_while_ray_starts(tmp_path: Path, temporary: Path) -> None:
    """The signal goes to Ray's servers as well, as from a scheduler: they end before us."""
    process = start_job(tmp_path / "out", TMPDIR=str(temporary))
    wait_until(lambda: bool(list(temporary.glob("sweep-*/ray"))) or process.poll() is not None)
    end(process, signal.SIGTERM, whole_group=True)
    assert left_running(temporary, patience=10) == []
    assert list(temporary.iterdir()) == []


@pytest.mark.ray
@pytest.mark.slow
def test_while_units_are_trained(tmp_path: Path, temporary: Path) -> None:
    out = tmp_path / "out"
    process = start_job(
        out, "--workers", "1", ONE_ROUND="1", TMPDIR=str(temporary), UNIT_SECONDS="1.5"
    )
    wait_until(lambda: len(identities(out)) >= 1 or process.poll() is not None)
    said = end(process, signal.SIGHUP, whole_group=False)
    assert said.endswith(" units are stored; run the same command to continue")
    assert left_running(temporary, patience=10) == []
    assert list(temporary.iterdir()) == []


@pytest.mark.ray
@pytest.mark.slow
def test_when_rays_server_is_lost(tmp_path: Path, temporary: Path) -> None:
    out = tmp_path / "out"
    process = start_job(
        out, "--workers", "1", ONE_ROUND="1", TMPDIR=str(temporary), UNIT_SECONDS="1.5"
    )
    wait_until(lambda: len(identities(out)) >= 1 or process.poll() is not None)
    for child in psutil.Process(process.pid).children():
        if child.name() == "gcs_server":
            child.kill()
    TALLY.fault("kill -9 of Ray's server")
    _, complained = process.communicate(timeout=90)
    assert process.returncode == 2
    assert "error: Ray was lost while units were running (it ended or does not" in complained
    assert "Traceback" not in complained
    assert left_running(temporary, patience=10) == []
    assert list(temporary.iterdir()) == []


def test_in_a_dry_run(tmp_path: Path, temporary: Path) -> None:
    process = start_job(tmp_path / "out", "--dry-run", TMPDIR=str(temporary), UNIT_SECONDS="20")
    assert process.stdout is not None
    while "nothing is run" not in process.stdout.readline():
        assert process.poll() is None
    end(process, signal.SIGTERM, whole_group=True)
    assert not (tmp_path / "out").exists()
    assert list(temporary.iterdir()) == []


def test_while_a_report_is_written(helped: str, tmp_path: Path, temporary: Path) -> None:
    page = tmp_path / "page"
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmark", "report", helped, "--out", str(page)],
        env=environment(TMPDIR=str(temporary)),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    wait_until(lambda: page.exists() or process.poll() is not None)
    end(process, signal.SIGINT, whole_group=True)
    assert list(temporary.iterdir()) == []
