"""A traced network explained: its graph, its paths, its depth, its layers with their roles."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from rich.console import Console

from search_spaces.output_files import write_output
from search_spaces.show.describe import depth_table, path_lines
from search_spaces.show.svg_drawing import draw_svg
from search_spaces.show.text_drawing import draw_graph
from search_spaces.traced.network import Layer, TracedNetwork

MOST_NODES = 10


def describe_traced(network: TracedNetwork, console: Console, svg: Path | None = None) -> None:
    """Print all there is to say about a traced network; draw it into ``svg`` where one is given."""
    drawing = draw_svg(network.graph, network.name) if svg is not None else ""

    def say(text: str = "") -> None:
        console.print(text, markup=False, highlight=False, soft_wrap=True)

    for line in _facts(network):
        say(line)
    say("\nGraph\n")
    for line in draw_graph(network.graph, MOST_NODES):
        say("  " + line)
    say("\nPaths\n")
    for line in path_lines(network.graph):
        say("  " + line)
    say("\nDepth, by who counts (python -m search_spaces list says what counts)\n")
    console.print(depth_table(network.topology))
    say("\nWeighted layers (d_in: terms summed before and behind; * ends a residual branch)\n")
    for line in _layers(network.layers):
        say(line)
    if network.unused:
        say(f"\nNot run in {network.mode} mode: {', '.join(network.unused)}")
    if svg is not None:
        write_output(svg, drawing, "--svg")
        say(f"\nDrawn in {svg}")


def _facts(network: TracedNetwork) -> Iterator[str]:
    topology = network.topology
    yield f"{network.name}  traced in {network.mode} mode"
    concatenations = network.graph.additions - network.residual_blocks
    yield (
        f"width {topology.width}, kernel {topology.kernel}, {len(network.layers)} weighted layers, "
        f"{network.residual_blocks} additions"
        + (f" and {concatenations} concatenations" if concatenations else "")
    )


def _layers(layers: tuple[Layer, ...]) -> Iterator[str]:
    rows = [("layer", "kind", "fan-in", "d_in", "role", "reason")]
    for layer in layers:
        kind = layer.kind if layer.kernel == 1 else f"{layer.kind}{layer.kernel}x{layer.kernel}"
        ends = f"{layer.source_in_degree} {layer.target_in_degree}{'*' if layer.branch else ''}"
        rows.append((_label(layer), kind, str(layer.fan_in), ends, layer.role, layer.reason))
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=False)]
        yield "  ".join([*cells, row[-1]])


def _label(layer: Layer) -> str:
    """The module's path, or the parameter's where the module has weights of several names."""
    parameter = layer.parameters[0]
    plain = parameter == f"{layer.module}.weight" or len(layer.parameters) > 1
    return layer.module if plain else parameter
