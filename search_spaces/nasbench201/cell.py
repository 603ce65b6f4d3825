"""NAS-Bench-201 cells: four nodes, six edges, five operations; strings, indices and short codes.

Dong and Yang, arXiv 2001.00326. A cell is written ``|op~0|+|op~0|op~1|+|op~0|op~1|op~2|``, by its
official index ``6111``, or by a short code such as ``3_33_132`` whose digits count the operations
below.

The official order is a fixed shuffle, kept in ``order.npy``: entry i is the short code
of cell i read as a number in base 5. It was computed from ``meta_archs`` in the metadata of
NATS-Bench (MIT license); a test recomputes it where ``NATS_BENCH_DIR`` points to those files.
"""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path

import numpy as np

from search_spaces.errors import InvalidInput
from search_spaces.graph import ArchGraph, Edge, Operation

OPERATIONS = ("none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3")
EDGES = ((0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3))
N_CELLS: int = len(OPERATIONS) ** len(EDGES)
LONGEST_INDEX = 9
"""Digits; Python refuses to read thousands of them."""
NONE, SKIP, CONV_1X1, CONV_3X3, POOL = range(5)
KERNEL = {CONV_1X1: 1, CONV_3X3: 3}
EXAMPLE = "|skip_connect~0|+|none~0|skip_connect~1|+|none~0|none~1|skip_connect~2|"

Cell = tuple[int, ...]
"""Six positions in OPERATIONS, one per edge of EDGES."""

EDGE_OPERATION = {
    SKIP: Operation("identity"),
    CONV_1X1: Operation("conv", 1),
    CONV_3X3: Operation("conv", 3),
    POOL: Operation("pool", 3),
}


@lru_cache(maxsize=1)
def official_order() -> tuple[Cell, ...]:
    """All cells in the official order."""
    codes = np.load(Path(__file__).with_name("order.npy"))
    digits = codes[:, None].astype(np.int64) // 5 ** np.arange(5, -1, -1) % 5
    return tuple(map(tuple, digits.tolist()))


@lru_cache(maxsize=1)
def index_cells() -> dict[Cell, int]:
    """The official index of every cell."""
    return {cell: index for index, cell in enumerate(official_order())}


@lru_cache(maxsize=N_CELLS)
def write(cell: Cell) -> str:
    """The official string of a cell."""
    edges = [f"{OPERATIONS[op]}~{source}" for op, (source, _) in zip(cell, EDGES, strict=True)]
    return "+".join(f"|{'|'.join(edges[a:b])}|" for a, b in ((0, 1), (1, 3), (3, 6)))


@lru_cache(maxsize=1)
def _official_names() -> dict[str, Cell]:
    return {write(cell): cell for cell in official_order()}


def write_code(cell: Cell) -> str:
    """The short code, such as ``1_01_001``."""
    digits = "".join(map(str, cell))
    return f"{digits[0]}_{digits[1:3]}_{digits[3:]}"


def read(text: str) -> Cell:
    """The cell of a string, an index or a short code; ``InvalidInput`` shows the wrong piece."""
    named = _official_names().get(text)
    if named is not None:
        return named
    text = text.strip()
    if re.fullmatch("[0-9]+", text):
        if len(text) > LONGEST_INDEX or int(text) >= N_CELLS:
            raise InvalidInput(f"index {text} is out of range; indices run from 0 to {N_CELLS - 1}")
        return official_order()[int(text)]
    if re.fullmatch("[0-9]_[0-9]{2}_[0-9]{3}", text):
        wrong = re.search("[5-9]", text)
        if wrong:
            raise InvalidInput(f"digit {wrong[0]} of code {text!r} is no operation; use 0 to 4")
        return tuple(int(digit) for digit in text if digit != "_")
    return _read_string(text)


def _read_string(text: str) -> Cell:
    nodes = text.split("+")
    if len(nodes) != 3:
        raise InvalidInput(
            f"cell {text!r} has {len(nodes)} node(s) joined by '+' where 3 are needed, "
            f"as in {EXAMPLE}"
        )
    cell: list[int] = []
    for number, node in enumerate(nodes, start=1):
        pieces = node[1:-1].split("|")
        if not (node.startswith("|") and node.endswith("|") and len(pieces) == number):
            raise InvalidInput(
                f"node {node!r} of the cell must hold {number} edge(s) between bars, "
                f"as in {EXAMPLE.split('+')[number - 1]}"
            )
        for source, piece in enumerate(pieces):
            name, tilde, origin = piece.partition("~")
            if name not in OPERATIONS:
                raise InvalidInput(
                    f"unknown operation {name!r} in {piece!r}; use one of {', '.join(OPERATIONS)}"
                )
            if not tilde or origin != str(source):
                raise InvalidInput(f"edge {piece!r} must read '{name}~{source}' at this place")
            cell.append(OPERATIONS.index(name))
    return tuple(cell)


def cell_graph(cell: Cell) -> ArchGraph:
    """The cell's graph with the operations as they are; ``none`` is an absent edge."""
    return ArchGraph(
        4,
        tuple(
            Edge(source, target, EDGE_OPERATION[op])
            for op, (source, target) in zip(cell, EDGES, strict=True)
            if op
        ),
    )
