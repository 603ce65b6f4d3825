"""A real sweep on a Ray of its own, with units that go wrong in every way a unit can.

One run serves all these tests: starting Ray takes seconds.
"""

import contextlib
import io
import os
import signal
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import small_study
import torch
from leftovers import left_running

from benchmark import engine, job, schema
from benchmark.plan import plan
from benchmark.results import Results
from benchmark.rounds import ATTEMPTS
from benchmark.store import Store
from benchmark.study import Study
from benchmark.unit import Unit

pytestmark = [pytest.mark.ray, pytest.mark.slow]

RUNGS = replace(small_study.RUNGS, depths=(2, 3, 4, 5, 6))
STUDY = Study(name="troubled", question="What goes wrong?", parts=(RUNGS,))
RAISES, DIES_ONCE, RAISES_ONCE = "mlp-3", "mlp-4", "mlp-5"


def trouble(notes: Path) -> Callable[..., list[dict[str, Any]]]:
    """The engine, but for three rungs; every attempt leaves a note of its worker."""

    def run(unit: Unit, on_progress: Callable[[int], None] | None) -> list[dict[str, Any]]:
        before = len(list(notes.glob(f"{unit.architecture}.*")))
        state = f"{torch.get_num_threads()} {torch.tensor(1e-39).mul(1.0).item()}"
        name = f"{unit.architecture}.{before}.{os.getpid()}"
        (notes / name).write_text(f"{state} {os.environ['OMP_NUM_THREADS']}")
        if unit.architecture == RAISES:
            raise ArithmeticError("this rung never works")
        if unit.architecture == DIES_ONCE and not before:
            os.kill(os.getpid(), signal.SIGKILL)
        if unit.architecture == RAISES_ONCE and not before:
            raise MemoryError("this rung works the second time")
        return engine.run(unit, on_progress)

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


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outcome]:
    out, notes = tmp_path_factory.mktemp("out"), tmp_path_factory.mktemp("notes")
    said = io.StringIO()
    with (
        tempfile.TemporaryDirectory(dir="/tmp", prefix="t") as folder,
        pytest.MonkeyPatch.context() as patch,
        contextlib.redirect_stdout(said),
    ):
        patch.setattr(tempfile, "tempdir", folder)
        code = job.main(STUDY, ["--out", str(out)], run=trouble(notes))
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
    assert (count.planned, count.done, count.failed, count.missing) == (5, 4, 1, 0)
    (stage,) = plan(STUDY, outcome.store.read)
    units = [unit for unit in stage.units or () if unit.architecture != RAISES]
    direct = [row for unit in units for row in engine.run(unit)]
    rows = outcome.results.table.drop_columns(["part", "kind", "stage"]).to_pylist()
    assert repr(rows) == repr(schema.table(direct).to_pylist())


def test_only_what_went_wrong_was_tried_again(outcome: Outcome) -> None:
    tries = Counter(note[0] for note in outcome.notes)
    assert tries == {"mlp-2": 1, RAISES: ATTEMPTS, DIES_ONCE: 2, RAISES_ONCE: 2, "mlp-6": 1}


def test_a_worker_that_was_killed_leaves_its_reason(outcome: Outcome) -> None:
    (stage,) = plan(STUDY, outcome.store.read)
    dead = next(unit for unit in stage.units or () if unit.architecture == DIES_ONCE)
    log = outcome.store.read_json("failures", f"{dead.id}.1.json")
    assert log["error"].startswith("the worker was lost: ")
    assert "died" in log["traceback"]


def test_workers_run_one_thread_flush_denormals_and_are_used_again(outcome: Outcome) -> None:
    assert {tuple(note[3:]) for note in outcome.notes} == {("1", "0.0", "1")}
    assert len({note[2] for note in outcome.notes}) < len(outcome.notes)


def test_nothing_of_ray_is_left(outcome: Outcome) -> None:
    assert left_running(outcome.folder) == []
    assert list(outcome.folder.iterdir()) == []


def test_ctrl_c_is_answered_as_before(outcome: Outcome) -> None:
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert outcome.results.uri
