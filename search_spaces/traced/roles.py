"""Which part of the network a layer belongs to, and why: stem, body, reduction or head."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import accumulate

from search_spaces.graph import Role
from search_spaces.traced.propagation.signals import Arrow, Merge

_STEM = re.compile(r"stem", re.IGNORECASE)
_REDUCTION = re.compile(r"downsample|reduction|transition|merging", re.IGNORECASE)

Reasoned = tuple[Role, str]


def roles_of(
    arrows: Sequence[Arrow], merges: dict[int, Merge], output: int, paths: Sequence[str]
) -> list[Reasoned]:
    """(role, reason) per arrow; ``paths`` are the module paths of the arrows' layers.

    The head makes the output. The stem reads the input, on every path; in a network without merges
    it is a body layer, as papers count chains (arXiv 2402.17440, 2510.04327). A reduction stands
    in a part named so, or shrinks the image on every path, or is the projection shortcut of an
    addition. All else is the body.
    """
    merging = any(merges.values())
    everywhere = _on_every_path(arrows, output)
    projections = projection_shortcuts(arrows, merges)
    found: list[Reasoned] = []
    for number, (arrow, path) in enumerate(zip(arrows, paths, strict=True)):
        classes = [kind for weights in arrow.weights for kind in weights.classes]
        named = _named(_REDUCTION, path, classes)
        if not arrow.weights:
            found.append(("body", "no weights"))
        elif arrow.target == output and not merges[output]:
            found.append(("head", "makes the output"))
        elif arrow.source == 0 and number in everywhere and (merging or _STEM.search(path)):
            named = _named(_STEM, path, [])
            found.append(("stem", "reads the input" + (f", in {named}" if named else "")))
        elif arrow.source == 0 and number in everywhere:
            found.append(("body", "reads the input of a plain chain"))
        elif named:
            found.append(("reduction", f"in {named}"))
        elif number in projections:
            found.append(("reduction", "projection shortcut"))
        elif merging and number in everywhere and any(w.shrinks for w in arrow.weights):
            found.append(("reduction", "shrinks the image on every path"))
        else:
            found.append(("body", "on every path" if number in everywhere else "inside a branch"))
    return found


def _named(pattern: re.Pattern[str], path: str, classes: Sequence[str]) -> str:
    """The part of a path, or the class on the way, that the pattern names."""
    for part in (*path.split("."), *classes):
        if pattern.search(part):
            return part
    return ""


def _on_every_path(arrows: Sequence[Arrow], output: int) -> set[int]:
    change = [0] * (output + 2)
    for arrow in arrows:
        change[arrow.source] += 1
        change[arrow.target] -= 1
    crossing = list(accumulate(change))
    return {n for n, arrow in enumerate(arrows) if crossing[arrow.source] == 1}


def projection_shortcuts(arrows: Sequence[Arrow], merges: dict[int, Merge]) -> set[int]:
    """The arrows that are an addition's shortcut although they hold weights.

    The addition has no free term; the arrow changes the width or the size, and leaves a node that
    the other terms' layers start from too. Where two would do, it is the smaller kernel's.
    """
    into: dict[int, list[int]] = {}
    for number, arrow in enumerate(arrows):
        into.setdefault(arrow.target, []).append(number)
    found = set()
    for target, numbers in into.items():
        terms = [arrows[n] for n in numbers]
        if merges[target] != "add" or len(terms) < 2 or not all(t.weights for t in terms):
            continue
        fork = min(term.source for term in terms)
        able = [n for n in numbers if arrows[n].source == fork and _changes_shape(arrows[n])]
        able.sort(key=lambda n: arrows[n].weights[0].kernel)
        beside = [term for term in terms if term.source == fork]
        tied = len(able) > 1 and (
            arrows[able[0]].weights[0].kernel == arrows[able[1]].weights[0].kernel
        )
        if able and not tied and (len(beside) < len(terms) or len(able) > 1):
            found.add(able[0])
    return found


def _changes_shape(arrow: Arrow) -> bool:
    return any(w.shrinks or w.inputs != w.outputs for w in arrow.weights)
