"""Fans shards of units out over Ray Tune: the one room that knows of it.

Ray only places work. Workers write finished units to the store themselves, so nothing is lost with
a trial, a worker or this driver, and Tune's own state is thrown away.
"""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import signal
import socket
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final, Self

import ray
import torch
from ray import tune

from benchmark import provenance
from benchmark.progress import COUNTED, Progress
from benchmark.shards import Run
from benchmark.store import Store, StoreUnwritable, describe
from benchmark.unit import Unit
from search_spaces.errors import InvalidInput

REPORT_EVERY: Final = 1.0
"""Seconds between a worker's reports."""
SOCKET_ROOM: Final = 40
"""Characters of a temporary folder's path that leave room for Ray's sockets below it (of 107)."""
CONNECT_SECONDS: Final = 10.0
QUIET: Final = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",  # 2.60 warns of this change of default otherwise
    "RAY_AIR_NEW_OUTPUT": "0",  # the new output prints a box and a table even at verbose=0
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",  # the store has the results
    "TUNE_DISABLE_SIGINT_HANDLER": "1",  # Ctrl-C is the job's to answer
    "OMP_NUM_THREADS": "1",
}


class Sweep:
    """A running Ray: its own on this machine, or the cluster of ``RAY_ADDRESS``.

    ``workers`` is how many shards run at once (every core where it is None). A Ray of its own lives
    in a temporary folder, apart from any other on the machine, and goes with the context.
    """

    def __init__(self, workers: int | None, run: Run) -> None:
        self.workers = workers
        self.run = run
        self.folder = Path()

    def __enter__(self) -> Self:
        os.environ |= QUIET
        address = os.environ.get("RAY_ADDRESS", "local")
        joined = address not in ("", "local")
        folder = tempfile.mkdtemp(prefix="sweep-")
        if len(folder) > SOCKET_ROOM and not joined:
            Path(folder).rmdir()
            folder = tempfile.mkdtemp(prefix="sweep-", dir="/tmp")
        self.folder = Path(folder)
        own: dict[str, Any] = {
            "address": "local",
            "num_cpus": self.workers or os.cpu_count(),
            "dashboard_host": "127.0.0.1",
            "_temp_dir": str(self.folder / "ray"),
        }
        logging.getLogger("ray.tune").setLevel(logging.CRITICAL)  # the store keeps what went wrong
        try:
            if joined:
                reach(address)
            with temporary_files_in(self.folder):
                ray.init(
                    **({} if joined else own), log_to_driver=False, logging_level=logging.ERROR
                )
        except BaseException as error:
            self.__exit__()
            if joined and isinstance(error, ConnectionError):
                raise unreachable(address, error) from error
            raise
        return self

    def __exit__(self, *_: object) -> None:
        answer = signal.signal(signal.SIGINT, signal.SIG_IGN)  # an impatient second Ctrl-C
        try:
            ray.shutdown()
            shutil.rmtree(self.folder, ignore_errors=True)
        finally:
            signal.signal(signal.SIGINT, answer)

    @property
    def cores(self) -> int:
        """How many shards can run at once."""
        available = int(ray.cluster_resources()["CPU"])  # type: ignore[no-untyped-call]
        return min(self.workers, available) if self.workers else available

    def train(
        self, shards: Sequence[Sequence[Unit]], store: Store, progress: Progress
    ) -> dict[int, str]:
        """Run every shard once; returns the shards whose worker was lost, with the reason.

        A unit that raises leaves a failure in the store and its shard goes on. Raises
        ``StoreUnwritable`` as soon as a worker cannot write.
        """
        watch = Watch(progress)
        tuner = tune.Tuner(
            tune.with_resources(
                trainable([ray.put(list(shard)) for shard in shards], store.uri, self.run),
                {"cpu": 1},
            ),
            param_space={"shard": tune.grid_search(list(range(len(shards))))},
            tune_config=tune.TuneConfig(reuse_actors=True, max_concurrent_trials=self.cores),
            run_config=tune.RunConfig(
                name=f"round-{time.time_ns()}",
                storage_path=str(self.folder / "tune"),
                callbacks=[watch],
                verbose=0,
            ),
        )
        tuner.fit()
        return watch.lost


