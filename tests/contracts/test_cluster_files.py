"""The cluster files: what Ray's own checks accept, and what they must say."""

import configparser
import importlib
import json
import re
import runpy
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
import yaml  # type: ignore[import-untyped]
from ray.autoscaler._private.util import prepare_config, validate_config
from ray.runtime_env import RuntimeEnv
from support.commands import environment

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


def read_dockerfile() -> list[list[str]]:
    """Its instructions, word by word, without comments."""
    lines = (JOBS.parent / "Dockerfile").read_text().splitlines()
    return [line.split() for line in lines if line and not line.startswith("#")]


def test_the_dockerfile_is_carried_out_and_its_wheel_is_whole(tmp_path: Path) -> None:
    """What it copies, and nothing else, is built as pip builds it; its command runs from the wheel.

    The build writes into the working folder, which therefore is made by the image's own user.
    """
    steps = read_dockerfile()
    assert [words[0] for words in steps if words[0] not in ("COPY", "RUN")] == [
        *("ARG", "FROM", "WORKDIR", "ENV", "CMD")
    ]
    (folder,) = (words[1] for words in steps if words[0] == "WORKDIR")
    runs = [" ".join(words[1:]) for words in steps if words[0] == "RUN"]
    assert runs == [
        f"mkdir {folder}",
        "pip install --no-cache-dir --constraint constraints.txt .",
    ]
    ignored = (JOBS.parent / ".dockerignore").read_text().splitlines()
    image = tmp_path / "image"
    image.mkdir()
    for copy, owner, *names, target in (words for words in steps if words[0] == "COPY"):
        assert (copy, owner) == ("COPY", "--chown=ray:users")
        for name in names:
            assert f"!{name}" in ignored
            source, place = JOBS.parent / name, image / target
            if source.is_dir():
                shutil.copytree(source, place, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(source, place)
    build = "from setuptools import build_meta; build_meta.build_wheel('.')"
    subprocess.run([sys.executable, "-c", build], cwd=image, check=True, capture_output=True)
    (wheel,) = image.glob("*.whl")
    installed = tmp_path / "installed"
    with ZipFile(wheel) as archive:
        archive.extractall(installed)
    (data,) = installed.glob("*.data/data/share/architecture-aware-rates")
    for name in ("benchmark", "search_spaces", "jobs", "docs"):
        there = data if name in ("jobs", "docs") else installed
        files = [path.relative_to(image) for path in (image / name).rglob("*") if path.is_file()]
        assert [str(path) for path in files if not (there / path).is_file()] == []
    (command,) = (json.loads(" ".join(words[1:])) for words in steps if words[0] == "CMD")
    assert command[0] == "python"
    done = subprocess.run(
        [sys.executable, *command[1:]],
        cwd=tmp_path,
        env=environment(PYTHONPATH=str(installed)),
        capture_output=True,
        text=True,
        check=True,
    )
    assert "report" in done.stdout
    scripts = configparser.ConfigParser()
    scripts.read(next(installed.glob("*.dist-info/entry_points.txt")))
    for script in scripts["console_scripts"].values():
        module, _, function = script.partition(":")
        assert callable(getattr(importlib.import_module(module), function))


def test_the_source_distribution_holds_what_the_dockerfile_copies() -> None:
    """MANIFEST.in grafts whole folders; the rest setuptools adds by itself."""
    manifest = (JOBS.parent / "MANIFEST.in").read_text().split()
    named = {name for words in read_dockerfile() if words[0] == "COPY" for name in words[2:-1]}
    by_setuptools = {"pyproject.toml", "setup.cfg", "README.md", "LICENSE"}
    assert named - by_setuptools - {"benchmark", "search_spaces"} <= set(manifest)
