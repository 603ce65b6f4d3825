"""kill -9 of the driver halfway, and two finished files damaged before the command runs again."""

import os
import signal
import tempfile
from pathlib import Path
from typing import Any

import pytest
from support.commands import identities, rows_of, run_job, start_job, wait_until
from support.leftovers import left_running
from support.small_study import ONE_ROUND_UNITS, of_one_round
from support.tally import TALLY

from benchmark.store.store import Store

pytestmark = [pytest.mark.ray, pytest.mark.slow]


def test_a_killed_driver_and_damaged_files_cost_what_was_unfinished(
    tmp_path: Path, undisturbed: list[dict[str, Any]]
) -> None:
    out, notes = tmp_path / "out", tmp_path / "notes"
    notes.mkdir()
    with tempfile.TemporaryDirectory(dir="/tmp", prefix="t", ignore_cleanup_errors=True) as place:
        variables = {"TMPDIR": place, "NOTES": str(notes), "ONE_ROUND": "1"}
        process = start_job(out, UNIT_SECONDS="1.5", **variables)
        wait_until(lambda: len(identities(out)) >= 3 or process.poll() is not None)
        os.kill(process.pid, signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
        process.communicate()
        TALLY.fault("kill -9 of the driver")
        cut, flipped, *whole = sorted((out / "units").iterdir())
        cut.write_bytes(cut.read_bytes()[:-100])
        data = bytearray(flipped.read_bytes())
        data[len(data) // 2] ^= 1
        flipped.write_bytes(data)
        TALLY.fault("truncated file")
        TALLY.fault("flipped bit")
        before = {file.name: identities(out)[file.name] for file in whole}
        code, said, complained = run_job(out, "--workers", "1", **variables)
        assert code == 0, complained
        assert f"{ONE_ROUND_UNITS} units" in said
        assert left_running(Path(place), patience=90) == []
    assert Store.open(str(out)).quarantined() == 2
    TALLY.kept(before, identities(out))
    TALLY.noted(notes)
    TALLY.same(rows_of(out), of_one_round(undisturbed))
