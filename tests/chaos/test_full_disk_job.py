"""A real job on a disk that fills up: one sentence, exit code 2, nothing lost."""

import subprocess
from pathlib import Path

import pytest
from commands import run_job
from small_study import UNITS

from benchmark.results import Results

pytestmark = [pytest.mark.ray, pytest.mark.slow]


def test_a_full_disk_ends_the_job_with_a_sentence(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(disk)]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("a small disk needs the right to mount")
    request.addfinalizer(lambda: subprocess.run(["umount", str(disk)], check=True))
    code, _, complained = run_job(disk / "out")
    assert code == 2
    (sentence,) = [line for line in complained.splitlines() if line.startswith("error: ")]
    assert "No space left on device" in sentence
    assert "free some space and run the same command again" in sentence
    assert "Traceback" not in complained
    results = Results.load(str(disk / "out"))
    assert 0 < results.counts[0].done + results.counts[2].done < UNITS
    assert results.quarantined == 0
