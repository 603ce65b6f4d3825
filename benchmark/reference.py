"""``python -m benchmark.reference [FOLDER]``: the committed studies' pages, and what they say.

With ``--pages`` every study under FOLDER (``reports/reference``; a folder ``results`` each) gets
its page beside its results. ``docs/findings.md`` is written from all of them and from the committed
example, and so are the answers in the README, between its markers.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from benchmark.command import Parser, entry_point
from search_spaces.output_files import replace_between, write_output


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
    from benchmark.report import committed  # loads what judges and draws
    from benchmark.report.page import build_page

    studies = committed.find_studies(options.folder)
    judged = [committed.load_study(folder) for folder in (*studies, options.example)]
    if options.pages:
        for folder, results, found in judged[: len(studies)]:
            print(build_page(results, found=found).write(folder))
    beside = options.root or options.findings.parent
    findings = committed.make_findings(judged, beside)
    answers = committed.make_answers(judged[: len(studies)] or judged)
    replace_between(options.readme, committed.BEGIN, committed.END, f"{answers}\n", "--readme")
    write_output(options.findings, findings, "--findings")
    print(options.findings, options.readme, sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
