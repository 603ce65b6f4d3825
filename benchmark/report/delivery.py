"""Writes the page that was asked for, and says its verdict in a few lines."""

from __future__ import annotations

import sys
import webbrowser
from argparse import Namespace
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmark.published import table as published
from benchmark.report import page
from benchmark.report.comparison import build_comparison, find_results
from benchmark.store.results import Results
from search_spaces.errors import InvalidInput


def write_report(options: Namespace) -> int:
    """Write the page of one study or of several; 0, or 3 where one is incomplete.

    Raises ``InvalidInput`` where the results cannot be read or the page cannot be written.
    """
    given = [found for name in options.results for found in find_results(name)]
    if len(given) > 1:
        return write_comparison(given, options)
    table = None if options.published is None else published.read_table(options.published)
    results = Results.load(given[0])
    old = None if options.against is None else Results.load(options.against)
    out = options.out or find_place(given[0], results.study["name"])
    report, written = write_page(out, lambda: page.build_page(results, table, old))
    print(f"{results.study['name']}: {results.study['question']}")
    width = max((len(topic) for topic, _ in report.summary), default=0)
    for topic, answers in report.summary:
        print(f"  {topic:{width}}  {answers}")
    if report.incomplete:
        print(f"  incomplete: {report.incomplete}")
    for line in report.changes:
        print(f"  against {options.against}: {line}")
    return show_page(report, written, options.open)


def write_comparison(given: Sequence[str], options: Namespace) -> int:
    """Write the page of several results; 0, or 3 where one is incomplete."""
    if options.against is not None or options.published is not None:
        raise InvalidInput("--against and --published go with one results folder; give one")
    results = [Results.load(each) for each in given]
    folder = Path(options.results[0]) if len(options.results) == 1 else Path("reports/comparison")
    out = options.out or folder
    pages = [
        find_place(place, each.study["name"]) / "index.html"
        for place, each in zip(given, results, strict=True)
    ]
    report, written = write_page(out, lambda: build_comparison(results, pages, out))
    for sentence in report.headline:
        print(sentence)
    return show_page(report, written, options.open)


def write_page(out: Path, build: Callable[[], page.Page]) -> tuple[page.Page, Path]:
    """Build a page and write it below ``out``; raises ``InvalidInput`` where it cannot be."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        report = build()
        return report, report.write(out)
    except OSError as error:
        raise InvalidInput(
            f"--out {out} cannot be written ({error.strerror}); name a folder that can"
        ) from error


def show_page(report: page.Page, written: Path, opened: bool) -> int:
    """Say where the page is, or open it; the exit code."""
    print(written)
    if opened and not webbrowser.open(written.resolve().as_uri()):
        print("no browser was found; open the page by hand", file=sys.stderr)
    return 3 if report.incomplete else 0


def find_place(results: str, study: str) -> Path:
    """The folder beside the results: that which holds them where they are called ``results``, else
    one named after theirs. For results in an object store it is ``reports/STUDY`` here."""
    place = Path(results.removeprefix("file://"))
    if not place.is_dir():
        return Path("reports") / study
    if place.name in ("", ".."):  # ``.`` has no name
        place = place.resolve()
    return place.parent if place.name == "results" else place.with_name(f"{place.name}-report")
