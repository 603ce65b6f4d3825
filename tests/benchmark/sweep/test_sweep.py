"""A real sweep on a Ray of its own, with units that go wrong in every way a unit can.

One run serves all these tests: starting Ray takes seconds.
"""

import contextlib
import io
import os
import re
import resource
import signal
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from support import small_study
from support.leftovers import left_running
from support.tally import TALLY

from benchmark import job
from benchmark.engine import engine
from benchmark.plan.planner import plan
from benchmark.store.formats import schema
from benchmark.store.results import Results
from benchmark.store.store import Store
from benchmark.study import Study
from benchmark.study.unit import Unit
from benchmark.sweep.rounds import ATTEMPTS

pytestmark = [pytest.mark.ray, pytest.mark.slow]

RUNGS = replace(small_study.RUNGS, depths=(2, 3, 4, 5, 6, 7))
STUDY = Study(name="troubled", question="What goes wrong?", parts=(RUNGS,))
RAISES, DIES_ONCE, FULL_ONCE, HANGS_ONCE = "mlp-3", "mlp-4", "mlp-5", "mlp-7"
LIMIT = 15
"""Seconds per unit: more than any needs, however busy the machine."""


def trouble(notes: Path) -> Callable[..., list[dict[str, Any]]]:
    """The engine, but for four rungs; every attempt leaves a note of its worker."""

    def fill_the_memory() -> None:
        """Ask for a terabyte where the system allows a gigabyte more than there is."""
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        before = resource.getrlimit(resource.RLIMIT_AS)
        resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + 2**30, before[1]))
        try:
            np.ones(2**37)
        finally:
            resource.setrlimit(resource.RLIMIT_AS, before)

    def run(
        unit: Unit,
        on_progress: Callable[[int], None] | None = None,
        *,
        device: str | None = None,
        checkpoint: Path | None = None,
    ) -> list[dict[str, Any]]:
        before = len(list(notes.glob(f"{unit.architecture}.*")))
        state = f"{torch.get_num_threads()} {torch.tensor(1e-39).mul(1.0).item()}"
        name = f"{unit.architecture}.{before}.{os.getpid()}"
        (notes / name).write_text(f"{state} {os.environ['OMP_NUM_THREADS']}")
        if unit.architecture == RAISES:
            raise ArithmeticError("this rung never works")
        if unit.architecture == DIES_ONCE and not before:
            os.kill(os.getpid(), signal.SIGKILL)
        if unit.architecture == FULL_ONCE and not before:
            fill_the_memory()
        if unit.architecture == HANGS_ONCE and not before:
            re.match("(a+)+$", "a" * 99 + "b")  # for ever, and no other thread comes to run
        return engine.run(unit, on_progress, device=device, checkpoint=checkpoint)

    return run


@dataclass(frozen=True)
class Outcome:
    """What a run left; a note is rung, attempt, worker, threads, a denormal, OMP's threads."""

    code: int
    results: Results
    store: Store
    notes: list[list[str]]
    said: str
    folder: Path


FAULTS = {
    "unit that raises": ATTEMPTS,
    "kill -9 of a Tune worker": 1,
    "unit out of memory": 1,
    "unit that hangs": 1,
}


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outcome]:
    out, notes = tmp_path_factory.mktemp("out"), tmp_path_factory.mktemp("notes")
    said = io.StringIO()
    with tempfile.TemporaryDirectory(dir="/tmp", prefix="t") as folder:
        with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(said):
            patch.setattr(tempfile, "tempdir", folder)
            # torch makes a folder of its own there once torch._dynamo is imported
            patch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path_factory.mktemp("torch")))
            code = job.main(
                STUDY, ["--out", str(out), "--unit-timeout", str(LIMIT)], run=trouble(notes)
            )
        for kind, count in FAULTS.items():
            TALLY.fault(kind, count)
        found = [[*file.name.split("."), *file.read_text().split()] for file in notes.iterdir()]
        results, store = Results.load(str(out)), Store.open(str(out))
        yield Outcome(code, results, store, found, said.getvalue(), Path(folder))


