"""Ids of units outlive new fields: the committed example's units are found by today's plan."""

import runpy
from dataclasses import replace
from pathlib import Path

import pytest

from benchmark.plan.planner import plan
from benchmark.store.results import Results
from benchmark.store.store import Store
from benchmark.study import Study
from benchmark.study.unit import Unit

ROOT = Path(__file__).parents[2]
OLD = Path(__file__).parent / "quickstart-1"
STORED = {
    "the example": (ROOT / "jobs" / "quickstart.py", ROOT / "reports" / "example" / "results"),
    "the first quickstart": (OLD / "study.py", OLD / "results"),
}
"""A job file, and the results that it gave when they were stored."""


def read_study(job: Path) -> Study:
    """The study that a job file asks."""
    study: Study = runpy.run_path(str(job))["STUDY"]
    return study


def first_units(job: Path = OLD / "study.py") -> list[Unit]:
    """What a job trains before it has read anything."""
    return [unit for stage in plan(read_study(job), lambda _: None) for unit in stage.units or ()]


@pytest.fixture(params=STORED)
def stored(request: pytest.FixtureRequest) -> tuple[Path, Path]:
    """A job file and its results."""
    return STORED[request.param]


def test_the_units_that_a_job_plans_today_are_found(stored: tuple[Path, Path]) -> None:
    job, results = stored
    planned = {unit.id for unit in first_units(job)}
    assert len(planned) >= 20
    assert planned <= Store.open(str(results)).done()


def test_every_stage_is_planned_with_the_ids_that_are_stored(stored: tuple[Path, Path]) -> None:
    job, results = stored
    store = Store.open(str(results))
    stages = plan(read_study(job), store.read)
    assert {unit.id for stage in stages for unit in stage.units or ()} == store.done()


def test_a_field_that_came_later_is_in_the_id_where_it_is_set() -> None:
    unit = first_units()[0]
    ids = {
        replace(unit, recipe=replace(unit.recipe, **changes)).id
        for changes in (
            {},
            {"label_smoothing": 0.1},
            {"gradient_clip": 0.1},
            {"warmup_steps": 1},
            {"cutout": 1},
            {"steps": 7, "epochs": 1},
            {"update_every": 7},
            {"pin_forward_moments": True},
            {"keep_last_batch": True},
            {"schedule": "cosine", "rate_per_epoch": True},
            {"crop_padding": 1},
            {"crop_padding": 1, "black_padding": True},
            {"torch_default_weights": True},
        )
    }
    assert len(ids) == 13
    assert unit.id in ids


def test_the_stored_results_are_complete(stored: tuple[Path, Path]) -> None:
    _, results = stored
    assert Results.load(str(results)).complete
