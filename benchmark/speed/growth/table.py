"""The measured figures as lines of a CSV file, to which every run adds its own."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path

from benchmark.speed.growth.stages import StageTimes
from benchmark.speed.machinery import Overhead
from benchmark.store.provenance import describe_environment, find_commit

COLUMNS = ("figure", "units", "value", "unit", "nodes", "cores", "processor", "commit")


def list_sweep_figures(found: Overhead) -> dict[str, tuple[float, str]]:
    """What a sweep took."""
    return {
        "sweep": (found.seconds, "s"),
        "first unit": (found.first, "s"),
        "shards": (float(found.shards), ""),
        "driver memory, sweep": (found.memory / 1e6, "MB"),
        "reading and checking": (found.reading, "s"),
    }


def list_stage_figures(found: StageTimes) -> dict[str, tuple[float, str]]:
    """What surrounds training took."""
    return {
        "planning": (found.planning, "s"),
        "storing": (found.writing, "s"),
        "status": (found.status, "s"),
        "report": (found.report, "s"),
        "driver memory, plan and store": (found.driver_memory / 1e6, "MB"),
        "memory, report": (found.report_memory / 1e6, "MB"),
    }


def add_figures(
    file: Path, units: int, nodes: int, figures: Mapping[str, tuple[float, str]]
) -> None:
    """Append a line for each figure: seconds or megabytes at a number of units."""
    machine = describe_environment()
    shared = (nodes, machine["cores"], machine["processor"], find_commit()[:12])
    begins = not file.exists()
    with file.open("a", newline="", encoding="utf-8") as stream:
        lines = csv.writer(stream, lineterminator="\n")
        if begins:
            lines.writerow(COLUMNS)
        for name, (value, unit) in figures.items():
            lines.writerow((name, units, f"{value:.4g}", unit, *shared))
