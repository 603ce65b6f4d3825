"""A running Ray: one of our own on this machine, or the cluster of ``RAY_ADDRESS``."""

from __future__ import annotations

import contextlib
import logging
import os
import secrets
import socket
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, Final, Self

import ray
from ray._private import ray_constants
from ray._private import utils as ray_utils

from benchmark.command import (
    Interrupted,
    defer_signals,
    find_signal,
    ignore_signals,
    keep_handlers,
    report_error,
    report_interruption,
)
from benchmark.engine.device import require_gpu
from benchmark.sweep.driver.driver_folder import delete_folder, make_driver_folder
from benchmark.sweep.driver.last_resort import LastResort, end_descendants
from benchmark.sweep.driver.ray_watch import find_check, watch_ray
from benchmark.sweep.driver.variables import set_variables
from benchmark.sweep.resources import NodeResources, Resources, count_cores
from search_spaces.errors import InvalidInput

CONNECT_SECONDS: Final = 10.0
MEND: Final = "finished units are stored, so run the same command again"
LOSS: Final = f"Ray was lost while units were running (it ended or does not answer); {MEND}"
SETTINGS: Final = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",  # 2.60 warns of this change of default otherwise
    "RAY_AIR_NEW_OUTPUT": "0",  # the new output prints a box and a table even at verbose=0
    "RAY_CHDIR_TO_TRIAL_DIR": "0",  # relative paths mean the same in workers as in the driver
    "RAY_ENABLE_UV_RUN_RUNTIME_ENV": "0",  # `uv run` would send the whole folder to workers
    "RAY_enable_metrics_collection": "0",  # nobody reads them, and their ports ask for no token
    "AUTOSCALER_METRIC_PORT": "-1",  # no port: two servers then log that they export no metrics
    "DASHBOARD_METRIC_PORT": "-1",
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",  # the store has the results
    "TUNE_DISABLE_SIGINT_HANDLER": "1",  # the command answers signals
    "OMP_NUM_THREADS": "1",
}
TOKEN: Final = secrets.token_hex(32)
"""What the processes of this driver's own Ray show one another; Ray reads it once per process."""


class Cluster:
    """Connected while the context is open; ``folder`` is for this driver's temporary files.

    ``slots`` is how many shards may run at once: ``workers``, or as many as there is room for now.
    ``resources`` are what each of them has, with ``--gpus auto`` settled (``asked`` are those of
    the command line), and ``nodes`` what every machine has.
    A Ray of its own lives in that folder, apart from any other on the machine, and ends with the
    context. Raises ``InvalidInput`` where Ray cannot be started, where the cluster does not answer
    or has no room for a shard, and where Ray is lost meanwhile.
    """

    def __init__(self, workers: int | None, resources: Resources) -> None:
        self.workers = workers
        self.asked = self.resources = resources
        self.nodes: list[NodeResources] = []
        self.joined = False
        self.slots = workers or 0
        self.folder = Path()
        self.lock: IO[bytes] | None = None
        self.watch = contextlib.ExitStack()
        self.lost = threading.Event()
        self.last_resort = LastResort()

    def __enter__(self) -> Self:
        address = os.environ.get("RAY_ADDRESS", "local")
        joined = address not in ("", "local")
        os.environ |= SETTINGS
        self.folder, self.lock = make_driver_folder(for_ray=not joined)
        self.last_resort.folder = self.folder
        logging.getLogger("ray.tune").setLevel(logging.CRITICAL)  # the store keeps what went wrong
        try:
            with defer_signals(self.end_in_time), set_variables(TMPDIR=str(self.folder)):
                self.connect(address, joined)
            self.joined = joined
            machines: list[dict[str, Any]] = ray.nodes()  # type: ignore[no-untyped-call]
            self.nodes = [machine["Resources"] for machine in machines if machine["Alive"]]
            self.settle()
            if not joined:
                require_gpu(self.resources.gpus, "this machine")
            watch = watch_ray(find_check(joined), lambda: self.last_resort.arm(report_loss))
            self.lost = self.watch.enter_context(watch)
        except BaseException as error:
            self.close(error)
            if joined and isinstance(error, ConnectionError):
                raise explain_unreachable(address, error) from error
            if isinstance(error, Exception) and not isinstance(error, InvalidInput):
                raise InvalidInput(
                    f"Ray could not be started ({first_line(error)}); check the memory and the "
                    f"free space of {self.folder.parent} and /dev/shm, and run the same command "
                    "again"
                ) from error
            raise
        return self

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        self.close(error)
        if self.lost.is_set():
            raise InvalidInput(LOSS) from error
        if is_error_of_ray(error):
            raise InvalidInput(f"Ray failed ({first_line(error)}); {MEND}") from error

    def settle(self, sharers: int = 1) -> None:
        """Choose what a shard has, where ``--gpus auto`` leaves it open, and how many run at once.

        A cluster may grow to the number of shards that was asked for.
        """
        self.resources = self.asked.settle(self.nodes, sharers)
        if not self.joined or not self.workers:
            room = self.resources.count_slots(self.nodes)
            self.slots = min(self.workers or sys.maxsize, room)

    def connect(self, address: str, joined: bool) -> None:
        """Join the cluster of an address, or start a Ray of our own."""
        if joined:
            require_reachable(address)
            with no_handler_of_ray(), nothing_of_uv():
                ray.init(log_to_driver=False, logging_level=logging.ERROR)
        else:
            with self.own_token(), no_handler_of_ray(), nothing_of_uv():
                self.start()

    def end_in_time(self, signum: int) -> None:
        """A signal arrived while Ray is waited for: this may take so long and no longer."""
        self.last_resort.arm(lambda: report_interruption(Interrupted(signum)))

    def start(self) -> None:
        """Start a Ray of our own in our folder; its gRPC servers listen on every interface."""
        cores: int | None = None  # Ray counts them, and knows the limits of containers
        if self.workers:
            cores = self.workers * self.resources.cpus * self.resources.ranks
        elif count_cores() < (os.cpu_count() or 1):
            cores = count_cores()
        ray.init(
            address="local",
            num_cpus=cores,
            include_dashboard=False,  # eleven processes that nobody looks at
            log_to_driver=False,
            logging_level=logging.ERROR,
            _temp_dir=str(self.folder / "ray"),
        )

    def own_token(self) -> contextlib.AbstractContextManager[None]:
        """Ray's token mode with a token in our folder that nobody else can read."""
        file = self.folder / "token"
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as stream:
            stream.write(TOKEN)
        return set_variables(
            RAY_AUTH_MODE=None,  # Ray then chooses token mode, and takes note of it
            RAY_AUTH_TOKEN=None,
            RAY_AUTH_TOKEN_PATH=str(file),
        )

    def close(self, error: BaseException | None = None) -> None:
        """End Ray, and delete the folder; after an interruption, in time."""
        with ignore_signals():  # an impatient second Ctrl-C
            if isinstance(error, KeyboardInterrupt) and not self.lost.is_set():
                self.end_in_time(find_signal(error))
            self.watch.close()
            ray.shutdown()
            end_descendants(self.folder)
            delete_folder(self.folder)
            if self.lock:
                self.lock.close()
            self.last_resort.disarm()


