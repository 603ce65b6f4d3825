"""The files in jobs/, loaded as modules."""

import importlib.util
from functools import cache
from pathlib import Path
from types import ModuleType

FILES = {path.stem: path for path in sorted((Path(__file__).parents[2] / "jobs").glob("*.py"))}
UNTRAINED = "published_ranks"
"""Reads published accuracies: it has no study to train."""


@cache
def module(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"jobs.{name}", FILES[name])
    assert spec is not None
    assert spec.loader is not None
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded
