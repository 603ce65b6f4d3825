"""The small study as a command of its own process, as a person runs it."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmark.store.results import Results

TESTS = Path(__file__).parents[1]


def environment(**variables: str) -> dict[str, str]:
    """The variables of a process that imports the project and its tests."""
    paths = os.pathsep.join((str(TESTS.parent), str(TESTS)))
    known = os.environ | {"PYTHONPATH": paths} | variables
    known.pop("TORCHINDUCTOR_CACHE_DIR", None)  # set in this process where its compiler was loaded
    return known


def start_job(out: Path | str, *arguments: str, **variables: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, str(TESTS / "support" / "small_study.py"), "--out", str(out), *arguments],
        env=environment(**variables),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,  # its own process group, for a Ctrl-C that reaches all of it
    )


def run_job(out: Path | str, *arguments: str, **variables: str) -> tuple[int, str, str]:
    """Exit code, output and errors of the small study run to its end."""
    process = start_job(out, *arguments, **variables)
    said, complained = process.communicate(timeout=200)
    return process.returncode, said, complained


def identities(out: Path) -> dict[str, tuple[int, int]]:
    """Which file every unit is, and when it was written."""
    files = {file.name: file.stat() for file in (out / "units").glob("*.arrow")}
    return {name: (stat.st_ino, stat.st_mtime_ns) for name, stat in files.items()}


def rows_of(out: Path | str) -> list[dict[str, Any]]:
    """The rows of a complete study, as the report reads them."""
    results = Results.load(str(out))
    assert results.complete
    rows: list[dict[str, Any]] = results.table.drop_columns(["part", "kind", "stage"]).to_pylist()
    return rows


def wait_until(happens: Callable[[], bool], seconds: float = 120.0) -> None:
    """Look again and again; fails where it does not happen in time."""
    deadline = time.monotonic() + seconds
    while not happens():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.1)
