"""A real job, interrupted halfway and run again: the same table as if nothing had happened.

The undisturbed table is made without Ray, by the engine alone; so these tests also say that Ray
changes nothing but the place where a unit is trained.
"""

import os
import signal
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from support.commands import identities, rows_of, run_job, start_job, wait_until
from support.leftovers import left_running
from support.small_study import UNITS
from support.tally import TALLY

pytestmark = [pytest.mark.ray, pytest.mark.slow]


@dataclass(frozen=True)
class Interrupted:
    """Exit codes and outputs of the interrupted command, the same again, and once more."""

    ended: list[tuple[int, str, str]]
    files: list[dict[str, tuple[int, int]]]
    out: Path
    temporary: Path
    home: Path
    notes: Path
    seconds: float
    again: float


@pytest.fixture(scope="module")
def interrupted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Interrupted]:
    out, home, notes = (tmp_path_factory.mktemp(name) for name in ("out", "home", "notes"))
    with tempfile.TemporaryDirectory(dir="/tmp", prefix="t") as temporary:
        variables = {"TMPDIR": temporary, "HOME": str(home), "UNIT_SECONDS": "1.5"}
        variables["NOTES"] = str(notes)
        process = start_job(out, **variables)
        wait_until(lambda: len(identities(out)) >= 2 or process.poll() is not None)
        begin = time.monotonic()
        os.killpg(process.pid, signal.SIGINT)
        TALLY.fault("Ctrl-C")
        said, complained = process.communicate(timeout=60)
        seconds = time.monotonic() - begin
        ended, files = [(process.returncode, said, complained)], [identities(out)]
        variables["UNIT_SECONDS"] = "0"
        ended.append(run_job(out, "--workers", "1", **variables))
        files.append(identities(out))
        begin = time.monotonic()
        ended.append(run_job(out, **variables))
        files.append(identities(out))
        again = time.monotonic() - begin
        yield Interrupted(ended, files, out, Path(temporary), home, notes, seconds, again)


def test_ctrl_c_ends_promptly_with_a_sentence(interrupted: Interrupted) -> None:
    code, said, complained = interrupted.ended[0]
    assert code == 130
    assert complained.startswith("interrupted by Ctrl-C: ")
    assert complained.endswith(" units are stored; run the same command to continue\n")
    assert "Traceback" not in said + complained
    assert interrupted.seconds < 20


def test_finished_units_stay_and_are_never_trained_again(interrupted: Interrupted) -> None:
    first, second, third = interrupted.files
    assert 2 <= len(first) < UNITS
    assert len(second) == UNITS
    TALLY.kept(first, second)
    assert second == third


def test_the_same_command_completes_the_table_of_an_undisturbed_run(
    interrupted: Interrupted, undisturbed: list[dict[str, Any]]
) -> None:
    code, said, complained = interrupted.ended[1]
    assert code == 0, complained
    assert f"{UNITS} units in cells, rungs, steps; {len(interrupted.files[0])} done before" in said
    rows = rows_of(interrupted.out)
    TALLY.same(rows, undisturbed)
    TALLY.noted(interrupted.notes)
    assert "diverged" in {row["status"] for row in rows}


def test_a_finished_study_is_shown_without_starting_ray(interrupted: Interrupted) -> None:
    code, said, _ = interrupted.ended[2]
    assert code == 0
    assert f"{UNITS} done before" in said
    assert "shards" not in said
    assert f"python -m benchmark.report {interrupted.out}" in said


def test_without_a_terminal_progress_is_plain_lines(interrupted: Interrupted) -> None:
    _, said, complained = interrupted.ended[1]
    assert "\x1b" not in said
    assert "\r" not in said
    assert "100%" in said
    assert complained == ""


def test_no_process_and_no_temporary_file_is_left(interrupted: Interrupted) -> None:
    assert left_running(interrupted.temporary) == []
    assert list(interrupted.temporary.iterdir()) == []
    assert not (interrupted.home / "ray_results").exists()
