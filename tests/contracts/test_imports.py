"""The directions of import: what a room knows of, once all its modules are loaded."""

import subprocess
import sys

import pytest

LOAD = """
import importlib, pkgutil, sys
name, *unknown = sys.argv[1:]
module = importlib.import_module(name)
for found in pkgutil.walk_packages(getattr(module, "__path__", ()), f"{name}."):
    if not found.name.endswith("__main__"):
        importlib.import_module(found.name)
print(*sorted(set(unknown) & set(sys.modules)))
"""


@pytest.mark.parametrize(
    ("room", "unknown"),
    [
        ("search_spaces", ("benchmark", "ray", "matplotlib")),
        ("benchmark.analysis", ("ray", "torch", "matplotlib", "benchmark.findings")),
        ("benchmark.engine", ("ray", "matplotlib", "benchmark.analysis", "benchmark.findings")),
        ("benchmark.findings", ("ray", "matplotlib", "jinja2", "benchmark.report")),
        ("benchmark.report", ("ray",)),
    ],
)
def test_a_room_does_not_know_of(room: str, unknown: tuple[str, ...]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", LOAD, room, *unknown], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == []
