"""A graph drawn as an SVG: nodes in a row, edges as arcs above and below, no outside resource.

Neighbors are joined straight; longer edges bow, odd spans upward and even ones downward, and so
does a second edge between neighbors. Graphviz would be a program to install beside Python.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from xml.sax.saxutils import escape

from search_spaces.errors import InvalidInput
from search_spaces.graph import ArchGraph, Edge
from search_spaces.show.text_drawing import label_operation

MOST_NODES = 60
ARROW = (
    '<defs><marker id="tip" markerWidth="8" markerHeight="8" refX="6" refY="4" orient="auto">'
    '<path d="M0 0 L8 4 L0 8 z" fill="context-stroke"/></marker></defs>'
)


@dataclass(frozen=True)
class Style:
    """Sizes in user units, and paints. ``rise`` and ``rise_per_span`` are how far an edge bows;
    ``colors`` are by kind of operation; ``outline`` keeps a label readable over an edge behind it;
    ``numbered`` writes each node's number into it; ``arrows`` puts a tip on every edge."""

    step: int
    radius: int
    pad: int
    rise: int
    rise_per_span: int
    colors: Mapping[str, str]
    ink: str
    node: str
    outline: str = ""
    dashes: str = "3 5"
    numbered: bool = False
    arrows: bool = False

    def place(self, node: int) -> int:
        """A node's x."""
        return self.pad + self.step * node

    def bow(self, span: int) -> int:
        """How far an edge over ``span`` nodes bows."""
        return self.rise + self.rise_per_span * span


# Okabe and Ito's colors, which stay apart for color-blind readers.
PRINTED = Style(
    step=130,
    radius=16,
    pad=40,
    rise=36,
    rise_per_span=30,
    colors={
        "identity": "#009E73",
        "pool": "#E69F00",
        "conv": "#0072B2",
        "linear": "#0072B2",
        "attention": "#CC79A7",
    },
    ink="#222222",
    node="#f4f4f4",
    outline="#ffffff",
    numbered=True,
    arrows=True,
)


def draw_svg(graph: ArchGraph, title: str, style: Style = PRINTED) -> str:
    """The SVG's text: edges on no input-output path are dashed, additions marked with a plus.

    Raises ``InvalidInput`` for a graph of more nodes than a page holds.
    """
    if graph.n_nodes > MOST_NODES:
        raise InvalidInput(
            f"a graph of {graph.n_nodes} nodes is too long to draw; the most is {MOST_NODES}"
        )
    longest = max((edge.target - edge.source for edge in graph.edges), default=1)
    middle = style.bow(longest) // 2 + style.rise // 2 + style.radius
    width, height = style.place(graph.output) + style.pad, 2 * middle
    summary = f"{graph.n_nodes} nodes, {len(graph.live_edges)} of {len(graph.edges)} edges on paths"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
        f'height="{height}" role="img" font-family="sans-serif" font-size="12" '
        f'text-anchor="middle">',
        f"<title>{escape(title)}</title><desc>{summary}</desc>",
        *([ARROW] if style.arrows else []),
        f'<rect width="{width}" height="{height}" fill="{style.outline or "none"}"/>',
        *draw_elements(graph, style, middle),
    ]
    return "\n".join([*parts, "</svg>", ""])


def draw_elements(graph: ArchGraph, style: Style, middle: int) -> Iterator[str]:
    """The edges, their labels and the nodes, an SVG text each; ``middle`` is the nodes' y."""
    live = set(graph.live_edges)
    seen: set[tuple[int, int]] = set()
    labels = []
    for edge in graph.edges:
        ends = (edge.source, edge.target)
        path, text = draw_edge(edge, style, middle, edge in live, ends in seen)
        seen.add(ends)
        labels.append(text)
        yield path
    yield from labels
    for node, inputs in enumerate(graph.in_degrees):
        yield draw_node(node, inputs, style, middle)


def draw_edge(
    edge: Edge, style: Style, middle: int, is_live: bool, is_second: bool
) -> tuple[str, str]:
    """An edge's arc and its label."""
    x1, x2 = style.place(edge.source), style.place(edge.target)
    span, center, color = (
        edge.target - edge.source,
        (x1 + x2) // 2,
        style.colors[edge.operation.kind],
    )
    gap = 6 if style.arrows else 2
    if span == 1 and not is_second:
        route = f"M{x1 + style.radius} {middle} L{x2 - style.radius - gap} {middle}"
        height = middle - 6
    else:
        side = -1 if span % 2 else 1
        foot, bow = middle + side * style.radius, middle + side * style.bow(span)
        route = f"M{x1 + 6} {foot} Q{center} {bow} {x2 - 6} {foot + side * gap}"
        height = (foot + bow) // 2 + (-5 if side < 0 else 13)
    dash = "" if is_live else f' stroke-dasharray="{style.dashes}"'
    arrow = ' marker-end="url(#tip)"' if style.arrows else ""
    path = f'<path d="{route}" fill="none" stroke="{color}" stroke-width="2"{dash}{arrow}/>'
    paint = (
        f' fill="{color}" stroke="{style.outline}" stroke-width="4" paint-order="stroke"'
        if style.outline
        else ""
    )
    text = escape(label_operation(edge.operation))
    return path, f'<text x="{center}" y="{height}"{paint}>{text}</text>'


def draw_node(node: int, inputs: int, style: Style, middle: int) -> str:
    """A node; a plus where several edges are added."""
    x = style.place(node)
    said = (str(node) if style.numbered else "") + ("+" if inputs > 1 else "")
    circle = (
        f'<circle cx="{x}" cy="{middle}" r="{style.radius}" fill="{style.node}" '
        f'stroke="{style.ink}"/>'
    )
    text = f'<text x="{x}" y="{middle + 4}" fill="{style.ink}">{said}</text>'
    return circle + text if said else circle
