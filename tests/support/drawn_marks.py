"""What an SVG shows, whatever its groups and elements are: every stroke, point and text with its
place and its look."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import NamedTuple
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

INITIAL = {
    "fill": "#000000",
    "stroke": "none",
    "stroke-width": "1",
    "stroke-linecap": "butt",
    "stroke-linejoin": "round",
    "stroke-dasharray": "none",
    "stroke-dashoffset": "0",
    "fill-opacity": "1",
    "stroke-opacity": "1",
}
LETTERED = {"font-size": "inherit", "text-anchor": "start"}
SPACE = "{http://www.w3.org/2000/svg}"


class DrawnMark(NamedTuple):
    """``shape`` is the course of a stroke, the outline of a point, or a text."""

    shape: str
    place: tuple[float, ...]
    look: tuple[tuple[str, str], ...]
    clip: str
    said: str
    series: str


def list_marks(svg: str) -> Counter[DrawnMark]:
    """All marks of a drawing, their coordinates rounded to a tenth from 10 on."""
    root = ElementTree.fromstring(svg)
    ids = {element.get("id", ""): element for element in root.iter()}
    return Counter(find_marks(root, INITIAL | LETTERED, "", "", ids))


def find_marks(
    element: Element, style: Mapping[str, str], clip: str, series: str, ids: Mapping[str, Element]
) -> Iterator[DrawnMark]:
    """The marks of an element that inherits a style, a clip and the classes of its groups."""
    tag = element.tag.removeprefix(SPACE)
    if tag in ("defs", "title", "desc", "style"):
        return
    style = {**style, **read(element)}
    series += f" {element.get('class', '')}"
    if reference := element.get("clip-path"):
        (shape,) = ids[reference[5:-1]]
        clip = str(sorted((key, round_all(value)) for key, value in shape.attrib.items()))
    said = "".join(each.text or "" for each in element if each.tag == f"{SPACE}title")
    rest = (clip, said, series.strip())
    if tag == "text":
        keys = ("fill", "font-size", "text-anchor")
        look = tuple((key, style[key]) for key in keys)
        place = (*round_all(f"{element.get('x', 0)} {element.get('y', 0)}"),)
        turned = element.get("transform", "")
        yield DrawnMark(f"{element.text} {turned}", place, look, *rest)
    elif tag == "use":
        shape = ids[element.get("href", "")[1:]]
        at = round_all(f"{element.get('x')} {element.get('y')}")
        yield DrawnMark(draw(shape), at, look_of({**style, **read(shape)}), *rest)
    elif tag == "path":
        yield from find_strokes(element, style, rest)
        if marker := style.get("marker"):
            (shape,) = ids[marker[5:-1]]
            look = look_of(INITIAL | read(shape))
            for at in corners(element.get("d", "")):
                yield DrawnMark(draw(shape), at, look, *rest)
    else:
        style = {key: value for key, value in style.items() if key != "marker"}
        for child in element:
            yield from find_marks(child, style, clip, series, ids)


def find_strokes(
    element: Element, style: Mapping[str, str], rest: tuple[str, str, str]
) -> Iterator[DrawnMark]:
    """A mark for every subpath, where anything is painted."""
    look = look_of(style)
    if dict(look) != {"fill": "none", "stroke": "none"}:
        for course in re.findall(r"M[^M]+", element.get("d", "")):
            yield DrawnMark(draw(Element("path", {"d": course})), (), look, *rest)


def look_of(style: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """What shows of a style: nothing of a stroke where there is none."""
    shown = {key: style[key] for key in INITIAL} | {"opacity": style.get("opacity", "1")}
    if shown["fill"] == "none":
        del shown["fill-opacity"]
    if shown["stroke"] == "none":
        shown = {key: shown[key] for key in shown if not key.startswith("stroke-")}
    if {shown["fill"], shown["stroke"]} == {"none"}:
        del shown["opacity"]
    return tuple(shown.items())


def read(element: Element) -> dict[str, str]:
    """The properties of an element's own style."""
    parts = (part.partition(":") for part in element.get("style", "").split(";"))
    return {name.strip(): value.strip() for name, _, value in parts if value}


def round_all(text: str) -> tuple[float, ...]:
    """The numbers in a text, to a tenth from 10 on and to a hundredth below."""
    numbers = map(float, re.findall(r"-?\d+(?:\.\d+)?", text))
    return tuple(round(x, 1 if abs(x) >= 10 else 2) + 0.0 for x in numbers)


def corners(course: str) -> list[tuple[float, ...]]:
    """The corners of a path of straight lines."""
    found: list[tuple[float, ...]] = []
    for letter, text in re.findall(r"([A-Za-z])([^A-Za-z]*)", course):
        numbers = round_all(text)
        if letter == "H":
            found += [(x, found[-1][1]) for x in numbers]
        elif letter == "V":
            found += [(found[-1][0], y) for y in numbers]
        else:
            found += [tuple(numbers[i : i + 2]) for i in range(0, len(numbers), 2)]
    return found


def draw(shape: Element) -> str:
    """A path as its letters and corners, straight lines all written as L."""
    course = shape.get("d", "")
    letters = {"C": "C", "Q": "Q"}
    curved = "".join(letters.get(each, "") for each in course)
    return f"{curved[:1]}{corners(course)}{'z' if 'z' in course else ''}"
