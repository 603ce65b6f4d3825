"""Units of work into shards: enough to keep every core busy, few enough to cost nothing."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Sequence
from typing import Any, Final

from benchmark.study.unit import Unit

Run = Callable[[Unit, Callable[[int], None] | None], list[dict[str, Any]]]
"""Trains a unit (``benchmark.engine.engine.run``), telling of finished replica-steps."""
Measure = Callable[[Unit], int]
"""A unit's cost or its replica-steps, before it is trained."""

LIMIT: Final = 2000
"""Shards at most: Ray Tune keeps 9 kB of state for each and rewrites it all."""
PER_CORE: Final = 4
"""Shards per core at least, where there are units enough, so that the last ones end together."""
SECONDS: Final = 10.0
"""A shard's least work where there is plenty: Ray Tune spends about 0.03 s on each."""
CALIBRATION_SECONDS: Final = 1.5


class Enough(Exception):  # noqa: N818 -- the calibration has seen enough
    """Stops a unit that is run for its speed alone."""


def calibrate(units: Sequence[Unit], run: Run, cost: Measure, steps: Measure) -> float:
    """Seconds per unit of cost, from about a second of a middling unit; nothing is kept.

    0 where no unit costs anything. The clock starts with the first report, to leave the loading of
    data and libraries out; a unit that ends before is timed whole.
    """
    costly = sorted((unit for unit in units if cost(unit) > 0), key=lambda u: (cost(u), u.id))
    if not costly:
        return 0.0
    unit = costly[len(costly) // 2]
    begin = time.perf_counter()
    reports: list[tuple[float, int]] = []

    def on_progress(count: int) -> None:
        reports.append((time.perf_counter(), count))
        if len(reports) > 1 and reports[-1][0] - begin > CALIBRATION_SECONDS:
            raise Enough

    with contextlib.suppress(Enough):
        run(unit, on_progress)
    if len(reports) > 1:
        counted = sum(count for _, count in reports[1:])
        return (reports[-1][0] - reports[0][0]) / counted * steps(unit) / cost(unit)
    return (time.perf_counter() - begin) / cost(unit)


def pack(
    units: Sequence[Unit], cost: Measure, cores: int, seconds_per_cost: float
) -> list[list[Unit]]:
    """Units in shards, longest units first; ties in the order of their ids.

    A shard is closed once it holds ``SECONDS`` of work, or sooner where ``PER_CORE`` shards a core
    need it to be smaller, or later where ``LIMIT`` shards would not be enough.
    """
    priced = sorted(((max(1, cost(u)), u) for u in units), key=lambda each: (-each[0], each[1].id))
    total = sum(price for price, _ in priced)
    fair = total / (PER_CORE * cores)
    worthwhile = SECONDS / seconds_per_cost if seconds_per_cost else fair
    target = min(worthwhile, fair) if len(units) > PER_CORE * cores else 0.0
    target = max(target, total / (LIMIT - 1))
    shards: list[list[Unit]] = []
    load = target
    for price, unit in priced:
        if load >= target:
            shards.append([])
            load = 0.0
        shards[-1].append(unit)
        load += price
    return shards