def reach(address: str) -> None:
    """Raise ``InvalidInput`` where nobody listens; Ray itself would try for minutes."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if address == "auto":  # Ray looks for a cluster on this machine, and knows at once
        return
    try:
        socket.create_connection((host, int(port)), timeout=CONNECT_SECONDS).close()
    except (OSError, ValueError) as error:
        raise unreachable(address, error) from error


def unreachable(address: str, error: Exception) -> InvalidInput:
    """The sentence for a cluster that does not answer."""
    reason = " ".join(str(error).split())
    return InvalidInput(
        f"nothing answers at RAY_ADDRESS={address} ({reason}); start that cluster, give its "
        "HOST:PORT, or unset RAY_ADDRESS to run on this machine"
    )


@contextlib.contextmanager
def temporary_files_in(folder: Path) -> Iterator[None]:
    """Processes that are started meanwhile keep their temporary files there, and lose them so."""
    before = os.environ.get("TMPDIR")
    os.environ["TMPDIR"] = str(folder)
    try:
        yield
    finally:
        if before is None:
            del os.environ["TMPDIR"]
        else:
            os.environ["TMPDIR"] = before


class Watch(tune.Callback):
    """Hands what trials report to the progress display."""

    def __init__(self, progress: Progress) -> None:
        self.progress = progress
        self.lost: dict[int, str] = {}
        self.unwritable: str | None = None

    def __getstate__(self) -> dict[str, Any]:
        return {}  # Tune pickles its callbacks for a restore that nobody will make

    def on_trial_result(
        self, iteration: int, trials: list[Any], trial: Any, result: dict[str, Any], **info: Any
    ) -> None:
        """A worker reported."""
        if "unwritable" in result:
            self.unwritable = result["unwritable"]
        elif "units" in result:
            self.progress.update(trial.trial_id, result)

    def on_trial_complete(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
        """A shard came to its end."""
        self.progress.finish()

    def on_trial_error(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
        """A shard's worker was lost."""
        self.progress.finish()
        file = trial.error_file
        text = Path(file).read_text() if file and Path(file).exists() else "the worker was lost"
        self.lost[trial.config["shard"]] = text

    def on_step_end(self, iteration: int, trials: list[Any], **info: Any) -> None:
        """Stop the round where the store cannot be written: an error here ends Tune's loop."""
        if self.unwritable is not None:
            raise StoreUnwritable(self.unwritable)


def trainable(shards: list[Any], uri: str, run: Run) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """The function that Tune runs in a worker: the shard of a number, from Ray's object store."""
    source = provenance.commit()

    def shard(config: dict[str, Any]) -> dict[str, Any]:
        torch.set_num_threads(1)
        torch.set_flush_denormal(True)
        counts = dict.fromkeys(COUNTED, 0)
        store = Store.locate(uri)
        reported = time.monotonic()

        def report(steps: int = 0) -> None:
            nonlocal reported
            counts["steps"] += steps
            if time.monotonic() - reported > REPORT_EVERY:
                reported = time.monotonic()
                tune.report(dict(counts))

        try:
            for unit in ray.get(shards[config["shard"]]):
                attempt(unit, run, store, source, counts, report)
                report()
        except StoreUnwritable as error:
            return {"unwritable": str(error)}
        return counts

    return shard


def attempt(
    unit: Unit,
    run: Run,
    store: Store,
    source: str,
    counts: dict[str, int],
    report: Callable[[int], None],
) -> None:
    """Train one unit and store its rows, or the log of why that failed."""
    begin = time.perf_counter()
    try:
        rows = run(unit, report)
    except Exception as error:
        store.write_failure(unit, *describe(error))
        counts["failed"] += 1
        return
    store.write(unit, rows, provenance.record(source, time.perf_counter() - begin))
    counts["units"] += 1
    counts["diverged"] += sum(row["status"] == "diverged" for row in rows)
