"""Architectures drawn small: every different node and edge once in a page, and each drawing refers
to its own."""

from __future__ import annotations

from html import escape
from typing import Final

from search_spaces.graph import ArchGraph
from search_spaces.show.text_drawing import label

MOST_NODES: Final = 8
STEP, RADIUS, PAD, MIDDLE = 86, 11, 16, 62
COLORS: Final = {"identity": 4, "pool": 5, "conv": 1, "linear": 1, "attention": 3}


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
        live = set(graph.live_edges)
        seen: set[tuple[int, int]] = set()
        parts = []
        for edge in graph.edges:
            ends = (edge.source, edge.target)
            color, operation = COLORS[edge.operation.kind], label(edge.operation)
            parts.append(arc(*ends, color, operation, edge in live, ends in seen))
            seen.add(ends)
        for node, inputs in enumerate(graph.in_degrees):
            parts.append(circle(node, "+" if inputs > 1 else ""))
        width = 2 * PAD + STEP * (graph.n_nodes - 1)
        used = [self.parts.setdefault(part, f"d{len(self.parts)}") for part in parts]
        inside = "".join(f'<use href="#{each}"/>' for each in used)
        title = escape(f"Drawing of {name}", quote=True)
        return (
            f'<svg class="drawing" role="img" aria-label="{title}" '
            f'viewBox="0 0 {width} {2 * MIDDLE}" width="{width}">{inside}</svg>'
        )

    def definitions(self) -> str:
        """What the drawings refer to: one element, not shown by itself."""
        drawn = "".join(f'<g id="{name}">{part}</g>' for part, name in self.parts.items())
        return f'<svg width="0" height="0" aria-hidden="true"><defs>{drawn}</defs></svg>'


def arc(source: int, target: int, color: int, text: str, live: bool, second: bool) -> str:
    """An edge and its label: neighbours are joined straight, longer edges bow up and down in turn,
    and so does a second edge between neighbours."""
    x1, x2, span = PAD + STEP * source, PAD + STEP * target, target - source
    side = 0 if span == 1 and not second else -1 if span % 2 else 1
    bow = side * (22 + 22 * span)
    ends = RADIUS if side == 0 else 7
    route = f"M{x1 + ends} {MIDDLE + 9 * side}"
    route += f"Q{(x1 + x2) // 2} {MIDDLE + bow} {x2 - ends - 2} {MIDDLE + 9 * side}"
    dash = "" if live else ' stroke-dasharray="2 4"'
    height = MIDDLE + (-5 if side == 0 else (9 * side + bow) // 2 + (-4 if side < 0 else 11))
    return (
        f'<path d="{route}" fill="none" stroke="var(--c{color})" stroke-width="2"{dash}/>'
        f'<text x="{(x1 + x2) // 2}" y="{height}">{escape(text)}</text>'
    )


def circle(node: int, inside: str) -> str:
    """A node."""
    x = PAD + STEP * node
    plus = f'<text x="{x}" y="{MIDDLE + 4}">{inside}</text>' if inside else ""
    paint = 'fill="var(--paper)" stroke="var(--ink)"'
    return f'<circle cx="{x}" cy="{MIDDLE}" r="{RADIUS}" {paint}/>{plus}'
