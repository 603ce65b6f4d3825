"""The committed studies: their findings as one page, and their answers for the README."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

from benchmark.findings.parts import judge_study
from benchmark.findings.verdict import Findings
from benchmark.report.markdown import describe_laws, describe_results
from benchmark.report.readme_answers import AnsweredStudy, summarize_studies
from benchmark.store.results import Results
from search_spaces.errors import InvalidInput

BEGIN: Final = "<!-- answers: made by make findings -->\n"
END: Final = "<!-- end of answers -->\n"
OPENING: Final = """\
# What came out so far

This page is made by `make findings` from the tables of results under `reports/`, and a test
compares: no number on it was typed. Every number has its n and its 95% interval; "undetermined"
says what is missing. What counts as yes, no and undetermined stands in [rules.md](rules.md).
"""


def find_studies(folder: Path) -> list[Path]:
    """The folders of committed studies, by name; raises ``InvalidInput`` without such a folder."""
    if not folder.is_dir():
        raise InvalidInput(f"there is no folder {folder}; give that of the committed studies")
    return sorted(path.parent for path in folder.glob("*/results") if path.is_dir())


class JudgedStudy(NamedTuple):
    """A committed study, and what its results say."""

    folder: Path
    results: Results
    found: Findings


def load_study(folder: Path) -> JudgedStudy:
    """Read and judge the results of a folder, once for all pages."""
    results = Results.load(str(folder / "results"))
    return JudgedStudy(folder, results, judge_study(results, None))


def make_findings(studies: Sequence[JudgedStudy], beside: Path) -> str:
    """The text of the page of findings, whose links are relative to the folder ``beside``."""
    sections = [OPENING, describe_laws([(results, found) for _, results, found in studies])]
    for folder, results, found in studies:
        page = os.path.relpath((folder / "index.html").resolve(), beside.resolve())
        sections.append(describe_results(results, found, page))
    return "\n".join(sections)


def make_answers(studies: Sequence[JudgedStudy]) -> str:
    """The studies' answers, question by question."""
    return summarize_studies(
        [
            AnsweredStudy(results, found, f"{folder}/index.html")
            for folder, results, found in studies
        ]
    )
