"""The measured figures as lines of a CSV file, to which every run adds its own."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from pathlib import Path

from benchmark.speed.growth.machinery import Overhead
from benchmark.speed.growth.stages import StageTimes
from benchmark.store.provenance import describe_environment, find_commit
from search_spaces.errors import InvalidInput
from search_spaces.output_files import write_output

COLUMNS = ("figure", "units", "value", "unit", "nodes", "cores", "processor", "commit")


def list_sweep_figures(found: Overhead) -> dict[str, tuple[float, str]]:
    """What a sweep took."""
    return {
        "sweep": (found.seconds, "s"),
        "first unit": (found.first, "s"),
        "driver's own time, sweep": (found.driver, "s"),
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
    file: Path, units: int = 0, nodes: int = 0, figures: Mapping[str, tuple[float, str]] = {}
) -> None:
    """Add a line for each figure, seconds or megabytes at a number of units; at least the heading.

    Raises ``InvalidInput`` where the file cannot be read or written.
    """
    machine = describe_environment()
    shared = (nodes, machine["cores"], machine["processor"], find_commit()[:12])
    text = io.StringIO(read_figures(file))
    text.seek(0, io.SEEK_END)
    lines = csv.writer(text, lineterminator="\n")
    if not text.getvalue():
        lines.writerow(COLUMNS)
    for name, (value, unit) in figures.items():
        lines.writerow((name, units, f"{value:.4g}", unit, *shared))
    write_output(file, text.getvalue())


def read_figures(file: Path) -> str:
    """The lines that are there; raises ``InvalidInput`` where they are not such lines."""
    if not file.is_file():
        return ""
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise InvalidInput(f"--out {file} cannot be read as text; name another file") from error
    if text and next(csv.reader([text.splitlines()[0]])) != list(COLUMNS):
        raise InvalidInput(f"--out {file} holds something else; name a new file")
    return text
