"""What a shard asks for, how many fit, and bad requests."""

import re
from pathlib import Path

import pytest
from support.small_study import STUDY

from benchmark import job
from benchmark.sweep.resources import Resources
from search_spaces.errors import InvalidInput

CLUSTER = {"CPU": 16.0, "GPU": 4.0, "memory": 1e9}


@pytest.mark.parametrize(
    ("asked", "slots"),
    [
        ({}, 16),
        ({"cpus": 3}, 5),
        ({"gpus": 1}, 4),
        ({"gpus": 2}, 2),
        ({"gpus": 0.25}, 16),
        ({"gpus": 0.2}, 16),  # twenty on the GPUs, and sixteen cores
        ({"gpus": 0.5, "cpus": 4}, 4),
        ({"gpus": 1, "ranks": 2}, 2),
        ({"ranks": 4, "cpus": 2}, 2),
    ],
)
def test_as_many_shards_run_at_once_as_the_cluster_has_room_for(
    asked: dict[str, float], slots: int
) -> None:
    assert Resources(**asked).count_slots([CLUSTER]) == slots  # type: ignore[arg-type]


def test_a_cluster_without_room_is_a_sentence_and_not_a_wait() -> None:
    with pytest.raises(InvalidInput, match=r"needs 1 CPU, 1 GPU and the cluster has 16 CPU, 0 GPU"):
        Resources(gpus=1).count_slots([{"CPU": 16.0}])
    with pytest.raises(InvalidInput, match="needs 32 CPU and the cluster has 16 CPU; lower --cpus"):
        Resources(cpus=8, ranks=4).count_slots([CLUSTER])


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ("--cpus 0", "--cpus 0: give 1 to 10,000"),
        ("--gpus 0.4", "--gpus 0.4: give 0 to 64 whole GPUs, or 1/k of one"),
        ("--gpus 1.5", "--gpus 1.5: give 0 to 64 whole GPUs"),
        ("--gpus -1", "--gpus -1: give 0 to 64 whole GPUs"),
        ("--ranks 0", "--ranks 0: give 1 to 10,000"),
        ("--ranks 2 --gpus 0.5", "a rank needs a whole GPU or none"),
        ("--unit-timeout 0", "--unit-timeout 0: give seconds above 0"),
        ("--gpus all", "argument --gpus: 'all' is neither a number nor auto"),
        ("--gpus nan", "--gpus nan: give 0 to 64 whole GPUs"),
        ("--gpus inf", "--gpus inf: give 0 to 64 whole GPUs"),
        ("--gpus 1e-9", "--gpus 1e-09: give 0 to 64 whole GPUs"),
        ("--cpus 99999999999999999999", "--cpus 99999999999999999999: give 1 to 10,000"),
        ("--unit-timeout nan", "--unit-timeout nan: give seconds above 0"),
        ("--unit-timeout inf", "--unit-timeout inf: give seconds above 0, at most 1e+07"),
        ("--unit-timeout soon", "argument --unit-timeout: invalid float value: 'soon'"),
    ],
)
def test_bad_requests_are_one_sentence(
    arguments: str, sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert job.main(STUDY, arguments.split()) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert error.count("\n") == 1
    assert sentence in error


GPU_NODE, CORES_ALONE = {"CPU": 8.0, "GPU": 2.0}, {"CPU": 64.0}


@pytest.mark.parametrize(
    ("asked", "nodes", "gpus", "slots"),
    [
        ({}, [CORES_ALONE], 0.0, 64),
        ({}, [GPU_NODE], 1.0, 2),
        ({}, [GPU_NODE, GPU_NODE, CORES_ALONE], 1.0, 4),
        ({"ranks": 2}, [GPU_NODE, GPU_NODE], 1.0, 2),
        ({"ranks": 4}, [GPU_NODE, GPU_NODE], 1.0, 1),
        ({"ranks": 8}, [GPU_NODE, CORES_ALONE], 0.0, 9),  # fewer GPUs than ranks
        ({"cpus": 16}, [GPU_NODE, CORES_ALONE], 0.0, 4),  # no node has both
        ({"cpus": 8}, [GPU_NODE, CORES_ALONE], 1.0, 1),
    ],
)
def test_auto_is_a_gpu_for_each_shard_where_there_are_some(
    asked: dict[str, int], nodes: list[dict[str, float]], gpus: float, slots: int
) -> None:
    settled = Resources(**asked, auto=True).settle(nodes)
    assert (settled.gpus, settled.auto) == (gpus, False)
    assert settled.count_slots(nodes) == slots
    assert "auto" not in settled.record()


def test_what_was_given_stays_whatever_there_is() -> None:
    for gpus in (0.0, 0.5, 2.0):
        assert Resources(gpus=gpus).settle([GPU_NODE], 4) == Resources(gpus=gpus)


def test_parts_of_several_gpus_and_of_several_nodes_do_not_add_up() -> None:
    """Ray places 0.3 of a GPU three times on each, and not a fourth time on what is left of two."""
    assert Resources(gpus=0.5).count_slots([{"CPU": 9.0, "GPU": 1.0}] * 3) == 6
    assert Resources(gpus=1 / 3).count_slots([{"CPU": 99.0, "GPU": 2.0}]) == 6
    assert Resources(gpus=2).count_slots([{"CPU": 9.0, "GPU": 3.0}] * 2) == 2
    assert Resources(cpus=5).count_slots([{"CPU": 8.0}] * 2) == 2


def test_the_table_of_options_says_the_defaults_of_the_command() -> None:
    page = (Path(__file__).parents[3] / "jobs" / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `--([a-z-]+) \w+` \| .* \| ([^|]+) \|$", page, re.M)
    asked = job.read_arguments(STUDY, {}, [])
    defaults = {
        "cpus": str(asked.resources.cpus),
        "gpus": "`auto`: a GPU" if asked.resources.auto else f"{asked.resources.gpus:g}",
        "ranks": str(asked.resources.ranks),
        "unit-timeout": "a day" if asked.resources.unit_timeout == 86_400 else "",
        "workers": "all there is room for" if asked.workers is None else "",
    }
    assert dict(rows).keys() == defaults.keys()
    for name, said in rows:
        assert said.startswith(defaults[name]), name


@pytest.mark.parametrize("share", [0.5, 0.33, 1 / 3, 0.25, 0.1, 1, 8])
def test_shares_of_a_gpu_are_whole_parts(share: float) -> None:
    assert Resources(gpus=share).demand["GPU"] == share
