"""The table of docs/power.md: how likely each committed study was to answer, on planted truth.

``make power`` writes it (minutes); a test computes one row anew. A study's folder is named as its
job and its scale, if it has one: ``dags-digits`` is ``jobs/dags.py --scale digits``.
"""

from __future__ import annotations

import runpy
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

from benchmark.power.simulate import count_shares, measure_power
from benchmark.study import Study
from benchmark.study.fields import AnyPart
from search_spaces.output_files import replace_between

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "power.md"
BEGIN, END = "<!-- power: made by make power -->\n", "<!-- end of power -->"
REPEATS: Final = 10


def read_study(folder: str) -> Study:
    """The study of the job and scale that a folder is named after."""
    name, _, scale = folder.partition("-")
    constants = runpy.run_path(str(ROOT / "jobs" / f"{name}.py"))
    study: Study = constants[scale.upper() or "STUDY"]
    return study


def list_studies() -> list[tuple[str, Study]]:
    """The quickstart and the committed reference studies."""
    folders = sorted(
        path.parent.parent.name for path in ROOT.glob("reports/reference/*/results/study.json")
    )
    return [(folder, read_study(folder)) for folder in ("quickstart", *folders)]


def describe_part(folder: str, study: Study, part: AnyPart) -> str:
    """The row of one part; nothing is trained, so that any images of ten classes do."""
    alone = replace(study, parts=(replace(part, dataset="digits"),))
    shares = count_shares(measure_power(alone, REPEATS))
    said = ("yes" if shares.passes else "no") if part.judged else "not judged"
    return (
        f"| `{folder}` | {part.name} | {said} | {shares.right:.0%} | {shares.wrong:.1%} | "
        f"{shares.unknown:.0%} |"
    )


def describe_studies() -> Iterator[str]:
    """The lines of the table."""
    yield "| study | part | passes | right | wrong | undetermined |"
    yield "|---|---|---|---:|---:|---:|"
    for folder, study in list_studies():
        for part in study.parts:
            yield describe_part(folder, study, part)


if __name__ == "__main__":
    lines = []
    for line in describe_studies():
        print(line, file=sys.stderr)
        lines.append(line)
    table = "\n".join(lines)
    replace_between(PAGE, BEGIN, END, f"{table}\n")
