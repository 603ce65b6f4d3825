"""A command that does not end in time is ended, and says so once."""

import os
import threading
from functools import partial
from pathlib import Path

import pytest

from benchmark.sweep.driver import last_resort
from benchmark.sweep.driver.last_resort import LastResort


def count(reports: list[int]) -> int:
    reports.append(143)
    return 143


def test_who_ends_in_time_reports_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(last_resort, "SECONDS", 0.0)
    resort = LastResort()
    reports: list[int] = []
    with resort.turn:  # the clock has run out, and its turn is next
        resort.arm(partial(count, reports))
        assert resort.timer is not None
        resort.disarmed = True
    resort.timer.join()
    assert reports == []


def test_who_ends_while_the_last_resort_is_at_work_does_not_report(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A command that goes on while its servers are being ended waits for the end."""
    monkeypatch.setattr(last_resort, "SECONDS", 0.0)
    ending, ended, codes = threading.Event(), threading.Event(), []
    said: list[str] = []

    def end_slowly(_folder: Path) -> None:
        ending.set()
        assert not ended.wait(0.2)

    def report() -> int:
        said.append("last resort")
        return 143

    def leave(code: int) -> None:
        """What follows is not reached in a process that ends here."""
        codes.append(code)
        said.append("the process ends")

    monkeypatch.setattr(last_resort, "end_descendants", end_slowly)
    monkeypatch.setattr(os, "_exit", leave)
    resort = LastResort()
    resort.folder = tmp_path / "folder"
    resort.arm(report)
    assert ending.wait(60)
    resort.disarm()
    ended.set()
    said.append("the command")
    assert codes == [143]
    assert said == ["last resort", "the process ends", "the command"]


def test_who_disarms_at_once_is_left_alone() -> None:
    resort = LastResort()
    resort.arm(lambda: 1 // 0)
    resort.disarm()
    assert resort.timer is not None
    resort.timer.join(60)
    assert not resort.timer.is_alive()
