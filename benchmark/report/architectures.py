"""Architectures drawn small: every different node and edge once in a page, and each drawing refers
to its own."""

from __future__ import annotations

from html import escape
from typing import Final

from search_spaces.graph import ArchGraph
from search_spaces.show.svg_drawing import Style, draw_elements

MOST_NODES: Final = 8
MIDDLE: Final = 62
SMALL: Final = Style(
    step=86,
    radius=11,
    pad=16,
    rise=22,
    rise_per_span=22,
    colors={
        "identity": "var(--c4)",
        "pool": "var(--c5)",
        "conv": "var(--c1)",
        "linear": "var(--c1)",
        "attention": "var(--c3)",
    },
    ink="var(--ink)",
    node="var(--paper)",
    dashes="2 4",
)


class Drawings:
    """The drawings of a page."""

    def __init__(self) -> None:
        self.parts: dict[str, str] = {}  # what is drawn to its id

    def draw(self, graph: ArchGraph, name: str) -> str:
        """Nodes in a row, edges as arcs; dashed on no path, a plus where edges are added.

        Empty for a graph of more than 8 nodes.
        """
        if graph.n_nodes > MOST_NODES:
            return ""
        used = [
            self.parts.setdefault(part, f"d{len(self.parts)}")
            for part in draw_elements(graph, SMALL, MIDDLE)
        ]
        inside = "".join(f'<use href="#{part}"/>' for part in used)
        width = SMALL.place(graph.output) + SMALL.pad
        title = escape(f"Drawing of {name}", quote=True)
        return (
            f'<svg class="drawing" role="img" aria-label="{title}" '
            f'viewBox="0 0 {width} {2 * MIDDLE}" width="{width}">{inside}</svg>'
        )

    def define_parts(self) -> str:
        """What the drawings refer to: one element, not shown by itself."""
        drawn = "".join(f'<g id="{name}">{part}</g>' for part, name in self.parts.items())
        return f'<svg width="0" height="0" aria-hidden="true"><defs>{drawn}</defs></svg>'
