"""Which GPUs a job uses where ``--gpus auto`` leaves it open, and how many shards share one."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Final

from benchmark.engine.costs import PricedUnit
from benchmark.store.provenance import runs_cuda_mps
from benchmark.sweep.resources import NodeResources, Resources
from benchmark.sweep.shards import Run

SHARERS: Final = (1, 2, 4)
"""How many shards on one GPU are tried."""
GAIN: Final = 1.1
"""More shards on a GPU are chosen only where they train so many times as much together."""
PATIENCE: Final = 180.0
"""Seconds for a trial of one number of shards: every process loads its libraries first."""


@dataclass(frozen=True)
class SharingTrial:
    """What so many shards on one device train together: ``rates`` in units of cost a second."""

    rates: dict[int, float] = field(default_factory=dict)
    cuda_mps: bool = False

    @property
    def sharers(self) -> int:
        """The fewest shards that another number does not beat by ``GAIN``; 1 where none was timed.

        More are looked at in turn, and no further where the next gains too little.
        """
        chosen = min(self.rates, default=1)
        for count in sorted(self.rates)[1:]:
            if self.rates[count] < GAIN * self.rates[chosen]:
                break
            chosen = count
        return chosen

    @property
    def seconds_per_cost(self) -> float:
        """Of each of the chosen number of shards; 0 where nothing was timed."""
        rate = self.rates.get(self.sharers, 0.0)
        return self.sharers / rate if rate else 0.0

    def __str__(self) -> str:
        """``2 shards on each (1: 100%, 2: 161%, 4: 148%)``, in shares of what one trains there."""
        count = self.sharers
        text = f"{count} shard{'' if count == 1 else 's'} on each"
        if len(self.rates) > 1:
            whole = self.rates[min(self.rates)]
            tried = (f"{each}: {rate / whole:.0%}" for each, rate in self.rates.items())
            text += f" ({', '.join(tried)} of what one trains there)"
        return text + ("; CUDA MPS runs" if self.cuda_mps else "")


def list_sharers(resources: Resources, nodes: Sequence[NodeResources]) -> list[int]:
    """The numbers of shards on a GPU that there are cores for, as far as that is open.

    One where each rank needs a whole GPU, and where ``--gpus`` says it.
    """
    if not resources.auto or resources.ranks > 1:
        return [max(1, resources.sharers)]
    room = {count: resources.settle(nodes, count).count_room(nodes) for count in SHARERS}
    return [count for count in SHARERS if count == 1 or room[count] > room[count // 2]]


def time_sharing(
    units: Sequence[PricedUnit], run: Run, device: str, counts: Sequence[int]
) -> SharingTrial:
    """Time every number of shards on one device; the first that fails or gains nothing is the last.

    A number may fail for want of memory. Where already the first does, nothing is timed.
    """
    rates: dict[int, float] = {}
    for count in counts:
        try:
            rates[count] = time_together(units, run, device, count)
        except (RuntimeError, OSError, ValueError):
            break
        if not rates[count] or SharingTrial(rates).sharers != count:
            break
    return SharingTrial({count: rate for count, rate in rates.items() if rate}, runs_cuda_mps())


def time_together(units: Sequence[PricedUnit], run: Run, device: str, count: int) -> float:
    """Units of cost a second that ``count`` processes train together on one device.

    Each times a middling unit from the moment at which all have loaded their libraries. 0 where
    nothing costs anything. Raises ``RuntimeError`` where a process fails.
    """
    from ray import cloudpickle  # importing Ray takes seconds

    sent: bytes = cloudpickle.dumps((list(units), run, device))  # type: ignore[no-untyped-call]
    with ExitStack() as stack:
        processes = [stack.enter_context(timing_process()) for _ in range(count)]
        late = threading.Timer(PATIENCE, end_all, [processes])
        stack.callback(late.cancel)
        late.start()
        for each in processes:
            tell(each, sent)
        ready = [hear(each) for each in processes]
        if all(line == "ready" for line in ready):
            for each in processes:
                tell(each, b"go\n")
            ready = [hear(each) for each in processes]
        seconds = [float(line) for line in ready]
    return sum(1 / each for each in seconds if each)


def end_all(processes: Sequence[subprocess.Popen[bytes]]) -> None:
    """Kill processes: whoever hears them is told."""
    for process in processes:
        process.kill()


@contextmanager
def timing_process() -> Iterator[subprocess.Popen[bytes]]:
    """A process of ``benchmark.sweep.timing_process``, which ends with the context."""
    with subprocess.Popen(
        [sys.executable, "-m", "benchmark.sweep.timing_process"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def tell(process: subprocess.Popen[bytes], message: bytes) -> None:
    """Write to a process; raises ``OSError`` where it has ended."""
    assert process.stdin is not None
    process.stdin.write(message)
    process.stdin.flush()


def hear(process: subprocess.Popen[bytes]) -> str:
    """A process's next line; raises ``RuntimeError`` where it has ended."""
    assert process.stdout is not None
    line = process.stdout.readline().decode().strip()
    if not line:
        raise RuntimeError("a timing process ended")
    return line


def describe_choice(
    resources: Resources, nodes: Sequence[NodeResources], trial: SharingTrial | None = None
) -> str:
    """One line on what ``--gpus auto`` chose: ``--gpus auto: 4 GPUs (H100), 2 shards on each``."""
    with_gpus = [node for node in nodes if node.get("GPU", 0) >= 1]
    models = [
        name.removeprefix("accelerator_type:")
        for node in with_gpus
        for name in node
        if name.startswith("accelerator_type:")
    ]
    gpus = describe_gpus(int(sum(node["GPU"] for node in with_gpus)), models)
    if not resources.gpus:
        return f"--gpus auto: {gpus}, so shards train on cores"
    others = sum(node.get("CPU", 0) >= 1 for node in nodes) - len(with_gpus)
    idle = (
        f"; {others} node{'' if others == 1 else 's'} without GPUs stay idle" if others > 0 else ""
    )
    return f"--gpus auto: {gpus}, {trial or SharingTrial()}{idle}"


def describe_gpus(count: int, models: Sequence[str]) -> str:
    """``2 GPUs (H100)``."""
    named = f" ({', '.join(dict.fromkeys(models))})" if models else ""
    return f"{count or 'no'} GPU{'s' if count > 1 else ''}{named}"
