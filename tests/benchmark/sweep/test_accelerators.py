"""``--gpus auto``: what it uses, how many shards share a GPU, and a GPU that is not there."""

import functools
import io
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import ray
import torch
from ray import cloudpickle
from rich.console import Console
from support.commands import environment
from support.planted_units import planted_rows, planted_unit
from support.sleeping_device import STEP, STEPS, full, sleeper
from support.small_study import RUNGS

from benchmark.engine import engine
from benchmark.engine.costs import PricedUnit, price_unit
from benchmark.plan.planner import plan
from benchmark.progress import Progress
from benchmark.store.store import Store
from benchmark.study import Study
from benchmark.study.unit import Unit
from benchmark.sweep.accelerators import (
    GAIN,
    SharingTrial,
    describe_choice,
    list_sharers,
    time_sharing,
)
from benchmark.sweep.driver import cluster as clusters
from benchmark.sweep.ray_tune import sweep, time_sharing_on_worker
from benchmark.sweep.rehearsal import Machine, rehearse
from benchmark.sweep.resources import Resources
from benchmark.sweep.shards import Run
from benchmark.sweep.workers import worker
from search_spaces.errors import InvalidInput

UNITS = [PricedUnit(planted_unit(f"mlp-{depth}", replicas=1), STEPS, STEPS) for depth in (2, 3, 4)]
SENTENCE = (
    "search_spaces.errors.InvalidInput: a shard is to train on 1 GPU, and PyTorch sees none on "
    "this unit's node; install a build of PyTorch for its driver, or give --gpus 0 to train on "
    "cores"
)


def test_a_unit_that_fails_gives_no_time_and_one_shard() -> None:
    trial = time_sharing(UNITS, full, "cpu", [1, 2, 4])
    assert (trial.rates, trial.sharers, trial.seconds_per_cost) == ({}, 1, 0.0)


def test_a_timing_process_ends_with_whoever_started_it() -> None:
    """It waits for the others and hears that nobody is there."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmark.sweep.timing_process"],
        input=cloudpickle.dumps((UNITS, sleeper(), "cpu")),  # type: ignore[no-untyped-call]
        capture_output=True,
        env=environment(),
    )
    assert (done.returncode, done.stdout) == (1, b"ready\n")


@pytest.mark.parametrize(
    ("rates", "sharers"),
    [
        ({}, 1),
        ({1: 10.0}, 1),
        ({1: 10.0, 2: 10.9}, 1),
        ({1: 10.0, 2: 13.0}, 2),
        ({1: 10.0, 2: 13.0, 4: 14.0}, 2),
        ({1: 10.0, 2: 13.0, 4: 20.0}, 4),
        ({1: 10.0, 2: 9.0, 4: 20.0}, 1),  # no further than the first that gains nothing
        ({2: 13.0}, 2),
    ],
)
def test_more_shards_share_a_gpu_where_they_train_more(
    rates: dict[int, float], sharers: int
) -> None:
    trial = SharingTrial(rates)
    assert trial.sharers == sharers
    assert GAIN > 1
    assert trial.seconds_per_cost == (sharers / rates[sharers] if rates else 0.0)


def test_sharers_are_tried_for_which_there_are_cores() -> None:
    def tried(cores: float, there: float, **asked: Any) -> list[int]:
        return list_sharers(Resources(**asked), [{"CPU": cores, "GPU": there}])

    assert tried(16, 4, auto=True) == [1, 2, 4]
    assert tried(8, 4, auto=True) == [1, 2]
    assert tried(4, 4, auto=True) == [1]
    assert tried(16, 4, auto=True, cpus=4) == [1]
    assert tried(16, 4, auto=True, ranks=2) == [1]
    assert tried(16, 4, gpus=0.25) == [4]
    assert tried(16, 4, gpus=1) == [1]


def test_the_choice_is_a_line() -> None:
    gpus = {"CPU": 16.0, "GPU": 2.0, "accelerator_type:H100": 1.0}
    nodes: list[dict[str, float]] = [gpus, gpus, {"CPU": 64.0}, {"memory": 1.0}]
    auto = Resources(auto=True)
    trial = SharingTrial({1: 10.0, 2: 14.0, 4: 14.5}, cuda_mps=True)
    assert describe_choice(auto.settle(nodes, trial.sharers), nodes, trial) == (
        "--gpus auto: 4 GPUs (H100), 2 shards on each (1: 100%, 2: 140%, 4: 145% of what one "
        "trains there); CUDA MPS runs; 1 node without GPUs stay idle"
    )
    assert describe_choice(auto.settle(nodes), nodes) == (
        "--gpus auto: 4 GPUs (H100), 1 shard on each; 1 node without GPUs stay idle"
    )
    assert describe_choice(auto.settle([{"CPU": 4.0}]), [{"CPU": 4.0}]) == (
        "--gpus auto: no GPU, so shards train on cores"
    )


STUDY = Study(name="small", question="?", parts=(RUNGS,))


def rehearsed(tmp_path: Path, asked: Resources, run: Run, gpus: int) -> str:
    """The last line of a dry run on a machine of 8 cores and these GPUs."""
    store, said = Store.open(str(tmp_path), create=True), io.StringIO()
    machine = Machine(asked, None, 8, ("NVIDIA X",) * gpus)
    rehearse(STUDY, store, machine, run, Console(file=said, width=200))
    return said.getvalue().splitlines()[-1]


NUMBERS = r"([\d.e-]+)"


def test_a_dry_run_names_gpus_shards_hours_and_gpu_hours(tmp_path: Path) -> None:
    """For a few units a trial of several shards would not pay: one is timed alone."""
    said = rehearsed(tmp_path, Resources(auto=True), sleeper(), gpus=2)
    found = re.fullmatch(
        rf"3 units to run, about [\d:]+ \({NUMBERS} hours\) on 2 GPUs \(NVIDIA X\), "
        rf"1 shard on each: {NUMBERS} GPU-hours \(one unit was timed for a second; .*",
        said,
    )
    assert found, said
    hours, gpu_hours = map(float, found.groups())
    assert gpu_hours == pytest.approx(2 * hours, rel=0.1)
    assert hours == pytest.approx(seconds_of_all() / 2 / 3600, rel=0.3)


def test_a_dry_run_times_as_many_shards_as_share_a_gpu(tmp_path: Path) -> None:
    """They begin together, and where one waits for the other's steps they are as quick as one."""
    queued = sleeper(tmp_path / "queue")
    said = rehearsed(tmp_path / "results", Resources(gpus=0.5), queued, gpus=1)
    assert "on 1 GPU (NVIDIA X), 2 shards on each: " in said
    found = re.search(rf"{NUMBERS} GPU-hours", said)
    assert found
    assert float(found[1]) == pytest.approx(seconds_of_all() / 3600, rel=0.3)


