"""A matplotlib figure as inline SVG that follows the page's colours.

Text stays text and takes the page's font; ink, grid and the Okabe-Ito colours become CSS variables,
so that one drawing serves light, dark and paper.
"""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from functools import partial
from html import escape
from typing import Final

from matplotlib.figure import Figure as Canvas

INK: Final = "#767671"
GRID: Final = "#c4c4c3"
OKABE_ITO: Final = ("#0072b2", "#d55e00", "#cc79a7", "#009e73", "#e69f00", "#56b4e9", "#f0e442")


def svg(canvas: Canvas, name: str, title: str, finding: str, tips: Sequence[Sequence[str]]) -> str:
    """The drawing as an ``<svg>`` element: ids of its own, colours of the page, and ``tips`` on the
    points of each series, whose ids are tip-0, tip-1 and on."""
    buffer = io.StringIO()
    canvas.savefig(buffer, format="svg", metadata={"Date": None}, dpi=110)
    text = buffer.getvalue()
    text = text[text.index("<svg") :].replace("xlink:href", "href")
    text = re.sub(r"<metadata>.*?</metadata>|<style.*?</style>|<!--.*?-->", "", text, flags=re.S)
    text = re.sub(r'(?s)<g id="tip-(\d+)">.*?(?=<g id="(?!m)|$)', partial(tipped, tips), text)
    used = set(re.findall(r'(?:href="|url\()#([^")]+)', text))
    text = re.sub(r' id="([^"]+)"', lambda own: own[0] if own[1] in used else "", text)
    text = re.sub(r'( id="|href="#|url\(#)', rf"\1{name}-", text)
    text = re.sub(r"font: ?([\d.]+px)[^;\"]*|font-family:[^;\"]*;?", font, text)
    text = re.sub(r"(\d\.\d\d)\d{3,}", r"\1", text)
    for index, color in enumerate(OKABE_ITO, start=1):
        text = text.replace(color, f"var(--c{index})")
    text = text.replace(INK, "var(--ink)").replace(GRID, "var(--grid)")
    head = f'<svg role="img" aria-labelledby="{name}-title" aria-describedby="{name}-desc"'
    told = (
        f'<title id="{name}-title">{escape(title)}</title><desc id="{name}-desc">{escape(finding)}'
    )
    text = text.replace("<svg", head, 1).replace(">", f">{told}</desc>", 1)
    return re.sub(r"\s*\n\s*", "\n", text)


def tipped(tips: Sequence[Sequence[str]], series: re.Match[str]) -> str:
    """A series with a title in each of its points; a line, drawn before them, gets none."""
    left = iter(tips[int(series[1])])
    kind = "use" if "<use" in series[0] else "path"

    def titled(point: re.Match[str]) -> str:
        said = next(left, None)
        return point[0] if said is None else f"{point[1]}><title>{escape(said)}</title></{kind}>"

    return re.sub(rf"(?s)(<{kind} [^>]*?)/>", titled, series[0])


def font(match: re.Match[str]) -> str:
    """The size of a text without its family, which the page sets."""
    return f"font-size: {match[1]}" if match[1] else ""
