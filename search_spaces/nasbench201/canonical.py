"""Which NAS-Bench-201 cells are one and the same network.

Two moves are exact: an edge whose value is zero or never reaches the output may be dropped, and
the two middle nodes may change places where no edge joins them. One move is not: a convolution
whose source no input reaches still adds its batch norm's bias, which trains, so it stays; there
1x1 and 3x3 are the same, since the weights never act.
"""

from __future__ import annotations

from functools import cache

from search_spaces.nasbench201.cell import CONV_1X1, EDGES, KERNEL, NONE, SKIP, Cell


def sources_of_signal(cell: Cell) -> frozenset[int]:
    """The nodes whose value is not identically zero (fed by the input, or by a norm's bias)."""
    signal = {0}
    for op, (source, target) in zip(cell, EDGES, strict=True):
        if op in KERNEL or (op != NONE and source in signal):
            signal.add(target)
    return frozenset(signal)


def edges_run(cell: Cell) -> tuple[bool, ...]:
    """For each edge whether its value is not identically zero and reaches the output."""
    signal = sources_of_signal(cell)
    needed = {3}
    run = [False] * len(EDGES)
    for position in reversed(range(len(EDGES))):
        (source, target), op = EDGES[position], cell[position]
        run[position] = target in needed and (op in KERNEL or (op != NONE and source in signal))
        if run[position] and source in signal:
            needed.add(source)
    return tuple(run)


def canonical_cell(cell: Cell) -> Cell:
    """The representative of the cells that are the same function of the same live parameters."""
    acts = _acting(tuple(_PATTERN[op] for op in cell))
    kept = tuple(op if act is None else act for op, act in zip(cell, acts, strict=True))
    return kept if kept[2] != NONE else min(kept, swap_middle_nodes(kept))


_PATTERN = (NONE, SKIP, CONV_1X1, CONV_1X1, SKIP)


@cache
def _acting(pattern: Cell) -> tuple[int | None, ...]:
    """What each edge comes to: itself (None), nothing, or a norm's bias (one convolution for all).

    The same for all cells of a pattern of absent, free and weighted edges.
    """
    run, signal = edges_run(pattern), sources_of_signal(pattern)
    return tuple(
        NONE if not runs else None if source in signal else CONV_1X1
        for runs, (source, _) in zip(run, EDGES, strict=True)
    )


def swap_middle_nodes(cell: Cell) -> Cell:
    """The cell with its middle nodes in the other order; exact where no edge joins them."""
    to_1, to_2, _, to_3, from_1, from_2 = cell
    return (to_2, to_1, NONE, to_3, from_2, from_1)
