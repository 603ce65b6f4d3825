"""A matplotlib figure as inline SVG that follows the page's colors.

Text stays text and takes the page's font; ink, grid and the Okabe-Ito colors become CSS variables,
so that one drawing serves light, dark and paper.
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from xml.etree import ElementTree

from benchmark.report.drawing.compact_svg import compact_svg
from benchmark.report.drawing.palette import GRID, INK, OKABE_ITO

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Canvas

TIP: Final = "tip-"
"""A series whose points say something has this and its number for an id."""
SERIES: Final = "|series-"
"""An id ends with this and the series' slug: it becomes a class, by which a series is hidden."""
PAINTS: Final = {
    **{color: f"var(--c{index})" for index, color in enumerate(OKABE_ITO, start=1)},
    INK: "var(--ink)",
    GRID: "var(--grid)",
}
PAINT: Final = re.compile("|".join(PAINTS), re.IGNORECASE)
REFERENCE: Final = re.compile(r"url\(#([^)]+)\)")
LONG: Final = re.compile(r"(\d\.\d\d)\d{3,}")
DPI: Final = 110
"""Of rasters within drawings."""
NAMESPACE: Final = "http://www.w3.org/2000/svg"


@dataclass(frozen=True)
class Tips:
    """What the points of a series say when they are touched: a few words each, to which the page's
    script adds the series and the names of the axes."""

    points: Sequence[str]
    series: str = ""


@dataclass(frozen=True)
class Frame:
    """What stands around a drawing: its ``name``, its ``title`` and its ``finding`` in words, what
    its ids begin with, and more attributes of the ``<svg>`` element."""

    name: str
    title: str
    finding: str
    prefix: str
    attributes: Mapping[str, str]


def render_svg(canvas: Canvas, frame: Frame, tips: Sequence[Tips]) -> str:
    """The drawing as an ``<svg>`` element: ids of its own, colors of the page, and ``tips`` on the
    points of each series, whose ids are tip-0, tip-1 and on."""
    root = ElementTree.fromstring(draw_svg(canvas))
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
        element.attrib = {key.rpartition("}")[2]: value for key, value in element.attrib.items()}
        element.text = strip_blank(element.text)
        element.tail = "\n" if element.tag == "g" else None
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag in ("metadata", "style"):
                parent.remove(child)
    add_tips(root, tips)
    rename_ids(root, frame.prefix)
    unwrap_groups(root)
    for element in root.iter():
        restyle(element)
    compact_svg(root)
    head = {
        "role": "img",
        "aria-labelledby": f"{frame.name}-title",
        "aria-describedby": f"{frame.name}-desc",
    }
    root.attrib = {**head, **frame.attributes, "xmlns": NAMESPACE, **root.attrib}
    for place, (tag, text) in enumerate((("title", frame.title), ("desc", frame.finding))):
        told = ElementTree.Element(tag, {"id": f"{frame.name}-{tag}"})
        told.text = text
        root.insert(place, told)
    return ElementTree.tostring(root, encoding="unicode").strip()


def draw_svg(canvas: Canvas) -> bytes:
    """The drawing as matplotlib writes it.

    ``savefig`` draws twice where a layout is computed, once of that alone; drawing itself computes
    it as well.
    """
    from matplotlib.backends.backend_svg import FigureCanvasSVG

    buffer = io.BytesIO()
    canvas.set_dpi(DPI)
    FigureCanvasSVG(canvas).print_svg(buffer, metadata={"Date": None})  # type: ignore[no-untyped-call]
    return buffer.getvalue()


def strip_blank(text: str | None) -> str | None:
    """The text, or None where it is white space alone."""
    return text if text and text.strip() else None


def add_tips(root: ElementTree.Element, tips: Sequence[Tips]) -> None:
    """A title in each point of a series; a line, drawn before its points, gets none."""
    for series in root.iter("g"):
        kind, _, number = series.get("id", "").partition("|")[0].partition(TIP)
        if kind or not number:
            continue
        shapes = {id(shape) for definition in series.iter("defs") for shape in definition.iter()}
        points = list(series.iter("use")) or [
            path for path in series.iter("path") if id(path) not in shapes
        ]
        told = tips[int(number)]
        if told.points and told.series:
            series.set("data-series", told.series)
        for point, said in zip(points, told.points, strict=False):
            ElementTree.SubElement(point, "title").text = said


def rename_ids(root: ElementTree.Element, prefix: str) -> None:
    """Number the ids that are referred to, after the prefix, and drop all others.

    What an id says of its series stays as a class.
    """
    for element in root.iter():
        _, found, series = element.get("id", "").partition(SERIES)
        if found and series:
            element.set("class", f"series-{series}")
    used = {value[1:] for element in root.iter() if (value := element.get("href", ""))[:1] == "#"}
    for element in root.iter():
        for value in element.attrib.values():
            used |= set(REFERENCE.findall(value))
    own = (element.get("id", "") for element in root.iter())
    names = {
        old: f"{prefix}-{place}"
        for place, old in enumerate(old for old in dict.fromkeys(own) if old in used)
    }
    for element in root.iter():
        old = element.attrib.pop("id", "")
        if old in names:
            element.set("id", names[old])
        if (href := element.get("href", "")).startswith("#"):
            element.set("href", f"#{names[href[1:]]}")
        for key, value in element.attrib.items():
            element.set(key, REFERENCE.sub(lambda found: f"url(#{names[found[1]]})", value))


def unwrap_groups(parent: ElementTree.Element) -> None:
    """Put the children of every group that has no attributes in its place."""
    kept: list[ElementTree.Element] = []
    for child in list(parent):
        unwrap_groups(child)
        kept += list(child) if child.tag == "g" and not child.attrib else [child]
    parent[:] = kept


def restyle(element: ElementTree.Element) -> None:
    """The page's colors and font, and two decimals."""
    if element.get("transform", "").startswith("rotate(-0 "):
        del element.attrib["transform"]
    for key, value in element.attrib.items():
        if key == "style":
            value = keep_font_size(value)
        if not value.startswith("data:"):
            value = LONG.sub(r"\1", value)
            value = PAINT.sub(lambda found: PAINTS[found[0].lower()], value)
        element.set(key, value)


def keep_font_size(style: str) -> str:
    """A style without the font's family, which the page sets."""
    kept = []
    for declaration in style.split(";"):
        key, _, value = (part.strip() for part in declaration.partition(":"))
        if key == "font":
            size = re.search(r"[\d.]+px", value)
            key, value = "font-size", size[0] if size else ""
        if value and key != "font-family":
            kept.append(f"{key}: {value}")
    return "; ".join(kept)
