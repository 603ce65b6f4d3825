"""What other installed packages add, found through entry points (``importlib.metadata``)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.metadata import EntryPoint, entry_points


@dataclass(frozen=True)
class PlugIn:
    """One entry point, imported; where that fails ``value`` is None and ``problem`` says why."""

    name: str
    package: str
    value: object
    problem: str = ""


@cache
def find_plug_ins(group: str) -> tuple[PlugIn, ...]:
    """The entry points of a group, by name. A package that does not import breaks nothing else."""
    found = sorted(entry_points(group=group), key=lambda point: point.name)
    return tuple(_load(point) for point in found)


def _load(point: EntryPoint) -> PlugIn:
    package = point.dist.name if point.dist is not None else point.value
    try:
        value: object = point.load()
    except Exception as failure:
        reason = " ".join(str(failure).split()).rstrip(".") or type(failure).__name__
        return PlugIn(point.name, package, None, reason)
    return PlugIn(point.name, package, value)
