"""Which NAS-Bench-201 cells are one and the same network.

Two moves are exact: an edge whose value is zero or never reaches the output may be dropped, and
the two middle nodes may change places where no edge joins them. One move is not: a convolution
whose source no input reaches still adds its batch norm's bias, which trains, so it stays; there
1x1 and 3x3 are the same, since the weights never act.
"""

from __future__ import annotations

from search_spaces.nasbench201_cell import CONV_1X1, EDGES, KERNEL, NONE, Cell


def sources_of_signal(cell: Cell) -> set[int]:
    """The nodes whose value is not identically zero (fed by the input, or by a norm's bias)."""
    signal = {0}
    for op, (source, target) in zip(cell, EDGES, strict=True):
        if op in KERNEL or (op != NONE and source in signal):
            signal.add(target)
    return signal


def edges_run(cell: Cell) -> list[bool]:
    """For each edge whether its value is not identically zero and reaches the output."""
    signal = sources_of_signal(cell)
    needed = {3}
    run = [False] * len(EDGES)
    for position in reversed(range(len(EDGES))):
        (source, target), op = EDGES[position], cell[position]
        run[position] = target in needed and (op in KERNEL or (op != NONE and source in signal))
        if run[position] and source in signal:
            needed.add(source)
    return run


def canonical_cell(cell: Cell) -> Cell:
    """The representative of the cells that are the same function of the same live parameters."""
    run, signal = edges_run(cell), sources_of_signal(cell)
    kept = tuple(
        NONE if not run[position] else op if source in signal else CONV_1X1
        for position, (op, (source, _)) in enumerate(zip(cell, EDGES, strict=True))
    )
    return kept if kept[2] != NONE else min(kept, swapped(kept))


def swapped(cell: Cell) -> Cell:
    """The cell with its middle nodes in the other order; exact where no edge joins them."""
    to_1, to_2, _, to_3, from_1, from_2 = cell
    return (to_2, to_1, NONE, to_3, from_2, from_1)
