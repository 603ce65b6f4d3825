"""A worker: what it trains, and what it says of a store that it cannot use."""

import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support import small_study
from support.commands import environment
from support.planted_units import planted_provenance, planted_rows, planted_unit

from benchmark.engine import engine
from benchmark.engine.costs import PricedUnit
from benchmark.plan.planner import plan
from benchmark.store.compaction import compact_store
from benchmark.store.folder.errors import StoreUnreadable
from benchmark.store.store import Store
from benchmark.study.unit import Unit
from benchmark.sweep.resources import Resources
from benchmark.sweep.workers.worker import Worker, make_trainable


def test_a_node_that_does_not_see_the_results_says_so_before_it_trains(tmp_path: Path) -> None:
    """Its shards are not even fetched."""
    nowhere = tmp_path / "of another node"
    said = make_trainable((), str(nowhere), engine.run, Resources())({"shard": 0})["unwritable"]
    assert f"sees no results at {nowhere}; give --out storage that every node sees" in said
    assert not nowhere.exists()


def train_nothing(unit: Unit, *_: object, **__: object) -> list[dict[str, Any]]:
    raise AssertionError(f"{unit.architecture} is done")


@pytest.mark.parametrize("folded", [False, True])
def test_a_unit_that_is_done_is_not_trained_wherever_it_is_kept(
    tmp_path: Path, folded: bool
) -> None:
    store = Store.open(str(tmp_path), create=True)
    for depth in (2, 3):
        unit = planted_unit(f"mlp-{depth}")
        store.write(unit, planted_rows(unit, status="diverged"), planted_provenance())
    worker = Worker(Store.locate(str(tmp_path)), train_nothing, Resources(), "none")
    if folded:
        assert compact_store(store) == (2, 2)
    worker.attempt(PricedUnit(planted_unit("mlp-2"), replica_steps=3, cost=30))
    assert worker.counts == {"units": 1, "steps": 0, "cost": 30, "diverged": 3, "failed": 0}
    assert store.attempts() == {}


def test_steps_that_are_made_again_never_let_the_share_fall(tmp_path: Path) -> None:
    """A unit whose replicas did not fit into memory, and were trained again in smaller chunks."""
    store = Store.open(str(tmp_path), create=True)
    costs: list[int] = []

    def train(
        unit: Unit,
        on_progress: Callable[[int], None] | None = None,
        *,
        device: str | None = None,
        checkpoint: Path | None = None,
    ) -> list[dict[str, Any]]:
        assert on_progress is not None
        for step in range(4):
            on_progress(1)
            costs.append(worker.counts["cost"])
            assert worker.counts["steps"] % 4 == (step + 1) % 4
        return planted_rows(unit)

    worker = Worker(store, train, Resources(), "none")
    for depth in (2, 3):
        worker.attempt(PricedUnit(planted_unit(f"mlp-{depth}"), replica_steps=3, cost=30))
        costs.append(worker.counts["cost"])
    assert costs == [10, 20, 30, 30, 30, 40, 50, 60, 60, 60]


def test_a_storage_that_fails_is_not_blamed_on_the_unit(tmp_path: Path) -> None:
    store = Store.open(str(tmp_path), create=True)
    worker = Worker(store, train_nothing, Resources(), "none")
    unit = planted_unit("mlp-2")
    file = tmp_path / "units" / f"{unit.id}.arrow"
    file.symlink_to(file)  # a loop, which nobody can read
    with pytest.raises(StoreUnreadable, match="cannot read"):
        worker.attempt(PricedUnit(unit, replica_steps=3, cost=30))
    assert store.attempts() == {}


def test_a_worker_loads_no_compiler_and_no_torchvision(tmp_path: Path) -> None:
    """Which take every worker two seconds; they come with images' transforms and "meta" tensors."""
    stages = plan(small_study.STUDY, lambda _: None)
    units = tmp_path / "units"
    units.write_bytes(pickle.dumps([stage.units[0] for stage in stages if stage.units]))
    work = (
        "import pickle, sys, benchmark.sweep.workers.worker\n"
        "from benchmark.engine import engine\n"
        "measures = set()\n"
        f"for unit in pickle.load(open({str(units)!r}, 'rb')):\n"
        "    measures.add(unit.measure)\n"
        "    assert engine.run(unit)\n"
        "assert measures == {'training', 'updates'}\n"
        "print(*sys.modules)\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", work],
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    assert set(ended.stdout.split()) & {"torchvision", "torch._dynamo", "sympy", "scipy"} == set()
