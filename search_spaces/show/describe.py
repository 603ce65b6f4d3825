"""One architecture explained: its graph, its paths, its depth as each paper counts, its rates."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import groupby, islice
from pathlib import Path

from rich.console import Console
from rich.padding import Padding
from rich.table import Table

from search_spaces.conventions import CONVENTIONS
from search_spaces.graph import ArchGraph
from search_spaces.nasbench201.space import NasBench201
from search_spaces.output_files import write_output
from search_spaces.paths import PathStatistics
from search_spaces.show.installed_rules import GROUP, rule_columns
from search_spaces.show.svg_drawing import draw_svg
from search_spaces.show.text_drawing import draw_graph, label_operation, list_paths
from search_spaces.space import RuleColumn, SearchSpace, Topology

MOST_PATHS = 16
MOST_NODES = 10


def describe(
    space: SearchSpace, architecture: str, console: Console, svg: Path | None = None
) -> None:
    """Print all there is to say about an architecture; draw it into ``svg`` where one is given."""
    graph, topology = space.graph(architecture), space.topology(architecture)
    drawing = draw_svg(graph, architecture) if svg is not None else ""

    def say(text: str = "") -> None:
        console.print(text, markup=False, highlight=False, soft_wrap=True)

    say(f"{space.name}  {architecture}")
    for line in _facts(space, architecture):
        say(line)
    say("\nGraph (edges on no path are dotted)\n")
    for line in draw_graph(graph, MOST_NODES):
        say("  " + line)
    say("\nPaths\n")
    for line in path_lines(graph):
        say("  " + line)
    say("\nDepth, by who counts (python -m search_spaces list says what counts)\n")
    console.print(depth_table(topology))
    say("\nRates, relative to the base architecture")
    say(f"  {space.base_architecture}")
    say(f"(rate: where the base trains at the published {space.published_rate:g})\n")
    columns = rule_columns(space, [architecture])
    if columns:
        console.print(_rates(columns, space.published_rate))
        say("\nWhat each rate holds for (branch: the factor of every residual branch)\n")
        console.print(_terms(columns))
    else:
        say(f"No rules are installed (nothing registers under the entry points {GROUP}).")
    if svg is not None:
        write_output(svg, drawing, "--svg")
        say(f"\nDrawn in {svg}")


def _facts(space: SearchSpace, architecture: str) -> Iterator[str]:
    topology = space.topology(architecture)
    if not topology.trainable:
        yield "untrainable: no path joins the input to the output"
    if isinstance(space, NasBench201):
        cost = space.cost(architecture)
        yield (
            f"index {space.index(architecture)}, {cost.parameters / 1e6:.6f} M parameters, "
            f"{cost.flops / 1e6:.3f} MFLOPs (3x32x32, 10 classes)"
        )
    canonical = space.canonical(architecture)
    if canonical != architecture:
        yield f"the same function as {canonical}"
    yield (
        f"width {topology.width}, kernel {topology.kernel}, "
        f"{topology.residual_blocks} additions in the network"
    )


def path_lines(graph: ArchGraph) -> Iterator[str]:
    """The first paths in words, and how many there are in all."""
    count = PathStatistics.of(graph, lambda edge: 0).count
    for path in islice(list_paths(graph), MOST_PATHS):
        runs = (
            (step, len(list(run)))
            for step, run in groupby(path, lambda e: label_operation(e.operation))
        )
        steps = ", ".join(step if times == 1 else f"{times} {step}" for step, times in runs)
        if graph.n_nodes <= MOST_NODES:
            steps = "-".join(map(str, (0, *(edge.target for edge in path)))) + "  " + steps
        yield steps if len(steps) <= 76 else steps[:73] + "..."
    if count == 0:
        yield "none"
    if count > MOST_PATHS:
        yield f"... {format_integer(count)} in all"


def depth_table(topology: Topology) -> Table:
    """Depth under every convention."""
    table = _table("convention", "scope", right=("paths", "min", "max", "sum of cubes"))
    for name, convention in CONVENTIONS.items():
        paths = convention.statistics(topology)
        low, high = ("-" if end is None else str(end) for end in (paths.min, paths.max))
        counts = format_integer(paths.count), low, high, format_integer(paths.sum_cubes)
        table.add_row(name, convention.scope, *counts)
    return table


def _rates(columns: Mapping[str, RuleColumn], published: float) -> Table:
    table = _table("rule", "reads", right=("multiplier", "rate"))
    for rule, column in columns.items():
        multiplier = column.multipliers[0]
        numbers = ("untrainable", "-")
        if multiplier is not None:
            numbers = (f"{multiplier:.4g}", f"{multiplier * published:.4g}")
        table.add_row(rule, column.convention or "-", *numbers)
    return table


def _terms(columns: Mapping[str, RuleColumn]) -> Padding:
    """Every rule's optimizer, initialization, branch multiplier and factors of groups."""
    table = _table("rule", "with", "initialization", right=("branch",))
    table.add_column("groups")
    for rule, column in columns.items():
        terms = column.terms[0] if column.terms else None
        if terms is None:
            table.add_row(rule, column.optimizer or "-", "-", "-", "-")
            continue
        groups = ", ".join(f"{group} x{factor:.3g}" for group, factor in terms.factors)
        table.add_row(
            rule,
            column.optimizer,
            terms.initialization,
            f"{terms.branch_multiplier:.4g}",
            groups or "-",
        )
    return Padding(table, (0, 0, 0, 2))


def _table(*left: str, right: tuple[str, ...]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for heading in (*left, *right):
        table.add_column(heading, justify="right" if heading in right else "left")
    return table


def format_integer(number: int) -> str:
    """An integer, or its power of two where it has more than nine digits."""
    if number < 10**9:
        return str(number)
    return f"2^{PathStatistics(0, 0, (0, 0, 0, number)).log2_sum_cubes:.1f}"
