"""What the progress display says, on a terminal and without one."""

import io
import time

import pytest
from rich.console import Console

from benchmark import progress
from benchmark.progress import Progress, clock
from benchmark.stage_table import print_stage_counts


def shown(terminal: bool, width: int = 100) -> tuple[Progress, io.StringIO]:
    screen = io.StringIO()
    return Progress(Console(file=screen, force_terminal=terminal, width=width)), screen


def counts(units: int, steps: int, diverged: int = 0, failed: int = 0) -> dict[str, int]:
    cost = 3 * steps
    return {"units": units, "steps": steps, "cost": cost, "diverged": diverged, "failed": failed}


def test_without_a_terminal_lines_are_plain_and_rare() -> None:
    bar, screen = shown(terminal=False)
    with bar:
        bar.expect(units=4, cost=1200, shards=2)
        for step in range(100):
            bar.update("a", counts(units=0, steps=step))
        bar.update("a", counts(units=2, steps=200, diverged=3))
        bar.finish()
    lines = screen.getvalue().splitlines()
    assert len(lines) == 1
    assert "\x1b" not in lines[0]
    assert "50%  2/4 units, 1/2 shards, 3 diverged, 0 failed" in lines[0]


def test_a_line_appears_once_the_pause_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "LINE_EVERY", 0.05)
    bar, screen = shown(terminal=False)
    with bar:
        bar.expect(units=1, cost=30, shards=1)
        time.sleep(0.06)
        for step in range(3):
            bar.update("a", counts(units=0, steps=step))
    assert len(screen.getvalue().splitlines()) == 2


def test_a_terminal_shows_a_bar_that_moves() -> None:
    bar, screen = shown(terminal=True)
    with bar:
        bar.expect(units=4, cost=1200, shards=2)
        bar.update("a", counts(units=1, steps=100))
        time.sleep(0.6)
    assert "━" in screen.getvalue()
    assert "25%" in screen.getvalue()


def test_counts_of_a_shard_replace_its_earlier_ones() -> None:
    bar, _ = shown(terminal=False)
    bar.expect(units=4, cost=1200, shards=2)
    for steps in (10, 50, 100):
        bar.update("a", counts(units=1, steps=steps))
        bar.update("b", counts(units=0, steps=steps))
    assert (bar.total["units"], bar.total["steps"], bar.share) == (1, 200, 0.5)


def test_a_unit_that_is_tried_again_is_not_failed_meanwhile() -> None:
    bar, _ = shown(terminal=False)
    bar.expect(units=3, cost=60, shards=2)
    bar.update("a", counts(units=1, steps=10, failed=1))
    bar.finish()
    bar.finish(lost=True)
    assert "1/3 units, 2/2 shards, 0 diverged, 2 failed" in bar.words()
    bar.expect(units=2, cost=30, shards=2)
    assert "1/3 units, 2/4 shards, 0 diverged, 0 failed" in bar.words()
    bar.update("b", counts(units=1, steps=10))
    assert bar.share == 1.0
    bar.expect(units=0, cost=0, shards=0, given_up=1)
    assert "2/3 units, 2/4 shards, 0 diverged, 1 failed" in bar.words()


def test_time_that_is_left_goes_by_cost_and_not_by_steps() -> None:
    bar, _ = shown(terminal=False)
    bar.expect(units=2, cost=400, shards=1)
    bar.update("a", counts(units=1, steps=90) | {"cost": 100})
    assert bar.share == 0.25


def test_units_without_steps_count_by_number() -> None:
    bar, _ = shown(terminal=False)
    assert bar.share == 0.0  # nothing is known yet
    bar.expect(units=4, cost=0, shards=1)
    assert "unknown left" in bar.words()
    bar.update("a", counts(units=1, steps=0))
    assert bar.share == 0.25


def test_the_time_that_is_left_does_not_count_the_start_of_workers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    bar, _ = shown(terminal=False)
    bar.expect(units=2, cost=300_000, shards=1)
    now[0] = 100.0  # Ray and its workers start
    bar.update("a", counts(units=0, steps=10))
    assert bar.left == "unknown"
    now[0] = 110.0
    bar.update("a", counts(units=0, steps=100))
    assert bar.left == "unknown"  # too little to tell
    bar.update("a", counts(units=0, steps=10_010))
    assert bar.left == clock(10 * 269_970 / 30_000)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0:00:00"), (59.6, "0:01:00"), (3725, "1:02:05"), (360000, "100:00:00")],
)
def test_times_are_hours_minutes_seconds(seconds: float, text: str) -> None:
    assert clock(seconds) == text


def test_the_share_is_of_the_whole_study_and_never_falls() -> None:
    """Later rounds are estimated, well or badly; a round gets its part of what was left."""
    bar, _ = shown(terminal=False)
    bar.resume(units=2, cost=100, all_cost=1000)
    shares = [bar.share]
    assert shares == [0.1]
    done = {"units": 0, "cost": 0, "steps": 0, "diverged": 0, "failed": 0}
    for cost, later in ((300, 600), (200, 3000), (900, 10), (500, 0)):  # more and less than told
        bar.expect(units=1, cost=cost, shards=1, later=(3, later) if later else (0, 0))
        shares.append(bar.share)
        for part in (0.5, 1.0):
            bar.update("a", done | {"cost": done["cost"] + int(part * cost)})
            shares.append(bar.share)
        done = {**done, "cost": done["cost"] + cost, "units": done["units"] + 1}
        bar.update("a", done)
    assert shares == sorted(shares)
    assert shares[1:4] == pytest.approx([0.1, 0.25, 0.4])
    assert max(shares[:-1]) < 1.0
    assert shares[-1] == pytest.approx(1.0)
    assert bar.words().startswith("6/6 units")


def test_what_goes_on_while_nothing_is_trained_is_said_in_words() -> None:
    bar, screen = shown(terminal=False)
    with bar:
        bar.say("planning")
        bar.expect(units=1, cost=9, shards=1, later=(7, 91), name="grid of rungs")
        bar.update("a", counts(units=0, steps=3))
        assert bar.activity == "grid of rungs"
    lines = screen.getvalue().splitlines()
    assert lines[0] == "  0%  planning"
    assert lines[1].startswith("  0%  0/about 8 units, 0/1 shards, ")
    assert lines[1].endswith("unknown left; grid of rungs, starting workers")
    assert lines[2].startswith("  9%  ")


@pytest.mark.parametrize("width", [20, 40, 80, 200])
def test_a_narrow_terminal_keeps_the_names_of_stages(width: int) -> None:
    screen = io.StringIO()
    names = ["residual-depth / neighbours", "x / [base]"]
    columns = ("units", "done", "replicas")
    console = Console(file=screen, width=width)
    print_stage_counts(console, columns, dict.fromkeys(names, (12, 3, 45_678)))
    said = screen.getvalue()
    assert max(map(len, said.splitlines())) <= width
    assert all(name in " ".join(said.split()) for name in names)
    assert said.count("45,678") == 2
