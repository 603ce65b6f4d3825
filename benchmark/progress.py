"""What a person sees while it trains: a bar on a terminal, plain lines where there is none."""

from __future__ import annotations

import time
from collections import Counter
from types import TracebackType
from typing import Final, Self

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

LINE_EVERY: Final = 10.0
"""Seconds between plain lines."""
LEAST: Final = 1e-3
"""The share of the work from whose pace the time that is left can be told."""


class Progress:
    """Counts of units and replica-steps, shown while the context is open.

    ``expect`` adds work as rounds of a plan become known; ``update`` takes a shard's counts so far:
    ``units`` done, replica-``steps``, their ``cost``, ``diverged`` replicas and ``failed`` units.
    The share that is done, and so the time that is left, goes by cost.
    """

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console()
        self.units = self.cost = self.shards = self.finished = self.lost = 0
        self.counts: dict[str, Counter[str]] = {}
        self.begin = self.lined = time.monotonic()
        self.first: tuple[float, int] | None = None  # the start of workers is no training
        self.closed = False
        self.live = Live(
            console=self.console, get_renderable=self.render, refresh_per_second=4, transient=False
        )

    def __enter__(self) -> Self:
        self.begin = time.monotonic()
        if self.console.is_terminal:
            self.live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.closed = True
        if self.console.is_terminal:
            self.live.stop()
        else:
            self.line()

    def expect(self, units: int, cost: int, shards: int, given_up: int = 0) -> None:
        """Another round: what it tries, and how many units failed too often to be tried again."""
        done = self.total
        self.units = done["units"] + units + given_up
        self.cost = done["cost"] + cost
        self.shards += shards
        self.lost = given_up
        for counts in self.counts.values():
            counts["failed"] = 0

    def update(self, shard: str, counts: dict[str, int]) -> None:
        """A shard's counts so far."""
        self.counts[shard] = Counter({name: counts[name] for name in COUNTED})
        self.first = self.first or (time.monotonic(), self.reached[0])
        if not self.console.is_terminal and time.monotonic() - self.lined >= LINE_EVERY:
            self.line()

    def finish(self, lost: bool = False) -> None:
        """Another shard came to its end, or lost its worker and with it a unit."""
        self.finished += 1
        self.lost += lost

    @property
    def total(self) -> Counter[str]:
        """The counts over all shards."""
        counted = sum(list(self.counts.values()), Counter[str]())
        counted["failed"] += self.lost
        return counted

    @property
    def reached(self) -> tuple[int, int]:
        """The estimated cost that is done, of how much (units where nothing costs)."""
        done = self.total
        return (done["cost"], self.cost) if self.cost else (done["units"], self.units)

    @property
    def share(self) -> float:
        """The share that is done."""
        done, expected = self.reached
        return min(1.0, done / expected) if expected else 1.0

    @property
    def left(self) -> str:
        """The time that is left at the pace since the first report, once that says something."""
        done, expected = self.reached
        begin, before = self.first or (0.0, 0)
        if done - before <= LEAST * expected:
            return "unknown"
        return clock((time.monotonic() - begin) * max(0, expected - done) / (done - before))

    def words(self) -> str:
        """One line: units, shards, trouble, speed and the time that is left."""
        done, elapsed = self.total, time.monotonic() - self.begin
        ending = f"{clock(elapsed)} in all" if self.closed else f"{self.left} left"
        return (
            f"{done['units']}/{self.units} units, {self.finished}/{self.shards} shards, "
            f"{done['diverged']} diverged, {done['failed']} failed, "
            f"{done['steps'] / max(elapsed, 1e-9):,.0f} replica-steps/s, {ending}"
        )

    def render(self) -> Group:
        """The bar, and the line of counts below it."""
        bar = Table.grid(padding=(0, 1), expand=True)
        bar.add_column(ratio=1)
        bar.add_column(justify="right")
        bar.add_row(ProgressBar(total=1.0, completed=self.share), f"{self.share:4.0%}")
        return Group(bar, Text(self.words(), no_wrap=False))

    def line(self) -> None:
        """One plain line."""
        self.lined = time.monotonic()
        self.console.print(
            f"{self.share:4.0%}  {self.words()}", soft_wrap=True, highlight=False, markup=False
        )


COUNTED: Final = ("units", "steps", "cost", "diverged", "failed")


def clock(seconds: float) -> str:
    """Hours, minutes and seconds."""
    minutes, second = divmod(round(seconds), 60)
    hour, minute = divmod(minutes, 60)
    return f"{hour}:{minute:02}:{second:02}"
