"""The cluster files: what Ray's own checks accept, and what they must say."""

import configparser
import importlib
import re
import runpy
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]
from ray.autoscaler._private.util import prepare_config, validate_config
from ray.runtime_env import RuntimeEnv

from benchmark import job

JOBS = Path(__file__).parents[2] / "jobs"


def read(name: str) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load((JOBS / name).read_text())
    return content


@pytest.mark.parametrize("name", ["cluster.yaml", "cluster-aws.yaml"])
def test_a_cluster_file_passes_rays_validation(name: str) -> None:
    config = prepare_config(read(name))
    validate_config(config)
    starts = " ".join(config["head_start_ray_commands"])
    assert "--dashboard-host=127.0.0.1" in starts
    assert "--disable-usage-stats" in starts
    assert any("RAY_ADDRESS=auto" in command for command in config["setup_commands"])


def test_the_runtime_environment_is_one() -> None:
    environment = read("runtime_env.yaml")
    assert RuntimeEnv(**environment).to_dict()["env_vars"]["OMP_NUM_THREADS"] == "1"
    with pytest.raises(TypeError):
        RuntimeEnv(**environment | {"env_vars": {"OMP_NUM_THREADS": 1}})  # what the quotes are for


def test_the_kubernetes_job_runs_a_job_file_on_what_its_workers_have() -> None:
    spec = read("rayjob.yaml")["spec"]
    RuntimeEnv(**yaml.safe_load(spec["runtimeEnvYAML"]))
    program, file, *arguments = shlex.split(spec["entrypoint"])
    assert (program, file) == ("python", "jobs/horizon.py")
    study = runpy.run_path(str(JOBS / "horizon.py"))["STUDY"]
    asked = job.read_arguments(study, {}, arguments)
    assert "://" in asked.out
    (workers,) = spec["rayClusterSpec"]["workerGroupSpecs"]
    (container,) = workers["template"]["spec"]["containers"]
    limits = container["resources"]["limits"]
    available = {"CPU": float(limits["cpu"]), "GPU": float(limits["nvidia.com/gpu"])}
    assert asked.resources.settle([available]).count_slots([available]) == 1
    assert asked.workers == workers["replicas"]


def test_the_image_of_the_kubernetes_job_is_what_the_dockerfile_builds() -> None:
    """Its tag, Ray's version as it was tested, and files that are there to be copied."""
    dockerfile = (JOBS.parent / "Dockerfile").read_text()
    cluster = read("rayjob.yaml")["spec"]["rayClusterSpec"]
    (container,) = cluster["headGroupSpec"]["template"]["spec"]["containers"]
    assert f"docker build --tag {container['image']} ." in dockerfile
    tested = re.search(r"^ray==(.+)$", (JOBS.parent / "constraints.txt").read_text(), re.MULTILINE)
    assert tested
    assert tested[1] == cluster["rayVersion"]
    assert f"rayproject/ray:{tested[1]}-py311-gpu" in dockerfile
    copied = [line.split()[2:-1] for line in dockerfile.splitlines() if line.startswith("COPY")]
    assert len(copied) > 3
    assert all((JOBS.parent / name).exists() for names in copied for name in names)


def test_a_wheel_holds_the_jobs_and_the_docs_and_its_commands_are_there() -> None:
    settings = configparser.ConfigParser()
    settings.read(JOBS.parent / "setup.cfg")
    held = {
        path.relative_to(JOBS.parent).as_posix()
        for patterns in settings["options.data_files"].values()
        for pattern in patterns.split()
        for path in JOBS.parent.glob(pattern)
    }
    files = [path for name in ("jobs", "docs") for path in (JOBS.parent / name).iterdir()]
    assert held == {path.relative_to(JOBS.parent).as_posix() for path in files if path.is_file()}
    commands = settings["options.entry_points"]["console_scripts"].strip().splitlines()
    assert len(commands) == 2
    for command in commands:
        module, _, function = command.partition("=")[2].strip().partition(":")
        assert callable(getattr(importlib.import_module(module), function))