def report_loss() -> int:
    """Print that Ray is gone; returns the exit code."""
    return report_error(LOSS)


@contextlib.contextmanager
def no_handler_of_ray() -> Iterator[None]:
    """``ray.init`` sets no handler for SIGTERM, and the signals are ours while it works."""
    name = "set_sigterm_handler"
    before = getattr(ray_utils, name, None)
    with keep_handlers():
        try:
            if before is not None:
                setattr(ray_utils, name, lambda _handler: None)
            yield
        finally:
            if before is not None:
                setattr(ray_utils, name, before)


@contextlib.contextmanager
def nothing_of_uv() -> Iterator[None]:
    """``ray.init`` does not send the working folder to the workers where ``uv run`` started us.

    The variable that says so (``SETTINGS``) is read when Ray is imported, which was before.
    """
    name = "RAY_ENABLE_UV_RUN_RUNTIME_ENV"
    before = getattr(ray_constants, name, None)
    try:
        if before is not None:
            setattr(ray_constants, name, False)
        yield
    finally:
        if before is not None:
            setattr(ray_constants, name, before)


def is_error_of_ray(error: BaseException | None) -> bool:
    """Whether an error is Ray's own."""
    return isinstance(error, Exception) and type(error).__module__.partition(".")[0] == "ray"


def first_line(error: BaseException | None) -> str:
    """What an error says, without the lines of advice that follow."""
    text = str(error).strip() or type(error).__name__
    return text.splitlines()[0]


def require_reachable(address: str) -> None:
    """Raise ``InvalidInput`` where nobody listens; Ray itself would try for minutes."""
    if address == "auto":  # Ray looks for a cluster on this machine, and knows at once
        return
    host, _, port = address.removeprefix("ray://").rpartition(":")
    host = host.removeprefix("[").removesuffix("]")  # an IPv6 address
    try:
        socket.create_connection((host, int(port)), timeout=CONNECT_SECONDS).close()
    except (OSError, ValueError, OverflowError) as error:
        raise explain_unreachable(address, error) from error


def explain_unreachable(address: str, error: Exception) -> InvalidInput:
    """The sentence for a cluster that does not answer."""
    reason = " ".join(str(error).split())
    return InvalidInput(
        f"nothing answers at RAY_ADDRESS={address} ({reason}); start that cluster, give its "
        "HOST:PORT, or unset RAY_ADDRESS to run on this machine"
    )
