"""A larger study over a smaller one's results: rows are those of a run from nothing, less is
trained, and what was stored stays as it is."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from support.small_study import RUNGS

from benchmark import job
from benchmark.engine import engine
from benchmark.engine.costs import PricedUnit
from benchmark.plan.planner import plan
from benchmark.store.folder.files import Files
from benchmark.store.results import Results
from benchmark.store.reuse import recall_replicas
from benchmark.store.store import Store
from benchmark.study import Depth, Study
from benchmark.study.unit import Unit
from benchmark.sweep.resources import Resources
from benchmark.sweep.rounds import Rounds
from benchmark.sweep.workers.worker import Worker

SMALL = replace(RUNGS, seeds=1, rates=(0.01, 0.1), depths=(2, 3), neighbours=True)


def study(part: Depth) -> Study:
    return Study(name="grows", question="Is what is stored used?", parts=(part,))


class Driver(Rounds):
    """Carries a study out in this process, with a driver's plan and a worker's hands."""

    trained: list[Unit]

    @classmethod
    def carry_out_here(cls, part: Depth, folder: Path) -> "Driver":
        store = Store.open(str(folder), create=True)
        driver = cls(study(part), store, 1, Resources(), engine.run, Console(quiet=True))
        driver.trained = []
        worker = Worker(store, driver.note, Resources(), "none")
        stages, todo = driver.plan_rest()
        while todo:
            for unit in todo:
                priced: PricedUnit = driver.price(unit)
                worker.attempt(priced)
            stages, todo = driver.plan_rest()
        assert worker.counts["failed"] == 0
        assert all(stage.units is not None for stage in stages)
        return driver

    def note(self, unit: Unit, *arguments: Any, **options: Any) -> list[dict[str, Any]]:
        self.trained.append(unit)
        return engine.run(unit, *arguments, **options)

    @property
    def replicas(self) -> int:
        return sum(len({each.training_key for each in unit.replicas}) for unit in self.trained)


def table_of(folder: Path) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = Results.load(str(folder)).table.to_pylist()
    return rows


@pytest.mark.parametrize(
    "changes",
    [
        {"seeds": 3},
        {"rules": ("tuned-constant", "effective-depth")},
        {"rates": (0.01, 0.03, 0.1)},
        {"depths": (2, 3, 4)},
        {"seeds": 2, "rates": (0.03, 0.1), "rules": ("default", "tuned-constant")},
    ],
    ids=lambda changes: "+".join(changes),
)
def test_what_is_new_is_trained_and_rows_equal_a_run_from_nothing(
    changes: dict[str, Any], tmp_path: Path
) -> None:
    """Every column to the last bit: these are networks of matrix products."""
    larger = replace(SMALL, **changes)
    first = Driver.carry_out_here(SMALL, tmp_path / "grown")
    before = {path.name: path.read_bytes() for path in (tmp_path / "grown" / "units").iterdir()}
    grown = Driver.carry_out_here(larger, tmp_path / "grown")
    fresh = Driver.carry_out_here(larger, tmp_path / "fresh")
    assert repr(table_of(tmp_path / "grown")) == repr(table_of(tmp_path / "fresh"))
    assert grown.replicas < fresh.replicas
    assert grown.replicas >= fresh.replicas - first.replicas
    for name, content in before.items():
        assert (tmp_path / "grown" / "units" / name).read_bytes() == content


def test_fewer_seeds_and_the_same_again_train_nothing(tmp_path: Path) -> None:
    wide = Driver.carry_out_here(replace(SMALL, seeds=2, neighbours=False), tmp_path)
    assert wide.replicas == 8
    assert Driver.carry_out_here(replace(SMALL, neighbours=False), tmp_path).replicas == 0
    assert Driver.carry_out_here(replace(SMALL, seeds=2, neighbours=False), tmp_path).replicas == 0


def test_the_time_of_reused_replicas_counts_once_and_by_their_share(tmp_path: Path) -> None:
    Driver.carry_out_here(replace(SMALL, neighbours=False), tmp_path)
    small = Results.load(str(tmp_path)).provenance
    grown = Driver.carry_out_here(replace(SMALL, seeds=2, neighbours=False), tmp_path)
    records = grown.store.load(
        unit.id for stage in plan(grown.study, grown.store.read) for unit in stage.units or ()
    ).provenance.values()
    own = sum(record["seconds"] for record in records)
    assert Results.load(str(tmp_path)).provenance.seconds == pytest.approx(own + small.seconds)


def test_a_source_that_is_damaged_is_trained_again(tmp_path: Path) -> None:
    part = replace(SMALL, neighbours=False, depths=(2, 3))
    Driver.carry_out_here(part, tmp_path)
    grown = replace(part, seeds=2)
    driver = Driver(study(grown), Store.open(str(tmp_path)), 1, Resources(), engine.run, Console())
    _, todo = driver.plan_rest()
    priced = [driver.price(unit) for unit in todo]
    for path in (tmp_path / "units").iterdir():
        path.write_bytes(path.read_bytes()[:-100])
    worker = Worker(driver.store, engine.run, Resources(), "none")
    for each in priced:
        worker.attempt(each)
    Driver.carry_out_here(grown, tmp_path / "fresh")
    assert worker.counts["failed"] == 0
    assert repr(table_of(tmp_path)) == repr(table_of(tmp_path / "fresh"))


def test_a_rehearsal_says_what_is_reused_and_which_fields_changed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    part = replace(SMALL, neighbours=False)
    Driver.carry_out_here(part, tmp_path)
    out = ["--dry-run", "--out", str(tmp_path)]
    assert job.main(study(part), [*out, "--seeds", "3", "--momentum", "0"]) == 0
    said = capsys.readouterr().out
    assert "changed since the stored results: part rungs: seeds 1 -> 3\n" in said
    assert "4 replicas are stored with units of other fields and are reused" in said
    assert "momentum" not in said
    steps = json.dumps(said)
    assert " 12 " in steps  # replicas that are planned


def test_a_field_that_lowers_another_part_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    parts: Sequence[Depth] = (SMALL, replace(SMALL, name="wide", seeds=9))
    both = Study(name="grows", question="?", parts=tuple(parts))
    for given, sentence in (
        (["--seeds", "4"], "--seeds 4 lowers seeds of wide from 9; to change one part alone, "),
        (["--rungs.seeds", "4"], ""),
        (["--seeds", "1"], ""),
    ):
        job.read_arguments(both, {}, given)
        said = capsys.readouterr().out
        assert sentence in said if sentence else not said


def test_a_unit_that_reuses_nothing_lists_no_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker asks for every unit: a listing each would cost the square of their number."""
    store = Store.open(str(tmp_path), create=True)
    (unit, *_) = plan(study(SMALL), store.read)[0].units or ()
    listed: list[str] = []

    def list_names(_: Files, folder: str) -> list[str]:
        listed.append(folder)
        return []

    monkeypatch.setattr(Files, "list_names", list_names)
    assert recall_replicas(store, unit, ()).rest == unit
    assert listed == []
    assert recall_replicas(store, unit, ("0" * 64,)).rest == unit
    assert "units" in listed
