"""Counts per stage on a terminal: a table, or lines where a table would cut the stages' names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

HEAD = "part / stage"


def print_stage_counts(
    console: Console, columns: Sequence[str], counts: Mapping[str, Sequence[int]]
) -> None:
    """Print numbers under ``columns`` for every stage; ``counts`` are by the stage's name.

    Where the console is too narrow for names and numbers side by side, every stage has a line of
    its own, and its numbers below it in words.
    """
    shown = {name: [f"{number:,}" for number in numbers] for name, numbers in counts.items()}
    widths = [max(map(len, (HEAD, *shown)))]
    widths += [max(map(len, cells)) for cells in zip(columns, *shown.values(), strict=True)]
    if sum(widths) + len(columns) > console.width:
        for name, cells in shown.items():
            told = ", ".join(f"{c} {n}" for n, c in zip(columns, cells, strict=True))
            console.print(name, style="bold", markup=False, highlight=False)
            console.print(f"  {told}", markup=False, highlight=False)
        return
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column(HEAD, no_wrap=True)
    for column in columns:
        table.add_column(column, justify="right", no_wrap=True)
    for name, cells in shown.items():
        table.add_row(escape(name), *cells)
    console.print(table)
