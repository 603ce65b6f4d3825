"""Two ranks of Ray Train in a Tune trial give the rows of one process."""

import io
from pathlib import Path

import pytest
from rich.console import Console
from support.replicas import replica

from benchmark.datasets import catalog
from benchmark.engine import engine
from benchmark.engine.costs import price_unit
from benchmark.progress import Progress
from benchmark.store.store import Store
from benchmark.study.recipe import Recipe
from benchmark.study.unit import Unit
from benchmark.sweep.driver.cluster import Cluster
from benchmark.sweep.ray_tune import sweep
from benchmark.sweep.resources import Resources

pytestmark = [pytest.mark.ray, pytest.mark.slow]

UNIT = Unit(
    measure="training",
    space="resnet",
    space_version=1,
    space_options=(("normalization", "bn"), ("width", 4)),
    architecture="resnet-2",
    replicas=(replica(0.1, 0), replica(0.02, 1), replica(1e6, 0)),
    recipe=Recipe(momentum=0.9, batch=256, precision="float64"),
    dataset="digits",
    dataset_checksum=catalog.load("digits").checksum,
)
PRICED = price_unit(UNIT)


def test_two_ranks_in_a_trial_give_the_rows_of_one_process(tmp_path: Path) -> None:
    store = Store.open(str(tmp_path), create=True)
    resources = Resources(ranks=2)
    progress = Progress(Console(file=io.StringIO()))
    with Cluster(1, resources) as cluster, progress:
        progress.expect(1, PRICED.cost, 1)
        lost = sweep([[PRICED]], store, engine.run, cluster, progress)
        assert cluster.slots == 1
    assert lost == {}
    assert store.failures() == {}
    (together,) = store.read_units([UNIT.id])
    assert together[UNIT.id].provenance["resources"]["ranks"] == 2
    alone = engine.run(UNIT)
    rows = together[UNIT.id].rows.to_pylist()
    assert [row["status"] for row in rows] == [row["status"] for row in alone]
    assert [row["status"] for row in rows] == ["done", "done", "diverged"]
    measured = {name for name, value in alone[0].items() if is_measured(name, value)}
    for row, expected in zip(rows[:2], alone[:2], strict=True):
        for name, value in expected.items():
            assert row[name] == (pytest.approx(value, rel=1e-10) if name in measured else value)
    assert progress.total["units"] == 1
    assert progress.total["diverged"] == 1
    assert progress.share == 1.0


def is_measured(name: str, value: object) -> bool:
    """Whether a value comes of sums; a curve that this recipe does not measure is in no row."""
    ends = ("_loss", "_accuracy", "_curve", "_last_tenth")
    return name.endswith(ends) and name != "chance_loss" and value is not None
