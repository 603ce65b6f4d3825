"""Every package that setup.cfg names is pinned to the version that was tested, within its range."""

from __future__ import annotations

import re
from configparser import ConfigParser
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.version import Version

ROOT = Path(__file__).parents[2]


def list_requirements() -> list[Requirement]:
    """What the suite and its extras need, themselves not counted."""
    setup = ConfigParser(interpolation=None)
    setup.read(ROOT / "setup.cfg", encoding="utf-8")
    texts = [setup["options"]["install_requires"], *setup["options.extras_require"].values()]
    lines = [line.partition("#")[0].strip() for text in texts for line in text.splitlines()]
    return [Requirement(line) for line in lines if line and not line.startswith("%(")]


def read_pins() -> dict[str, str]:
    """Package to tested version; names as PyPI compares them."""
    text = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    pins = re.findall(r"^([\w.-]+)==(\S+)$", text, re.MULTILINE)
    return {normalize_name(name): version for name, version in pins}


def normalize_name(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


@pytest.mark.parametrize("name", ["torch", "torchvision"])
def test_pip_prefers_the_wheel_without_cuda_that_the_readme_names(name: str) -> None:
    """Of one version in two indexes: the pin takes both, and pip the later of them."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert "pip install -c constraints.txt torch torchvision --extra-index-url" in readme
    pinned = read_pins()[name]
    local = f"{pinned}+cpu"
    assert SpecifierSet(f"=={pinned}").contains(local)
    assert max(Version(pinned), Version(local)) == Version(local)


@pytest.mark.parametrize("requirement", list_requirements(), ids=str)
def test_the_tested_version_lies_in_the_range(requirement: Requirement) -> None:
    pinned = read_pins().get(normalize_name(requirement.name))
    assert pinned is not None, f"add the tested version of {requirement.name} to constraints.txt"
    assert requirement.specifier.contains(pinned, prereleases=True)
