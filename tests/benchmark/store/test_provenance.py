"""Where a number came from: the commit of this project alone, or unknown."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import benchmark
from benchmark.store import provenance

ROOT = Path(benchmark.__file__).parents[1]


def make_repository(folder: Path, *names: str) -> str:
    """A repository that holds these files of a folder; its commit."""

    def git(*arguments: str) -> str:
        command = [
            "git",
            "-C",
            str(folder),
            "-c",
            "user.name=a",
            "-c",
            "user.email=a@b",
            *arguments,
        ]
        surroundings = {name: text for name, text in os.environ.items() if name[:4] != "GIT_"}
        return subprocess.run(
            command, check=True, capture_output=True, text=True, env=surroundings
        ).stdout.strip()

    git("init", "--quiet")
    git("add", "--force", "--", *names)
    git("commit", "--quiet", "--message", "first")
    return git("rev-parse", "HEAD")


def find_commit(source: Path, **variables: str) -> str:
    """What the copy of this project in a folder says of itself."""
    code = "from benchmark.store import provenance; print(provenance.find_commit())"
    command = [sys.executable, "-c", code]
    surroundings = os.environ | {"PYTHONPATH": str(source)} | variables
    done = subprocess.run(
        command, check=True, capture_output=True, text=True, env=surroundings, cwd=source
    )
    return done.stdout.strip()


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Another project's folder, with a copy of this one installed in it."""
    site = tmp_path / "project" / ".venv" / "site"
    site.mkdir(parents=True)
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "benchmark", site / "benchmark", ignore=ignored)
    shutil.copytree(ROOT / "search_spaces", site / "search_spaces", ignore=ignored)
    (tmp_path / "project" / "theirs.py").touch()
    return tmp_path / "project"


def test_another_projects_repository_says_nothing_of_this_one(project: Path) -> None:
    theirs = make_repository(project, "theirs.py")
    site = project / ".venv" / "site"
    assert find_commit(site) == "unknown"
    assert find_commit(site, GIT_DIR=str(project / ".git")) == "unknown"
    ours = make_repository(site, "benchmark", "search_spaces")
    assert ours != theirs
    for variables in ({}, {"GIT_DIR": str(project / ".git"), "GIT_WORK_TREE": str(project)}):
        assert find_commit(site, PYTHONDONTWRITEBYTECODE="1", **variables) == ours
    (site / "benchmark" / "job.py").write_text("changed")
    assert find_commit(site) == f"{ours}-dirty"


def test_a_package_without_metadata_is_unknown() -> None:
    assert provenance.find_version("no-such-package") == "unknown"
