"""Several studies on one page: a leaderboard of their rules, and the list of their own pages."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from benchmark.findings.comparisons.leaderboard import compare_studies
from benchmark.report.page import Page, describe_missing, render_page
from benchmark.store.results import Results
from benchmark.store.store import Store
from search_spaces.errors import InvalidInput

STUDY: Final = {
    "name": "Comparison of studies",
    "question": "Which rule for the learning rate loses least, over all studies?",
}
PLACES: Final = ("results", "*/results", "*/*/results", "*")
"""Where results lie in a folder of reports."""


def find_results(folder: str) -> list[str]:
    """The results folders in a folder of reports, itself where it is one; sorted.

    A URI, and a folder without any, is returned as it is. Raises ``StoreUnreadable`` for what
    cannot be a folder.
    """
    if "://" in folder or Store.locate(folder).exists():
        return [folder]
    place = Path(folder)
    found = {path.parent for pattern in PLACES for path in place.glob(f"{pattern}/study.json")}
    return sorted(map(str, found)) or [folder]


def build_comparison(results: Sequence[Results], pages: Sequence[Path], out: Path) -> Page:
    """The page of several studies, which lies in ``out``; links go to those ``pages`` that exist.

    Raises ``InvalidInput`` where two of them are results of one study.
    """
    names = [each.study["name"] for each in results]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise InvalidInput(
            f"two of these are results of study {twice!r}; give one, or merge them first "
            "(python -m benchmark merge)"
        )
    links = [os.path.relpath(page, out) if page.is_file() else "" for page in pages]
    headline, blocks = compare_studies(results, links)
    missing = " ".join(
        f"{each.study['name']}: {said}" for each in results if (said := describe_missing(each))
    )
    commits = sorted({commit for each in results for commit in each.provenance.commits})
    facts = {"kinds": {"comparison"}, "commits": ", ".join(commits) or "unknown"}
    return render_page(STUDY, [], blocks, facts, missing, headline=headline)
