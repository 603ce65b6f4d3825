"""An SVG with fewer bytes and the same picture: rounded numbers, joined paths, inherited styles.

Matplotlib writes every point, tick and grid line with its whole style, which is most of the bytes
of a page with thousands of points.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Final
from xml.etree.ElementTree import Element

from benchmark.report.drawing.inherited_style import inherit_styles, read_style
from benchmark.report.drawing.marker_paths import join_points

NUMBER: Final = re.compile(r"-?\d+\.\d+")
TOKEN: Final = re.compile(r"[A-Za-z]|-?\d+(?:\.\d+)?")
COORDINATES: Final = ("d", "x", "y")
"""Attributes that hold points of 1/72 inch."""
GRID_LINE: Final = "stroke: var(--grid)"
UNSEEN: Final = ("defs", "title", "desc")


def compact_svg(root: Element) -> None:
    """Rewrite a drawing of paths, uses and texts in place: every mark stays within a twentieth of
    a point (1/72 inch) of its place, with its color and its children.

    Grid lines come before, and texts after, all else of their group.
    """
    for element in root.iter():
        for key in COORDINATES:
            if key in element.attrib:
                element.set(key, NUMBER.sub(round_number, element.attrib[key]))
        seen = [child for child in element if is_seen(child)]
        element[:] = sorted(seen, key=find_layer)
    join_points(root)
    for element in root.iter():
        join_paths(element)
        share_clip(element)
    for element in root.iter("path"):
        element.set("d", shorten_path(element.get("d", "")))
    inherit_styles(root)


def round_number(found: re.Match[str]) -> str:
    """One decimal, or two below 10, where the outlines of markers lie; no zeros at the end."""
    value = float(found[0])
    text = f"{value:.{1 if abs(value) >= 10 else 2}f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def is_seen(element: Element) -> bool:
    """Whether an element shows or defines anything: backgrounds without paint do not."""
    if element.tag == "defs":
        return len(element) > 0
    style = read_style(element)
    painted = "stroke" in style or style.get("fill") != "none"
    return element.tag != "path" or painted or "id" in element.attrib


def find_layer(element: Element) -> int:
    """Grid lines first, texts last."""
    if element.tag == "text":
        return 2
    return 0 if element.tag == "path" and GRID_LINE in element.get("style", "") else 1


def join_paths(parent: Element) -> None:
    """Make one path of neighbors that differ in nothing but their course.

    Only strokes without transparency: where they cross, one over another looks like both at once.
    """
    kept: list[Element] = []
    for child in parent:
        last = kept[-1] if kept else None
        if last is not None and can_join(last, child):
            last.set("d", f"{last.get('d')} {child.get('d')}")
        else:
            kept.append(child)
    parent[:] = kept


def can_join(one: Element, other: Element) -> bool:
    """Whether two neighbors are strokes of one kind, and neither has an id or children."""
    if not (one.tag == other.tag == "path") or len(one) or len(other) or "id" in one.attrib:
        return False
    attributes = [{k: v for k, v in each.attrib.items() if k != "d"} for each in (one, other)]
    style = one.get("style", "")
    stroke = "fill: none" in style and "opacity" not in style and "marker" not in style
    return attributes[0] == attributes[1] and stroke


def share_clip(group: Element) -> None:
    """Clip a group once where all of it is clipped alike."""
    shown = [child for child in group if child.tag not in UNSEEN]
    clips = {child.get("clip-path") for child in shown}
    if group.tag != "g" or len(shown) < 2 or len(clips) > 1 or None in clips:
        return
    if "clip-path" in group.attrib or any("transform" in child.attrib for child in shown):
        return
    group.set("clip-path", str(clips.pop()))
    for child in shown:
        del child.attrib["clip-path"]


def shorten_path(data: str) -> str:
    """The same path with no more letters and blanks than it needs: a line along an axis is H or V,
    and a letter that repeats is written once."""
    steps: list[tuple[str, list[str]]] = []
    for token in TOKEN.findall(data):
        if token.isalpha():
            steps.append((token, []))
        else:
            steps[-1][1].append(token)
    made = [write_step(*steps[0])] if steps else []
    for (before, start), (letter, numbers) in pairwise(steps):
        if letter == "L" and len(start) >= 2 and numbers[0] == start[-2]:
            made.append(f"V{numbers[1]}")
        elif letter == "L" and len(start) >= 2 and numbers[1] == start[-1]:
            made.append(f"H{numbers[0]}")
        elif letter == before != "M" and made[-1][0] not in "HV":
            made.append(" " + " ".join(numbers))
        else:
            made.append(write_step(letter, numbers))
    return "".join(made).replace(" -", "-")


def write_step(letter: str, numbers: list[str]) -> str:
    """A letter of a path and its numbers."""
    return letter + " ".join(numbers)
