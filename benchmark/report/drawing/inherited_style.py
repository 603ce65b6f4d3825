"""Styles of an SVG's elements, moved to the groups that hold them: said once, inherited by all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Final
from xml.etree.ElementTree import Element

INITIAL: Final[Mapping[str, str]] = {
    "fill": "#000000",
    "stroke": "none",
    "stroke-width": "1",
    "stroke-linecap": "butt",
    "stroke-linejoin": "round",
    "stroke-dasharray": "none",
    "stroke-dashoffset": "0",
    "font-size": "inherit",
    "text-anchor": "start",
}
"""What an element inherits from its group, and what matplotlib means where it writes nothing."""
OWN_RULE: Final = {"stroke-linejoin": "miter"}
"""Where SVG's own initial value is another one."""
SHAPES: Final = ("path", "use")
UNSEEN: Final = ("defs", "title", "desc")


def read_style(element: Element) -> dict[str, str]:
    """The properties of an element's ``style`` and their values; empty where it has none."""
    parts = (each.partition(":") for each in element.get("style", "").split(";"))
    return {name.strip(): value.strip() for name, _, value in parts if value}


def write_style(element: Element, style: Mapping[str, str]) -> None:
    """Set its properties; an empty style is no attribute."""
    element.attrib.pop("style", None)
    if style:
        element.set("style", "; ".join(f"{name}: {value}" for name, value in style.items()))


def inherit_styles(root: Element) -> None:
    """Give every group what most of its children have; the others keep their own.

    Nothing changes for what is drawn. What is in ``defs`` stays as it is.
    """
    set_styles(root, move_styles(root), {**INITIAL, **OWN_RULE})


def move_styles(element: Element) -> dict[str, str]:
    """Take from an element and all in it what can be inherited, and return what ``element`` must
    be given in turn."""
    if element.tag in SHAPES or element.tag == "text":
        return take_style(element)
    children = [(child, move_styles(child)) for child in element if child.tag not in UNSEEN]
    wanted: dict[str, Counter[str]] = {}
    for _, style in children:
        for name, value in style.items():
            wanted.setdefault(name, Counter())[value] += 1
    chosen = {name: values.most_common(1)[0][0] for name, values in wanted.items()}
    for child, style in children:
        set_styles(child, style, chosen)
    return chosen


def take_style(element: Element) -> dict[str, str]:
    """Take what an element can inherit out of its style; what nothing shows of is not asked for."""
    style = read_style(element)
    taken = {name: style.pop(name, INITIAL[name]) for name in INITIAL}
    write_style(element, style)
    if taken["stroke"] == "none" and element.tag != "use":  # a use's shape may have a stroke
        taken = {name: taken[name] for name in taken if not name.startswith("stroke-")}
    unused = ("font-size", "text-anchor") if element.tag in SHAPES else ()
    return {name: value for name, value in taken.items() if name not in unused}


def set_styles(element: Element, style: Mapping[str, str], inherited: Mapping[str, str]) -> None:
    """Give an element what it does not inherit, beside what it has."""
    own = {name: value for name, value in style.items() if value != inherited[name]}
    write_style(element, own | read_style(element))
