"""From the points and arrows of a trace to the graph that rules read.

Only what lies on an input-output path stays. A layer whose value goes into one merge alone is that
merge's edge; a sum that is only added on, with nothing between, is the same sum; and pieces put
beside other pieces are one concatenation, however often (so that a dense block is one graph
whether it concatenates anew or step by step). Points that a ``Node`` marks stay.
"""

from __future__ import annotations

from dataclasses import replace

from search_spaces.traced.propagation.signals import Arrow, Merge, Points, Weights


def live_arrows(points: Points, output: int) -> list[Arrow]:
    """The arrows on some path from point 0 to ``output``, ends as they are since points fused."""
    arrows = [
        replace(
            arrow,
            source=points.find(arrow.source),
            target=points.find(arrow.target),
            weights=_attending(arrow.weights) if point.attention else arrow.weights,
        )
        for point in points.points
        for arrow in point.into
    ]
    return _on_paths(arrows, output)


def _attending(weights: tuple[Weights, ...]) -> tuple[Weights, ...]:
    """Projections that attention reads: the edge is one of its kind."""
    return tuple(replace(each, kind="attention") for each in weights)


def _on_paths(arrows: list[Arrow], output: int) -> list[Arrow]:
    arrows = sorted(arrows, key=lambda arrow: arrow.source)
    ahead = {0}
    for arrow in arrows:
        if arrow.source in ahead:
            ahead.add(arrow.target)
    back = {output}
    for arrow in reversed(arrows):
        if arrow.target in back:
            back.add(arrow.source)
    return [arrow for arrow in arrows if arrow.source in ahead and arrow.target in back]


def contract(points: Points, output: int) -> tuple[list[Arrow], dict[int, Merge]]:
    """The contracted arrows by source and target, and what kind of merge each node is.

    Nodes are numbered from 0, the input, to the output, which is the last.
    """
    arrows = live_arrows(points, output)
    arrows = _on_paths(_flatten(points, arrows), output)
    arrows = _shorten(points, arrows)
    used = sorted({0, output, *(a.source for a in arrows), *(a.target for a in arrows)})
    number = {point: position for position, point in enumerate(used)}
    for arrow in arrows:
        arrow.source, arrow.target = number[arrow.source], number[arrow.target]
    merges = {number[point]: points.points[point].merge for point in used}
    return sorted(arrows, key=lambda arrow: (arrow.source, arrow.target)), merges


def _group(arrows: list[Arrow]) -> tuple[dict[int, list[Arrow]], dict[int, list[Arrow]]]:
    into: dict[int, list[Arrow]] = {}
    leaving: dict[int, list[Arrow]] = {}
    for arrow in arrows:
        into.setdefault(arrow.target, []).append(arrow)
        leaving.setdefault(arrow.source, []).append(arrow)
    return into, leaving


def _flatten(points: Points, arrows: list[Arrow]) -> list[Arrow]:
    """Sums of sums and concatenations of concatenations as one."""
    into, leaving = _group(arrows)
    for point in sorted(into):
        here = points.points[point]
        if not here.merge or here.pinned:
            continue
        onward = [
            arrow
            for arrow in leaving.get(point, [])
            if not arrow.weights
            and arrow.direct
            and points.points[arrow.target].merge == here.merge
        ]
        if here.merge == "add" and (len(onward) != 1 or len(leaving[point]) != 1):
            continue
        for arrow in onward:
            copies = [replace(term, target=arrow.target) for term in into[point]]
            into[arrow.target] = [a for a in into[arrow.target] if a is not arrow] + copies
            leaving[point].remove(arrow)
            for copy in copies:
                leaving[copy.source].append(copy)
    return [arrow for group in into.values() for arrow in group]


def _shorten(points: Points, arrows: list[Arrow]) -> list[Arrow]:
    """A layer's point with one way on, into a merge, is no node of its own; a nonlinearity on that
    way is the edge's, as one before the layer is."""
    into, leaving = _group(arrows)
    gone: set[int] = set()
    for point, arriving in into.items():
        onward = leaving.get(point, [])
        if points.points[point].pinned or len(arriving) != 1 or len(onward) != 1:
            continue
        (layer,), (free,) = arriving, onward
        if layer.weights and not free.weights:
            layer.target, layer.end = free.target, free.end
            layer.activated |= free.activated
            gone.add(id(free))
    return [arrow for arrow in arrows if id(arrow) not in gone]
