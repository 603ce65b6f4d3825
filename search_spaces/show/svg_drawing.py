"""A graph drawn as an SVG: nodes in a row, edges as arcs above and below, no outside resource."""

from __future__ import annotations

from xml.sax.saxutils import escape

from search_spaces.errors import InvalidInput
from search_spaces.graph import ArchGraph, Edge
from search_spaces.show.text_drawing import label

MOST_NODES = 60
_STEP, _RADIUS, _PAD = 130, 16, 40
# Okabe and Ito's colours, which stay apart for colour-blind readers.
_COLOURS = {
    "identity": "#009E73",
    "pool": "#E69F00",
    "conv": "#0072B2",
    "linear": "#0072B2",
    "attention": "#CC79A7",
}


def _arc(edge: Edge, middle: float, is_live: bool, is_second: bool) -> tuple[str, str]:
    x1, x2 = _PAD + _STEP * edge.source, _PAD + _STEP * edge.target
    span = edge.target - edge.source
    # Neighbours are joined straight; longer edges bow, odd spans upward and even ones downward,
    # and so does a second edge between neighbours.
    straight = span == 1 and not is_second
    bow = 0.0 if straight else (-1 if span % 2 else 1) * (36 + 30 * span)
    centre = (x1 + x2) / 2
    colour = _COLOURS[edge.operation.kind]
    dash = "" if is_live else ' stroke-dasharray="3 5" opacity="0.5"'
    lift = -8 if bow <= 0 else 16
    if straight:
        route = f"M{x1 + _RADIUS} {middle} L{x2 - _RADIUS - 6} {middle}"
    else:
        side = _RADIUS if bow > 0 else -_RADIUS
        route = f"M{x1 + 6} {middle + side} Q{centre} {middle + bow} {x2 - 6} {middle + side * 1.4}"
    height = middle + (0 if straight else (bow + _RADIUS * (1 if bow > 0 else -1)) / 2) + lift
    path = (
        f'<path d="{route}" fill="none" stroke="{colour}" stroke-width="2"{dash} '
        f'marker-end="url(#tip)"/>'
    )
    # The white outline keeps a label readable where another edge passes behind it.
    text = (
        f'<text x="{centre}" y="{height}" fill="{colour}" stroke="#ffffff" stroke-width="4" '
        f'paint-order="stroke">{label(edge.operation)}</text>'
    )
    return path, text


def draw_svg(graph: ArchGraph, title: str) -> str:
    """The SVG's text: edges on no input-output path are dashed, additions marked with a plus.

    Raises ``InvalidInput`` for a graph of more nodes than a page holds.
    """
    if graph.n_nodes > MOST_NODES:
        raise InvalidInput(
            f"a graph of {graph.n_nodes} nodes is too long to draw; the most is {MOST_NODES}"
        )
    longest = max((edge.target - edge.source for edge in graph.edges), default=1)
    half = 36 + 15 * longest + _RADIUS
    width, height = 2 * _PAD + _STEP * graph.output, 2 * half
    live = set(graph.live_edges)
    summary = f"{graph.n_nodes} nodes, {len(live)} of {len(graph.edges)} edges on paths"
    ends = [(edge.source, edge.target) for edge in graph.edges]
    arcs = [
        _arc(edge, half, edge in live, pair in ends[:position])
        for position, (edge, pair) in enumerate(zip(graph.edges, ends, strict=True))
    ]
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
        f'height="{height}" role="img" font-family="sans-serif" font-size="12" '
        f'text-anchor="middle">',
        f"<title>{escape(title)}</title><desc>{summary}</desc>",
        '<defs><marker id="tip" markerWidth="8" markerHeight="8" refX="6" refY="4" orient="auto">'
        '<path d="M0 0 L8 4 L0 8 z" fill="context-stroke"/></marker></defs>',
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
        *(path for path, _ in arcs),
        *(text for _, text in arcs),
    ]
    for node in range(graph.n_nodes):
        x = _PAD + _STEP * node
        text = f"{node}+" if graph.in_degrees[node] >= 2 else str(node)
        parts.append(
            f'<circle cx="{x}" cy="{half}" r="{_RADIUS}" fill="#f4f4f4" stroke="#222222"/>'
            f'<text x="{x}" y="{half + 4}" fill="#222222">{text}</text>'
        )
    return "\n".join([*parts, "</svg>", ""])