def test_a_unit_that_never_works_is_tried_three_times_and_shown(outcome: Outcome) -> None:
    (failure,) = outcome.results.failures.values()
    assert (failure.attempt, failure.error) == (ATTEMPTS, "ArithmeticError: this rung never works")
    assert 'raise ArithmeticError("this rung never works")' in failure.traceback
    assert outcome.code == 1
    assert "attempt 3: ArithmeticError: this rung never works" in outcome.said


def test_every_other_unit_is_done_with_the_rows_the_engine_gives(outcome: Outcome) -> None:
    (count,) = outcome.results.counts
    assert (count.planned, count.done, count.failed, count.missing) == (6, 5, 1, 0)
    (stage,) = plan(STUDY, outcome.store.read)
    units = [unit for unit in stage.units or () if unit.architecture != RAISES]
    direct = [row for unit in units for row in engine.run(unit)]
    rows = outcome.results.table.drop_columns(["part", "kind", "stage"]).to_pylist()
    TALLY.same(rows, schema.make_table(direct).to_pylist())
    assert "diverged" in {row["status"] for row in rows}


def test_only_what_went_wrong_was_tried_again(outcome: Outcome) -> None:
    tries = Counter(note[0] for note in outcome.notes)
    once = dict.fromkeys(("mlp-2", "mlp-6"), 1)
    assert tries == once | {RAISES: ATTEMPTS, DIES_ONCE: 2, FULL_ONCE: 2, HANGS_ONCE: 2}


def log(outcome: Outcome, architecture: str) -> dict[str, Any]:
    """The first failed attempt, which must be the only one."""
    (stage,) = plan(STUDY, outcome.store.read)
    unit = next(unit for unit in stage.units or () if unit.architecture == architecture)
    assert outcome.store.attempts()[unit.id] == [1]
    failure = outcome.store.logs.read(outcome.store.logs.list_logs()[unit.id][0][1])
    assert failure is not None
    return asdict(failure)


def test_a_worker_that_was_killed_leaves_its_reason(outcome: Outcome) -> None:
    dead = log(outcome, DIES_ONCE)
    assert dead["error"].startswith("the worker was lost: ")
    assert "died" in dead["traceback"]
    assert dead["killed"]


def test_running_out_of_memory_is_a_failed_attempt_and_the_worker_lives(outcome: Outcome) -> None:
    full = log(outcome, FULL_ONCE)
    assert "Unable to allocate 1.00 TiB" in full["error"]
    assert "np.ones(2**37)" in full["traceback"]
    assert not full["killed"]


def test_a_hanging_unit_is_killed_at_its_limit_and_says_where_it_hung(outcome: Outcome) -> None:
    hung = log(outcome, HANGS_ONCE)
    assert hung["error"] == (
        f"TimeoutError: past the limit of {LIMIT} s; killed (--unit-timeout sets it)"
    )
    assert "re/__init__.py" in hung["traceback"]
    assert "in run" in hung["traceback"]
    assert hung["killed"]


def test_every_unit_says_what_it_could_use(outcome: Outcome) -> None:
    records = outcome.store.load(outcome.store.done()).provenance.values()
    expected = {"cpus": 1, "gpus": 0.0, "ranks": 1, "unit_timeout": float(LIMIT)}
    assert [record["resources"] for record in records] == [expected] * 5


def test_workers_run_one_thread_flush_denormals_and_are_used_again(outcome: Outcome) -> None:
    assert {tuple(note[3:]) for note in outcome.notes} == {("1", "0.0", "1")}
    assert len({note[2] for note in outcome.notes}) < len(outcome.notes)


def test_nothing_of_ray_is_left(outcome: Outcome) -> None:
    assert left_running(outcome.folder) == []
    assert list(outcome.folder.iterdir()) == []


def test_ctrl_c_is_answered_as_before(outcome: Outcome) -> None:
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert outcome.results.uri
