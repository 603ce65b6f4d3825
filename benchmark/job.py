"""A study as a command: ``python jobs/NAME.py [--scale smoke] [--out URI] [--FIELD VALUE]``.

Exit codes: 0 every planned unit is done, 1 some failed or are missing, 2 what was asked cannot be
done (one sentence says why), 130, 143 or 129 where Ctrl-C, SIGTERM or SIGHUP ended it.

What plans, trains and stores is imported after the arguments are read: ``--help`` and a wrong field
are answered at once.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmark.command import Parser, entry_point
from benchmark.store.folder.errors import mask_secrets
from benchmark.study import Study
from benchmark.study.fields import (
    describe_command,
    describe_fields,
    list_lowered,
    override_fields,
    read_assignments,
)
from benchmark.study.stage import Stage
from benchmark.study.unit import Unit
from benchmark.sweep.resources import Resources, check_workers, count_cores
from search_spaces.errors import InvalidInput

if TYPE_CHECKING:
    from rich.console import Console

    from benchmark.sweep.rounds import Rounds
    from benchmark.sweep.shards import Run

AUTO = "auto"
MOST_REPEATS = 1000
IN_RAY_JOB = "RAY_JOB_CONFIG_JSON_ENV_VAR"
"""Ray sets this variable for the entry point of a submitted job (ray 2.60, job_supervisor.py)."""


@entry_point
def main(
    study: Study,
    argv: Sequence[str] | None = None,
    run: Run | None = None,
    scales: Mapping[str, Study] | None = None,
) -> int:
    """Plan, run or resume a study; returns the exit code.

    ``scales`` are the study at other sizes, each under a study name of its own, for ``--scale``.
    ``run`` trains a unit and is sent to the workers by cloudpickle (default: the engine's).
    """
    asked = read_arguments(study, scales or {}, argv)
    from rich.console import Console

    from benchmark.engine import engine
    from benchmark.store.store import Store
    from benchmark.sweep.rounds import Rounds

    console, run = Console(), run or engine.run
    store = Store.locate(asked.out)
    store.require_study(asked.study.name)
    if asked.power is not None:
        # findings, which no other run needs
        from benchmark.power.noise import NoiseOf, follow_pilot, typical_noise
        from benchmark.power.simulate import show_power
        from benchmark.store.results import Results

        noise_of: NoiseOf = typical_noise
        if asked.pilot is not None:
            noise_of = follow_pilot(Results.load(asked.pilot), asked.study.parts)
        show_power(asked.study, console, asked.power, noise_of)
        return 0
    if asked.dry_run:
        from benchmark.engine.device import list_gpus, require_gpu
        from benchmark.sweep.rehearsal import Machine, rehearse

        store.files.check_writable()
        machine = Machine(asked.resources, asked.workers, count_cores(), tuple(list_gpus()))
        require_gpu(machine.settled.gpus, "this machine, where a dry run times a unit")
        rehearse(asked.study, store, machine, run, console)
        return 0
    store = Store.open(asked.out, create=True)
    work = Rounds(asked.study, store, asked.workers, asked.resources, run, console, asked.command)
    return carry_out(work, asked.out, console)


@dataclass(frozen=True)
class Asked:
    """What a command line asks for."""

    study: Study
    out: str
    dry_run: bool
    power: int | None
    pilot: str | None
    workers: int | None
    resources: Resources
    command: str


def read_arguments(study: Study, scales: Mapping[str, Study], argv: Sequence[str] | None) -> Asked:
    """The study with its fields set, where to, and with what."""
    sizes = {"full": study, **scales}
    scale = Parser(add_help=False, allow_abbrev=False)
    scale.add_argument("--scale", choices=sizes, default="full", help="the size of the study")
    size = scale.parse_known_args(argv)[0].scale
    study = sizes[size]
    parser = Parser(
        prog=f"python jobs/{sizes['full'].name}.py",
        description=study.question,
        epilog=describe_fields(study),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        usage="%(prog)s [--scale SCALE] [--out URI] [--dry-run] "
        "[--power [REPEATS] [--pilot RESULTS]] "
        "[--workers N] [--cpus N] [--gpus X] [--ranks K] [--unit-timeout SECONDS] "
        "[--FIELD VALUE] [--PART.FIELD VALUE]",
        parents=[scale],
        allow_abbrev=False,
    )
    default = f"reports/{study.name}/results"
    parser.add_argument("--out", default=default, help=f"a path or URI (default {default})")
    parser.add_argument("--dry-run", action="store_true", help="say what would run, write nothing")
    parser.add_argument(
        "--power",
        type=int,
        nargs="?",
        const=10,
        metavar="REPEATS",
        help="say how often it would answer if a law held, by simulation; train nothing",
    )
    parser.add_argument(
        "--pilot",
        metavar="RESULTS",
        help="with --power: simulate with the noise of these stored results",
    )
    parser.add_argument(
        "--workers", type=int, help="shards at once (default: all there is room for)"
    )
    own = Resources()
    for name, kind, text in (
        ("cpus", int, "cores per shard (and rank)"),
        ("ranks", int, "processes that train a unit together, for units too large for one device"),
        ("unit-timeout", float, "seconds after which a unit is killed and has failed"),
    ):
        default = getattr(own, name.replace("-", "_"))
        parser.add_argument(
            f"--{name}", type=kind, default=default, help=f"{text} (default {default:g})"
        )
    parser.add_argument(
        "--gpus",
        type=read_gpus,
        default=AUTO,
        metavar="X",
        help="GPUs per shard (and rank): whole ones, 1/k for k shards on one, 0 for none, or auto: "
        "all that there are, and as many shards on each as are timed to be fastest (default auto)",
    )
    known, others = parser.parse_known_args(argv)
    workers = check_workers(known.workers)
    if known.power is not None and not 1 <= known.power <= MOST_REPEATS:
        raise InvalidInput(f"--power {known.power}: repeat it 1 to {MOST_REPEATS} times")
    relative = "://" not in known.out and not known.out.startswith(("/", "~"))
    if relative and IN_RAY_JOB in os.environ:
        raise InvalidInput(
            f"--out {known.out} is relative, and a Ray job runs in a copy of the folder that is "
            "deleted afterwards; give an absolute path on shared storage or a URI"
        )
    given = list(read_assignments(others))
    changed = override_fields(study, given)
    for line in list_lowered(study, changed, given):
        print(line)
    resources = Resources(
        cpus=known.cpus,
        gpus=0.0 if known.gpus == AUTO else known.gpus,
        ranks=known.ranks,
        unit_timeout=known.unit_timeout,
        auto=known.gpus == AUTO,
    )
    command = describe_command(sizes["full"].name, size, given)
    if known.pilot is not None and known.power is None:
        raise InvalidInput("--pilot needs --power: it says whose noise is simulated; add --power")
    return Asked(
        changed, known.out, known.dry_run, known.power, known.pilot, workers, resources, command
    )


def read_gpus(text: str) -> float | str:
    """The value of ``--gpus``: a number, or ``auto``."""
    if text == AUTO:
        return AUTO
    try:
        return float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is neither a number nor {AUTO}") from None


def carry_out(work: Rounds, out: str, console: Console) -> int:
    """Run the study, show what came out of its own plan, and where it is."""
    from benchmark.status import print_status
    from benchmark.store.results import Results

    shown = mask_secrets(out)

    def announce(stages: list[Stage[Unit]], done: int) -> None:
        units = sum(stage.expected for stage in stages)
        parts = ", ".join(part.name for part in work.study.parts)
        console.print(
            f"{work.study.name}: {units:,} units in {parts}; {done:,} done before; "
            f"results in {shown}",
            soft_wrap=True,
            highlight=False,
            markup=False,
        )

    try:
        work.carry_out(announce)
    except KeyboardInterrupt as error:
        done = len(work.store.done())
        error.add_note(f"{done:,} units are stored; run the same command to continue")
        raise
    results = Results.load(work.store.uri, work.planned)
    print_status(results, console)
    print(f"results: {shown}\nreport:  python -m benchmark.report {shown}")
    return 0 if results.complete else 1
