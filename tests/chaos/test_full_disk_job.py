"""A real job on a disk that fills up: one sentence, exit code 2, nothing lost, and on it goes."""

import subprocess
from pathlib import Path
from typing import Any

import pytest
from support.commands import identities, rows_of, run_job
from support.small_study import ONE_ROUND_UNITS, of_one_round
from support.tally import TALLY

from benchmark.store.results import Results

pytestmark = [pytest.mark.ray, pytest.mark.slow]


def test_a_full_disk_ends_the_job_with_a_sentence(
    tmp_path: Path, request: pytest.FixtureRequest, undisturbed: list[dict[str, Any]]
) -> None:
    disk, notes = tmp_path / "disk", tmp_path / "notes"
    disk.mkdir()
    notes.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=48k", "tmpfs", str(disk)]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("a small disk needs the right to mount")
    request.addfinalizer(lambda: subprocess.run(["umount", str(disk)], check=True))
    code, _, complained = run_job(disk / "out", ONE_ROUND="1", NOTES=str(notes))
    TALLY.fault("full disk")
    assert code == 2
    (sentence,) = [line for line in complained.splitlines() if line.startswith("error: ")]
    assert "No space left on device" in sentence
    assert "free some space and run the same command again" in sentence
    assert "Traceback" not in complained
    results = Results.load(str(disk / "out"))
    assert 0 < sum(count.done for count in results.counts) < ONE_ROUND_UNITS
    assert results.quarantined == 0
    before = identities(disk / "out")
    subprocess.run(["mount", "-o", "remount,size=10m", str(disk)], check=True)
    code, said, complained = run_job(
        disk / "out", "--workers", "1", ONE_ROUND="1", NOTES=str(notes)
    )
    assert code == 0, said + complained
    TALLY.kept(before, identities(disk / "out"))
    TALLY.noted(notes)
    TALLY.same(rows_of(disk / "out"), of_one_round(undisturbed))
