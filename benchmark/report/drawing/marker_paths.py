"""Points without tooltips as the markers of a path, where that has a fifth of the bytes."""

from __future__ import annotations

import re
from itertools import groupby
from typing import Final
from xml.etree.ElementTree import Element, SubElement

from benchmark.report.drawing.inherited_style import INITIAL, read_style, write_style

LEAST: Final = 3
"""Points below which a path is no shorter."""
POINT: Final = re.compile(r"[ML] (\S+) (\S+)")
TEXT_ONLY: Final = ("font-size", "text-anchor")
PointKind = tuple[str, str, str]
"""The shape, the style and the clip of a point."""


def join_points(root: Element) -> None:
    """Draw neighboring uses of one shape, in one style and without children, as one path with a
    marker at each corner: the line before them where that has the same corners, else a new one."""
    home_of = {shape.get("id"): home for home in root.iter("defs") for shape in home}
    for parent in list(root.iter()):
        kept: list[Element] = []
        for kind, run in groupby(parent, find_kind):
            points = list(run)
            if kind is None or len(points) < LEAST:
                kept += points
            else:
                kept.append(draw_markers(points, add_marker(home_of[kind[0]], kind)))
        parent[:] = kept
    for parent in list(root.iter()):
        parent[:] = attach_markers(list(parent))


def find_kind(element: Element) -> PointKind | None:
    """What uses must share to become one path; None for what cannot become one."""
    if element.tag != "use" or len(element) or "transform" in element.attrib:
        return None
    shape = element.get("href", "").removeprefix("#")
    return shape, element.get("style", ""), element.get("clip-path", "")


def add_marker(home: Element, kind: PointKind) -> str:
    """A marker of the shape in that style, beside the shape; its id."""
    shape, style, _ = kind
    (drawn,) = (each for each in home if each.get("id") == shape)
    made = [each for each in home if each.tag == "marker" and each[0].get("d") == drawn.get("d")]
    name = f"{shape}m{len(made) or ''}"
    attributes = {"id": name, "markerUnits": "userSpaceOnUse", "overflow": "visible"}
    marker = SubElement(home, "marker", attributes)
    copy = SubElement(marker, "path", {"d": drawn.get("d", "")})
    used = read_style(Element("use", {"style": style}))
    first = {key: value for key, value in INITIAL.items() if key not in TEXT_ONLY}
    write_style(copy, first | used | read_style(drawn))
    return name


def draw_markers(points: list[Element], marker: str) -> Element:
    """A path without paint that has the marker at every point."""
    course = " ".join(f"L {point.get('x')} {point.get('y')}" for point in points)
    path = Element("path", {"d": f"M{course[1:]}"})
    if "clip-path" in points[0].attrib:
        path.set("clip-path", points[0].attrib["clip-path"])
    write_style(path, {"fill": "none", "marker": f"url(#{marker})"})
    return path


def attach_markers(children: list[Element]) -> list[Element]:
    """The children, markers of the corners of a line given to that line.

    The markers stand alone in a group, as matplotlib writes them, and follow their line, with
    nothing between that is drawn.
    """
    kept: list[Element] = []
    for child in children:
        line = next((each for each in reversed(kept) if each.tag != "defs"), None)
        marked = child[0] if child.tag == "g" and len(child) == 1 else child
        if line is not None and line.tag == marked.tag == "path" and is_along(line, child, marked):
            marker = read_style(marked)["marker"]
            write_style(line, read_style(line) | {"marker": marker})
        else:
            kept.append(child)
    return kept


def is_along(line: Element, child: Element, marked: Element) -> bool:
    """Whether a path of markers has the corners and the clip of a line without markers."""
    styles = read_style(line), read_style(marked)
    if "marker" in styles[0] or "marker" not in styles[1] or "fill" not in styles[0]:
        return False
    clips = line.get("clip-path"), child.get("clip-path", marked.get("clip-path"))
    corners = [POINT.findall(each.get("d", "")) for each in (line, marked)]
    alone = child is marked or child.attrib.keys() <= {"clip-path"}
    return clips[0] == clips[1] and corners[0] == corners[1] and alone
