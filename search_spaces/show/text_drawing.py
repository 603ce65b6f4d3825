"""A graph drawn with characters: nodes down the page, every edge in a lane of its own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from search_spaces.graph import ArchGraph, Edge, Operation

_LANE = 9
_MARGIN = 3


def label_operation(operation: Operation) -> str:
    """A few characters that say what an edge does."""
    if operation.kind == "conv":
        return f"conv{operation.kernel}x{operation.kernel}"
    return {"identity": "skip", "attention": "attend"}.get(operation.kind, operation.kind)


def assign_lanes(edges: Sequence[Edge]) -> list[int]:
    """A lane per edge such that no two edges in one lane overlap; short edges come first."""
    taken: list[list[tuple[int, int]]] = []
    found = dict.fromkeys(range(len(edges)), 0)
    by_length = sorted(found, key=lambda i: (edges[i].target - edges[i].source, edges[i].source))
    for position in by_length:
        low, high = edges[position].source, edges[position].target
        free = (
            lane
            for lane, spans in enumerate(taken)
            if all(high <= start or end <= low for start, end in spans)
        )
        lane = next(free, len(taken))
        if lane == len(taken):
            taken.append([])
        taken[lane].append((low, high))
        found[position] = lane
    return [found[position] for position in range(len(edges))]


_UP, _DOWN, _LEFT, _RIGHT = 1, 2, 4, 8
_STROKES = dict(
    zip(
        (
            _UP | _DOWN,
            _LEFT | _RIGHT,
            _LEFT | _DOWN,
            _LEFT | _UP,
            _UP | _RIGHT,
            _LEFT | _RIGHT | _DOWN,
            _LEFT | _RIGHT | _UP,
            _UP | _DOWN | _LEFT | _RIGHT,
            _RIGHT,
        ),
        "│─╮╯╰┬┴┼◀",
        strict=True,
    )
)
_DOTTED = str.maketrans("│─", "┊┄")


def draw_graph(graph: ArchGraph, most_nodes: int) -> Iterator[str]:
    """The drawing, line by line; edges on no input-output path are dotted.

    A node's number stands where its edges arrive; they leave one line below. Nodes beyond
    ``most_nodes`` are left out and counted.
    """
    shown = min(graph.n_nodes, most_nodes)
    edges = [edge for edge in graph.edges if edge.target < shown]
    live = set(graph.live_edges)
    columns = [_MARGIN + _LANE * (lane + 1) for lane in assign_lanes(edges)]
    strokes: dict[tuple[int, int], int] = {}
    solid: set[tuple[int, int]] = set()

    def stroke(row: int, column: int, directions: int, edge: Edge) -> None:
        strokes[row, column] = strokes.get((row, column), 0) | directions
        if edge in live:
            solid.add((row, column))

    for edge, column in zip(edges, columns, strict=True):
        leave, arrive = 3 * edge.source + 1, 3 * edge.target
        stroke(leave, _MARGIN, _UP | _RIGHT, edge)
        stroke(arrive, _MARGIN, _RIGHT, edge)
        for row, turn in ((leave, _DOWN), (arrive, _UP)):
            stroke(row, column, _LEFT | turn, edge)
            for between in range(_MARGIN + 1, column):
                stroke(row, between, _LEFT | _RIGHT, edge)
        for row in range(leave + 1, arrive):
            stroke(row, column, _UP | _DOWN, edge)
    width = max(columns, default=0) + _LANE
    canvas = [[" "] * width for _ in range(3 * shown)]
    for (row, column), directions in strokes.items():
        mark = _STROKES[directions]
        canvas[row][column] = mark if (row, column) in solid else mark.translate(_DOTTED)
    for edge, column in zip(edges, columns, strict=True):
        text = label_operation(edge.operation)
        start = column - (len(text) - 1) // 2
        canvas[3 * edge.source + 2][start : start + len(text)] = text
    for node in range(shown):
        canvas[3 * node][: len(str(node))] = str(node)
    yield from filter(None, ("".join(row).rstrip() for row in canvas))
    if shown < graph.n_nodes:
        left = f"nodes {shown} to" if shown < graph.output else "node"
        yield f"... and {left} {graph.output}, the output"


def list_paths(graph: ArchGraph) -> Iterator[list[Edge]]:
    """Every input-output path as its edges, one by one: stop where enough are seen."""
    leaving: dict[int, list[Edge]] = {}
    for edge in graph.live_edges:
        leaving.setdefault(edge.source, []).append(edge)
    path: list[Edge] = []
    waiting = [iter(leaving.get(0, []))]
    while waiting:
        for edge in waiting[-1]:
            path.append(edge)
            if edge.target != graph.output:
                waiting.append(iter(leaving[edge.target]))
                break
            yield list(path)
            path.pop()
        else:
            waiting.pop()
            if path:
                path.pop()
