"""Units of work into shards: enough to keep every core busy, few enough to cost nothing."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, Protocol

from benchmark.engine.costs import PricedUnit
from benchmark.engine.device import wait_for_device
from benchmark.study.unit import Unit


class Run(Protocol):
    """Trains a unit, as ``benchmark.engine.engine.run`` does; workers get it by cloudpickle."""

    def __call__(
        self,
        unit: Unit,
        on_progress: Callable[[int], None] | None = None,
        *,
        device: str | None = None,
        checkpoint: Path | None = None,
    ) -> list[dict[str, Any]]:
        """A row per replica; ``on_progress`` is told of finished replica-steps."""
        ...


LIMIT: Final = 2000
"""Shards at most: Ray Tune keeps 9 kB of state for each and rewrites it all."""
PER_CORE: Final = 4
"""Shards per core at least, where there are units enough, so that the last ones end together."""
SECONDS: Final = 10.0
"""A shard's least work where there is plenty: Ray Tune spends about 0.03 s on each."""
CALIBRATION_SECONDS: Final = 1.5


class Enough(Exception):  # noqa: N818 -- the calibration has seen enough
    """Stops a unit that is run for its speed alone."""


def calibrate(
    units: Sequence[PricedUnit],
    run: Run,
    device: str | None = None,
    at_first: Callable[[], None] | None = None,
) -> float:
    """Seconds per unit of cost, from about a second of a middling unit; nothing is kept.

    0 where no unit costs anything. The clock starts with the first report, to leave the loading of
    data and libraries out, and after ``at_first``, which may wait for others that load; a unit that
    ends before is timed whole. A GPU is done with its work before the clock is read.
    """
    costly = sorted((each for each in units if each.cost > 0), key=lambda u: (u.cost, u.unit.id))
    if not costly:
        return 0.0
    chosen = costly[len(costly) // 2]
    begin = time.perf_counter()
    reports: list[tuple[float, int]] = []
    waited = 0.0

    def on_progress(count: int) -> None:
        nonlocal waited
        if not reports:
            wait_for_device(device)
            asked = time.perf_counter()
            if at_first:
                at_first()
            waited = time.perf_counter() - asked
        enough = bool(reports) and time.perf_counter() - reports[0][0] > CALIBRATION_SECONDS
        if enough:
            wait_for_device(device)
        reports.append((time.perf_counter(), count))
        if enough:
            raise Enough

    with contextlib.suppress(Enough):
        run(chosen.unit, on_progress, device=device)
    if len(reports) > 1:
        seconds = reports[-1][0] - reports[0][0]
        counted = sum(count for _, count in reports[1:])
        return seconds / counted * chosen.replica_steps / chosen.cost
    return (time.perf_counter() - begin - waited) / chosen.cost


def pack(
    units: Sequence[PricedUnit], cores: int, seconds_per_cost: float
) -> list[list[PricedUnit]]:
    """Units in shards, longest units first; ties in the order of their ids.

    A shard is closed once it holds ``SECONDS`` of work, or sooner where ``PER_CORE`` shards a core
    need it to be smaller, or later where ``LIMIT`` shards would not be enough.
    """
    ordered = sorted(units, key=lambda each: (-max(1, each.cost), each.unit.id))
    total = sum(max(1, each.cost) for each in ordered)
    fair = total / (PER_CORE * cores)
    worthwhile = SECONDS / seconds_per_cost if seconds_per_cost else fair
    target = min(worthwhile, fair) if len(units) > PER_CORE * cores else 0.0
    target = max(target, total / (LIMIT - 1))
    shards: list[list[PricedUnit]] = []
    load = target
    for each in ordered:
        if load >= target:
            shards.append([])
            load = 0.0
        shards[-1].append(each)
        load += max(1, each.cost)
    return shards
