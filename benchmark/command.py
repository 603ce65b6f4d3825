"""The front of every command (``search_spaces.command``), and which commands there are."""

from __future__ import annotations

from typing import Final

from search_spaces.command import Parser, entry_point, local_path, report_error, report_interruption
from search_spaces.command.signals import (
    Interrupted,
    defer_signals,
    find_signal,
    ignore_signals,
    keep_handlers,
)

__all__ = [
    "COMMANDS",
    "Interrupted",
    "Parser",
    "defer_signals",
    "entry_point",
    "find_signal",
    "ignore_signals",
    "keep_handlers",
    "local_path",
    "report_error",
    "report_interruption",
]

COMMANDS: Final = {
    "report": ("benchmark.report.__main__", "write the report of a study's results"),
    "status": ("benchmark.status", "count what is planned, done, diverged, failed and missing"),
    "export": ("benchmark.export", "write every row of a study as one CSV or Parquet file"),
    "merge": ("benchmark.merge", "join results of one study that were made apart"),
    "compact": ("benchmark.compact", "fold the files of finished units into one Parquet file"),
    "rate": ("benchmark.rate", "carry a learning rate from a tuned network to another one"),
    "reference": ("benchmark.reference", "write docs/findings.md from the committed studies"),
    "published": ("benchmark.published.__main__", "make a table of NATS-Bench's accuracies"),
    "datasets": (
        "benchmark.datasets.__main__",
        "download a data set, or check what training sees of one",
    ),
    "speed": ("benchmark.speed.__main__", "time this machine against other ways to train"),
    "overhead": ("benchmark.overhead", "measure what the machinery costs besides training"),
}
"""Every command of ``python -m benchmark``: its module, which has a ``main``, and what it does."""
