"""A study as a command: ``python jobs/NAME.py [--scale smoke] [--out URI] [--FIELD VALUE]``.

Exit codes: 0 every planned unit is done, 1 some failed or are missing, 2 what was asked cannot be
done (one sentence says why), 130 interrupted.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType

from rich.console import Console

from benchmark import engine, rounds, status
from benchmark.arguments import Parser
from benchmark.fields import assignments, override, usage
from benchmark.manifest import same_study
from benchmark.rehearsal import rehearse
from benchmark.results import Results
from benchmark.shards import Run
from benchmark.stage import Stage
from benchmark.store import Store
from benchmark.study import Study
from search_spaces.errors import InvalidInput

IN_RAY_JOB = "RAY_JOB_CONFIG_JSON_ENV_VAR"
"""Ray sets this variable for the entry point of a submitted job (ray 2.60, job_supervisor.py)."""


def main(
    study: Study,
    argv: Sequence[str] | None = None,
    run: Run = engine.run,
    scales: Mapping[str, Study] | None = None,
) -> int:
    """Plan, run or resume a study; returns the exit code.

    ``scales`` are the study at other sizes, each under a study name of its own, for ``--scale``.
    ``run`` trains a unit and is sent to the workers by cloudpickle.
    """
    console = Console()
    try:
        out, dry_run, workers, study = arguments(study, scales or {}, argv)
        store = Store.locate(out)
        if store.exists():
            same_study(store.manifest(), study.name, out)
        if dry_run:
            rehearse(study, store, rounds.cores(workers), run, console)
            return 0
        store = Store.open(out, create=True)
        return carry_out(rounds.Rounds(study, store, workers, run, console), out, console)
    except InvalidInput as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


def arguments(
    study: Study, scales: Mapping[str, Study], argv: Sequence[str] | None
) -> tuple[str, bool, int | None, Study]:
    """Where to, whether to rehearse, how many workers, and the study with its fields set."""
    sizes = {"full": study, **scales}
    scale = Parser(add_help=False, allow_abbrev=False)
    scale.add_argument("--scale", choices=sizes, default="full", help="the size of the study")
    study = sizes[scale.parse_known_args(argv)[0].scale]
    parser = Parser(
        prog=f"python jobs/{sizes['full'].name}.py",
        description=study.question,
        epilog=usage(study),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        usage="%(prog)s [--scale SCALE] [--out URI] [--dry-run] [--workers N] "
        "[--FIELD VALUE] [--PART.FIELD VALUE]",
        parents=[scale],
        allow_abbrev=False,
    )
    default = f"reports/{study.name}/results"
    parser.add_argument("--out", default=default, help=f"a path or URI (default {default})")
    parser.add_argument("--dry-run", action="store_true", help="say what would run, write nothing")
    parser.add_argument("--workers", type=int, help="shards at once (default: every core)")
    known, others = parser.parse_known_args(argv)
    if known.workers is not None and known.workers < 1:
        raise InvalidInput(f"--workers {known.workers} leaves nobody to work; give 1 or more")
    relative = "://" not in known.out and not Path(known.out).expanduser().is_absolute()
    if relative and IN_RAY_JOB in os.environ:
        raise InvalidInput(
            f"--out {known.out} is relative, and a Ray job runs in a copy of the folder that is "
            "deleted afterwards; give an absolute path on shared storage or a URI"
        )
    changed = override(study, list(assignments(others)))
    return known.out, known.dry_run, known.workers, changed


def carry_out(work: rounds.Rounds, out: str, console: Console) -> int:
    """Run the study, show what came out and where it is."""

    def announce(stages: list[Stage], done: int) -> None:
        units = sum(stage.expected for stage in stages)
        parts = ", ".join(part.name for part in work.study.parts)
        console.print(
            f"{work.study.name}: {units:,} units in {parts}; {done:,} done before; "
            f"results in {out}",
            soft_wrap=True,
            highlight=False,
            markup=False,
        )

    try:
        work.carry_out(announce)
    except KeyboardInterrupt:
        done = len(work.store.done())
        print(f"interrupted: {done:,} units are stored; run the same command to continue")
        return 130
    results = Results.load(work.store.uri)
    status.show(results, console)
    print(f"results: {out}\nreport:  python -m benchmark.report {out}")
    return 0 if results.complete else 1


def sentence(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Bad input in a job file itself: one sentence and exit code 2, as on the command line."""
    if not issubclass(kind, InvalidInput):
        sys.__excepthook__(kind, error, trace)
        return
    print(f"error: {error}", file=sys.stderr)
    raise SystemExit(2)


sys.excepthook = sentence
