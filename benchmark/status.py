"""``python -m benchmark.status RESULTS``: what is planned, done, diverged, failed and missing."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Final

from rich.console import Console

from benchmark.command import Parser, entry_point
from benchmark.stage_table import print_stage_counts
from benchmark.store.results import Count, Results, tell_stuck


def print_status(results: Results, console: Console) -> None:
    """Print the counts per stage, what was set aside, and why units failed."""
    console.print(f"study {results.study['name']}", highlight=False, markup=False)
    print_stage_counts(console, COLUMNS, dict(map(count_stage, results.counts)))
    untrainable = sum(count.untrainable for count in results.counts)
    if untrainable:
        console.print(f"{untrainable:,} replicas are untrainable: no path from input to output.")
    if any(count.waits for count in results.counts):
        console.print("A stage that waits is planned once the stages before it are done.")
    if results.quarantined:
        console.print(
            f"{results.quarantined} damaged files were set aside in quarantine/; "
            "the job trains again what is missing."
        )
    if results.stuck:
        console.print(tell_stuck(results.stuck))
    if results.extra:
        console.print(f"{results.extra} stored units belong to other fields of this study.")
    for failure in results.failures.values():
        console.print(
            f"failed: {failure.description}, attempt {failure.attempt}: {failure.error}",
            markup=False,
            highlight=False,
            soft_wrap=True,
        )


COLUMNS: Final = ("units", "done", "failed", "missing", "replicas", "diverged")


def count_stage(count: Count) -> tuple[str, list[int]]:
    """A stage's name, and its numbers under ``COLUMNS``."""
    name = f"{count.part} / {count.stage}" + (" (waits)" if count.waits else "")
    return name, [
        count.planned,
        count.done,
        count.failed,
        count.missing,
        count.replicas,
        count.diverged,
    ]


def describe_status(results: Results) -> dict[str, Any]:
    """The same as data that JSON can say: counts per stage, and the last failure of each unit."""
    return {
        "study": results.study["name"],
        "results": results.uri,
        "complete": results.complete,
        "stages": [asdict(count) for count in results.counts],
        "quarantined": results.quarantined,
        "damaged_in_place": results.stuck,
        "extra": results.extra,
        "seconds": results.provenance.seconds,
        "finished": results.provenance.finished,
        "failures": [
            {
                "unit": unit_id,
                "description": failure.description,
                "attempt": failure.attempt,
                "error": failure.error,
            }
            for unit_id, failure in results.failures.items()
        ],
    }


@entry_point
def main(argv: Sequence[str] | None = None) -> int:
    """Show a results folder; 0, or 2 where there is none."""
    parser = Parser(prog="python -m benchmark.status", description=__doc__)
    parser.add_argument("results", metavar="RESULTS", help="the folder or URI of a job's results")
    parser.add_argument("--json", action="store_true", help="print it as one JSON object")
    options = parser.parse_args(argv)
    results = Results.load(options.results)
    if options.json:
        print(json.dumps(describe_status(results), indent=2))
    else:
        print_status(results, Console())
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
