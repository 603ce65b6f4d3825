"""``python -m benchmark.reference [FOLDER]``: the committed studies' pages, and what they say.

With ``--pages`` every study under FOLDER (``reports/reference``; a folder ``results`` each) gets
its page beside its results. ``docs/findings.md`` is written from all of them and from the committed
example, and so are the answers in the README, between its markers.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

from benchmark.command import Parser, entry_point
from benchmark.findings.parts import judge_study
from benchmark.findings.verdict import Findings
from benchmark.report.markdown import describe_results, summarize_results
from benchmark.report.page import build_page, write_text
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


@entry_point
def main(arguments: Sequence[str] | None = None) -> int:
    """Write the pages, ``docs/findings.md`` and the README's answers; 0, or 2 for bad input."""
    parser = Parser(prog="python -m benchmark.reference", description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=Path("reports/reference"))
    parser.add_argument("--example", type=Path, default=Path("reports/example"))
    parser.add_argument("--findings", type=Path, default=Path("docs/findings.md"))
    parser.add_argument("--readme", type=Path, default=Path("README.md"))
    parser.add_argument(
        "--root", type=Path, help="the folder that links are relative to (default: of --findings)"
    )
    parser.add_argument("--pages", action="store_true", help="write the studies' pages too")
    options = parser.parse_args(arguments)
    studies = find_studies(options.folder)
    if options.pages:
        for study in studies:
            print(build_page(Results.load(str(study / "results"))).write(study))
    judged = [load_study(folder) for folder in (*studies, options.example)]
    write_text(options.findings, make_findings(judged, options.root or options.findings.parent))
    text = options.readme.read_text(encoding="utf-8")
    answering = judged[: len(studies)] or judged
    write_text(options.readme, replace_answers(text, make_answers(answering)))
    print(options.findings, options.readme, sep="\n")
    return 0


def find_studies(folder: Path) -> list[Path]:
    """The folders of committed studies, by name."""
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
    sections = [OPENING]
    for folder, results, found in studies:
        page = (folder / "index.html").resolve().relative_to(beside.resolve().parent)
        sections.append(describe_results(results, found, f"../{page}"))
    return "\n".join(sections)


def make_answers(studies: Sequence[JudgedStudy]) -> str:
    """A list of the studies' answers, question by question."""
    return "\n".join(
        summarize_results(results, found, f"{folder}/index.html")
        for folder, results, found in studies
    )


def replace_answers(readme: str, answers: str) -> str:
    """The README with these answers between its markers.

    Raises ``InvalidInput`` where it has no markers.
    """
    before, found, rest = readme.partition(BEGIN)
    _, ended, after = rest.partition(END)
    if not (found and ended):
        raise InvalidInput(f"the README has no markers {BEGIN.strip()} and {END.strip()}; add them")
    return f"{before}{BEGIN}{answers}\n{END}{after}"


if __name__ == "__main__":
    sys.exit(main())
