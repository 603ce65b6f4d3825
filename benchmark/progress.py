"""What a person sees while it trains: a bar on a terminal, plain lines where there is none."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from types import TracebackType
from typing import Final, Self

from rich import progress
from rich.console import Console, RenderableType
from rich.text import Text

LINE_EVERY: Final = 10.0
"""Seconds between plain lines."""
LEAST: Final = 1e-3
"""The share of the work from whose pace the time that is left can be told."""


class Progress:
    """Counts of units and replica-steps, shown while the context is open.

    ``expect`` begins a round of a plan; ``update`` takes a shard's counts so far: ``units`` done,
    replica-``steps``, their ``cost``, ``diverged`` replicas and ``failed`` units. The share is that
    of the whole study by cost. A round gets its part of what was left when it began, beside the
    estimate of all later rounds: so the share never falls, whatever these come to in the end.
    """

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console()
        self.units = self.cost = self.shards = self.finished = self.lost = 0
        self.later = self.stored = 0
        self.reached = self.weight = 0.0  # the share before this round, and the round's own
        self.before: Counter[str] = Counter()  # what was done when the round began
        self.activity = self.name = ""
        self.counts: dict[str, Counter[str]] = {}
        self.begin = self.lined = time.monotonic()
        # Time and share when training began: the seconds in which workers start say nothing.
        self.first: tuple[float, float] | None = None
        self.closed = False
        self.bar = _Bar(self)

    def __enter__(self) -> Self:
        self.begin = time.monotonic()
        if self.console.is_terminal:
            self.bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.closed = True
        if self.console.is_terminal:
            self.bar.stop()
        else:
            self.line()

    def resume(self, units: int, cost: int, all_cost: int) -> None:
        """What was stored before this command: its share of the whole is done."""
        self.stored = units
        self.reached = cost / all_cost if all_cost else 0.0

    def expect(
        self,
        units: int,
        cost: int,
        shards: int,
        given_up: int = 0,
        *,
        later: tuple[int, int] = (0, 0),
        name: str = "",
    ) -> None:
        """Another round, called ``name``: what it tries, how many units failed too often to be
        tried again, and ``later``, about how many units of what cost the rounds after it have."""
        done = self.total
        self.reached, self.before = self.share if self.units else self.reached, done
        self.weight = (1 - self.reached) * (cost / (cost + later[1]) if cost else 1.0)
        self.units = done["units"] + units + given_up + later[0]
        self.cost, self.later = cost, later[0]
        self.shards += shards
        self.lost = given_up
        for counts in self.counts.values():
            counts["failed"] = 0
        if name:
            self.say(f"{name}, starting workers")
            self.name = name

    def say(self, activity: str) -> None:
        """What is going on while nothing is trained."""
        self.activity = activity
        if not self.console.is_terminal:
            self.line()

    def update(self, shard: str, counts: dict[str, int]) -> None:
        """A shard's counts so far."""
        self.counts[shard] = Counter({name: counts[name] for name in COUNTED})
        self.first = self.first or (time.monotonic(), self.share)
        self.activity = self.name
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
    def share(self) -> float:
        """The share of the study that is done."""
        if not self.units:
            return self.reached
        done = self.total
        if self.cost:
            part = (done["cost"] - self.before["cost"]) / self.cost
        else:
            part = (done["units"] - self.before["units"]) / max(
                1, self.units - self.later - self.before["units"]
            )
        return min(1.0, self.reached + self.weight * min(1.0, part))

    @property
    def percent(self) -> str:
        """The share in whole percent, rounded down: 100% is the end."""
        return f"{int(100 * self.share + 1e-9):3d}%"

    @property
    def left(self) -> str:
        """The time that is left at the pace since the first report, once that says something."""
        share = self.share
        begin, before = self.first or (0.0, 0.0)
        if share - before <= LEAST:
            return "unknown"
        return clock((time.monotonic() - begin) * (1 - share) / (share - before))

    def words(self) -> str:
        """One line: units, shards, trouble, speed and the time that is left."""
        done, elapsed = self.total, time.monotonic() - self.begin
        ending = f"{clock(elapsed)} in all" if self.closed else f"{self.left} left"
        about = "about " if self.later else ""
        return (
            f"{self.stored + done['units']:,}/{about}{self.stored + self.units:,} units, "
            f"{self.finished}/{self.shards} shards, "
            f"{done['diverged']} diverged, {done['failed']} failed, "
            f"{done['steps'] / max(elapsed, 1e-9):,.0f} replica-steps/s, {ending}"
        )

    def line(self) -> None:
        """One plain line."""
        self.lined = time.monotonic()
        said = [self.words() if self.units else "", "" if self.closed else self.activity]
        self.console.print(
            f"{self.percent}  {'; '.join(filter(None, said))}",
            soft_wrap=True,
            highlight=False,
            markup=False,
        )


class _Bar(progress.Progress):
    """The bar and its percent as columns of rich, and the line of counts below them."""

    def __init__(self, counts: Progress) -> None:
        self.counts = counts
        percent = progress.TextColumn("{task.fields[percent]}", markup=False)
        columns = progress.BarColumn(bar_width=None), percent
        super().__init__(*columns, console=counts.console, refresh_per_second=4, expand=True)
        self.add_task("", total=1.0, percent=counts.percent)

    def get_renderables(self) -> Iterator[RenderableType]:
        counts = self.counts
        for task in self.tasks:  # none while the base class is being made
            self.update(task.id, completed=counts.share, percent=counts.percent)
        yield self.make_tasks_table(self.tasks)
        if counts.activity and not counts.closed:
            yield Text(counts.activity)
        yield Text(counts.words())


COUNTED: Final = ("units", "steps", "cost", "diverged", "failed")


def clock(seconds: float) -> str:
    """Hours, minutes and seconds."""
    minutes, second = divmod(round(seconds), 60)
    hour, minute = divmod(minutes, 60)
    return f"{hour}:{minute:02}:{second:02}"