def test_a_dry_run_on_cores_speaks_of_no_gpu(tmp_path: Path) -> None:
    said = rehearsed(tmp_path, Resources(auto=True), sleeper(), gpus=0)
    assert "on 8 cores" in said
    assert "GPU" not in said


def seconds_of_all() -> float:
    return STEP * sum(price_unit(unit).replica_steps for unit in planned())


def planned() -> list[Unit]:
    (stage,) = plan(STUDY, lambda _: None)
    return [*(stage.units or ())]


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_ray_of_our_own_is_not_used_where_this_machines_gpus_cannot_be(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    here = [{"Alive": True, "Resources": {"CPU": 2.0, "GPU": 1.0}}]
    monkeypatch.setattr(clusters.Cluster, "connect", lambda *_: None)
    monkeypatch.setattr(ray, "nodes", lambda: here)
    with (
        pytest.raises(InvalidInput, match=r"PyTorch sees none on this machine; .* --gpus 0"),
        clusters.Cluster(None, Resources(auto=True)),
    ):
        pass


@pytest.fixture(scope="module")
def cluster() -> Iterator[clusters.Cluster]:
    """A real Ray that says it has two GPUs, driven from where PyTorch sees some."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ray, "init", functools.partial(ray.init, num_gpus=2))
        patch.setattr(clusters, "require_gpu", lambda *_: None)
        with clusters.Cluster(4, Resources(auto=True)) as found:
            yield found


@pytest.mark.ray
@pytest.mark.slow
def test_a_cluster_with_gpus_uses_them_all(cluster: clusters.Cluster) -> None:
    assert cluster.resources == Resources(gpus=1.0)
    assert cluster.slots == 2  # of the four that were asked for
    assert "--gpus auto: 2 GPUs" in describe_choice(cluster.resources, cluster.nodes)


@pytest.mark.ray
@pytest.mark.slow
@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_gpu_that_is_not_there_is_a_failed_attempt_and_no_numbers(
    cluster: clusters.Cluster, tmp_path: Path
) -> None:
    store = Store.open(str(tmp_path), create=True)
    shards = [[price_unit(unit)] for unit in planned()]
    with Progress(Console(file=io.StringIO())) as progress:
        assert sweep(shards, store, engine.run, cluster, progress) == {}
    assert [failure.error for failure in store.failures().values()] == [SENTENCE] * len(shards)
    assert store.done() == set()


@pytest.mark.ray
@pytest.mark.slow
def test_sharing_is_timed_on_a_gpu_of_the_cluster(cluster: clusters.Cluster) -> None:
    """Last: the cluster's shards have half a GPU from here on."""
    trial = time_sharing_on_worker(UNITS, sleeper(), cluster, [1, 2])
    assert trial.sharers == 2
    cluster.settle(trial.sharers)
    assert cluster.resources == Resources(gpus=0.5)
    assert cluster.slots == 4


def test_a_unit_says_how_many_shards_shared_its_gpu(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "require_gpu", lambda *_: None)
    store, priced = Store.open(str(tmp_path), create=True), UNITS[0]
    work = worker.Worker(store, lambda unit, *_, **__: planted_rows(unit), Resources(gpus=0.5), "x")
    work.attempt(priced)
    ((found,),) = ([*units.values()] for units in store.read_units([priced.unit.id]))
    assert found.provenance["resources"]["gpus"] == 0.5
    assert found.provenance["resources"]["sharers"] == 2
    assert found.provenance["cuda_mps"] is False
