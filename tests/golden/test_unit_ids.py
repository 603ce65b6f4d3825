"""Ids of units outlive new fields: the committed example's units are found by today's plan."""

import runpy
from dataclasses import replace
from pathlib import Path

from benchmark.plan.planner import plan
from benchmark.store.results import Results
from benchmark.store.store import Store
from benchmark.study.unit import Unit

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "reports" / "example" / "results"


def first_units() -> list[Unit]:
    """What the quickstart trains before it has read anything."""
    study = runpy.run_path(str(ROOT / "jobs" / "quickstart.py"))["STUDY"]
    return [unit for stage in plan(study, lambda _: None) for unit in stage.units or ()]


def test_the_example_holds_the_units_that_the_quickstart_plans_today() -> None:
    stored = {path.stem for path in (EXAMPLE / "units").iterdir()}
    planned = {unit.id for unit in first_units()}
    assert len(planned) > 20
    assert planned <= stored


def test_every_stage_of_the_example_is_planned_with_the_ids_that_are_stored() -> None:
    study = runpy.run_path(str(ROOT / "jobs" / "quickstart.py"))["STUDY"]
    store = Store.open(str(EXAMPLE))
    planned = {unit.id for stage in plan(study, store.read) for unit in stage.units or ()}
    assert planned == store.done()


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


def test_the_example_is_complete() -> None:
    assert Results.load(str(EXAMPLE)).complete
