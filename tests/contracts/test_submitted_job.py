"""A head of Ray on this machine, and a study submitted to it as a job, start to finish."""

import json
import os
import random
import re
import signal
import socket
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from support.commands import TESTS, environment, identities, rows_of, wait_until
from support.small_study import ONE_ROUND_UNITS, of_one_round
from support.tally import TALLY

from benchmark import status

pytestmark = [pytest.mark.ray, pytest.mark.slow]

PROGRAMS = Path(sys.executable).parent


@dataclass(frozen=True)
class Head:
    """Where it listens, and the variables of whoever talks to it."""

    address: str
    variables: dict[str, str]

    def submit(self, *entrypoint: str, **variables: str) -> subprocess.Popen[str]:
        """``ray job submit`` of this repository; its output is the job's."""
        command = [str(PROGRAMS / "ray"), "job", "submit", "--address", self.address]
        command += ["--working-dir", str(TESTS.parent)]
        return subprocess.Popen(
            [*command, "--", *entrypoint],
            env=self.variables | variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def stop(self) -> None:
        """What ``ray job stop`` asks for, of the job that runs."""
        jobs = f"{self.address}/api/jobs/"
        with urllib.request.urlopen(jobs, timeout=60) as answer:
            (running,) = [each for each in json.load(answer) if each["status"] == "RUNNING"]
        stop = urllib.request.Request(f"{jobs}{running['submission_id']}/stop", method="POST")
        with urllib.request.urlopen(stop, timeout=60) as answer:
            assert json.load(answer)["stopped"]


def free_ports(count: int) -> list[int]:
    """Below those that the system hands out, where another process of the head could be first."""
    found: list[int] = []
    while len(found) < count:
        port = random.randrange(20_000, 30_000)
        with socket.socket() as free, suppress(OSError):
            free.bind(("127.0.0.1", port))
            found.append(port)
    return found


@pytest.fixture(scope="module")
def head(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Head]:
    port, dashboard, agent = free_ports(3)
    with tempfile.TemporaryDirectory(dir="/tmp", prefix="t", ignore_cleanup_errors=True) as folder:
        variables = environment(
            HOME=str(tmp_path_factory.mktemp("home")),  # Ray keeps a token there
            PATH=os.pathsep.join((str(PROGRAMS), os.environ["PATH"])),
            RAY_TMPDIR=folder,
            ONE_ROUND="1",
            RAY_JOB_STOP_WAIT_TIME_S="60",  # until it kills; three seconds otherwise
        )
        del variables["PYTHONPATH"]  # the job finds the project in its working directory
        # Once a Ray ran in this process its children ask for a token, which the new home lacks.
        variables.pop("RAY_AUTH_MODE", None)
        command = [str(PROGRAMS / "ray"), "start", "--head", "--block", "--disable-usage-stats"]
        command += ["--node-ip-address=127.0.0.1", f"--port={port}", "--num-cpus=2"]
        command += ["--dashboard-host=127.0.0.1", f"--dashboard-port={dashboard}"]
        command += [f"--dashboard-agent-listen-port={agent}"]  # it is what starts jobs
        with subprocess.Popen(
            [*command, f"--temp-dir={folder}/ray"],
            env=variables,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        ) as process:
            wait_until(lambda: listens(dashboard) and listens(agent))
            yield Head(f"http://127.0.0.1:{dashboard}", variables)
            process.send_signal(signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                process.wait(timeout=30)
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def listens(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


def test_a_submitted_study_is_stopped_and_runs_to_its_end(
    head: Head,
    tmp_path: Path,
    undisturbed: list[dict[str, Any]],
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Stopped with a sentence, submitted again, and it shows where it is."""
    out = tmp_path / "out"
    command = ["python", "tests/support/small_study.py", "--out", str(out)]
    stopped = head.submit("env", "UNIT_SECONDS=5", *command)
    wait_until(lambda: len(identities(out)) >= 1 or stopped.poll() is not None)
    assert identities(out), stopped.communicate()[0]
    assert status.main([str(out)]) == 0
    assert re.search(r"rungs / grid +3 ", capsys.readouterr().out)
    head.stop()
    TALLY.fault("SIGTERM to a submitted job")
    logs, _ = stopped.communicate(timeout=200)
    assert re.search(r"interrupted by SIGTERM: \d units are stored; run the same command to", logs)
    assert "Traceback" not in logs
    before = identities(out)
    again = head.submit(*command)
    refused = head.submit("python", "tests/support/small_study.py", "--out", "here")
    logs, _ = again.communicate(timeout=200)
    assert again.returncode == 0, logs
    assert f"100%  {ONE_ROUND_UNITS}/{ONE_ROUND_UNITS} units" in logs  # plain lines
    assert "\r" not in logs
    assert f"results: {out}" in logs
    TALLY.kept(before, identities(out))
    TALLY.same(rows_of(out), of_one_round(undisturbed))
    assert status.main([str(out)]) == 0
    logs, _ = refused.communicate(timeout=100)
    assert refused.returncode != 0
    assert "error: --out here is relative, and a Ray job runs in a copy of the folder" in logs
