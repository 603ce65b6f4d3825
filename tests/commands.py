"""The small study as a command of its own process, as a person runs it."""

import os
import subprocess
import sys
from pathlib import Path

TESTS = Path(__file__).parent


def environment(**variables: str) -> dict[str, str]:
    """The variables of a process that imports the project and its tests."""
    paths = os.pathsep.join((str(TESTS.parent), str(TESTS)))
    return os.environ | {"PYTHONPATH": paths} | variables


def start_job(out: Path, *arguments: str, **variables: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, str(TESTS / "small_study.py"), "--out", str(out), *arguments],
        env=environment(**variables),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,  # its own process group, for a Ctrl-C that reaches all of it
    )


def run_job(out: Path, *arguments: str, **variables: str) -> tuple[int, str, str]:
    """Exit code, output and errors of the small study run to its end."""
    process = start_job(out, *arguments, **variables)
    said, complained = process.communicate(timeout=200)
    return process.returncode, said, complained
