"""What other installed packages add, found through entry points (``importlib.metadata``)."""

from __future__ import annotations

from collections.abc import Callable, Container
from dataclasses import dataclass
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any


@dataclass(frozen=True)
class PlugIn:
    """One entry point, imported; where that fails ``value`` is None and ``problem`` says why."""

    name: str
    package: str
    value: object
    problem: str = ""


def sort_plug_ins(
    group: str, kind: str, own: Container[str], explain: Callable[[PlugIn], str]
) -> tuple[dict[str, Any], dict[str, str]]:
    """What the entry points of a group add, by name, and what is wrong with those that cannot be
    had.

    A name of this suite (``own``) stays the suite's. ``explain`` says what an imported value of
    this ``kind`` is instead of what it should be; "" where it is right.
    """
    found: dict[str, Any] = {}
    problems: dict[str, str] = {}
    for each in find_plug_ins(group):
        told = f"{kind} {each.name!r} of package {each.package}"
        if each.name in own:
            continue
        if each.problem:
            problems[each.name] = f"{told} cannot be imported: {each.problem}; mend or uninstall it"
        elif wrong := explain(each):
            problems[each.name] = f"{told} is {wrong}; mend it"
        elif each.name in found:
            del found[each.name]
            problems[each.name] = (
                f"{told}: another package has a {kind} of that name; uninstall one"
            )
        else:
            found[each.name] = each.value
    return found, problems


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
