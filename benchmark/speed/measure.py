"""Times the engine and its peers in turn, and then paths, a plan, a store and a report."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import median

import torch
from rich.console import Console
from rich.progress import track

from benchmark.engine import device as devices
from benchmark.speed import noise, precision, profile
from benchmark.speed.arithmetic import (
    Peaks,
    count_bytes,
    count_flops,
    describe_floor,
    describe_rate,
)
from benchmark.speed.growth import scales
from benchmark.speed.networks import TimedNetwork, list_networks
from benchmark.speed.table import SpeedRow, show_rows, write_rows
from benchmark.speed.ways import contenders
from benchmark.speed.ways import ray_tune as tuned
from benchmark.sweep.driver.cluster import Cluster
from benchmark.sweep.resources import Resources
from search_spaces.errors import InvalidInput

SECTION = "speed"
SCALE = "scale"
WAYS = (
    tuned.TUNE,
    tuned.REUSE,
    contenders.LOOP,
    contenders.CHANNELS_LAST,
    contenders.COMPILED,
    contenders.GRAPHS,
    contenders.ENGINE,
    contenders.BFLOAT16,
)


def measure_ways(
    rows: Sequence[TimedNetwork], repeats: int, trials: int, device: str, console: Console
) -> list[SpeedRow]:
    """A row for every network and way, missing ones too; ``trials`` of Tune per round.

    The device's matrix product and copy are timed in every round as well, on the one thread that
    all have.
    """
    values: dict[tuple[TimedNetwork, str], list[float]] = {}
    peaks = Peaks()
    ways = {network: contenders.list_contenders(network, device) for network in rows}
    with Cluster(1, Resources()) as cluster:
        for _ in track(range(repeats), "repeats", console=console, transient=True):
            peaks.measure(device)
            for name, reuse in ((tuned.TUNE, False), (tuned.REUSE, True)):
                for network, speed in tuned.measure_speeds(
                    cluster, rows, reuse, device, trials
                ).items():
                    values.setdefault((network, name), []).append(speed)
            for network in rows:
                for name, way in ways[network].items():
                    values.setdefault((network, name), []).append(way())
    copy = None if device == "cpu" else median(peaks.copy)  # a CPU's caches need no copy
    peak = median(peaks.product)
    return [
        *(row for network in rows for row in compare_ways(network, values, peak, copy)),
        SpeedRow(SECTION, "matrix product, float32", "one thread", "FLOP/s", peaks.product),
        SpeedRow(SECTION, "copy", "one thread", "bytes/s", peaks.copy),
    ]


def compare_ways(
    network: TimedNetwork,
    values: dict[tuple[TimedNetwork, str], list[float]],
    peak: float,
    copy: float | None,
) -> Iterator[SpeedRow]:
    """A network's rows, with their ratios to the peer and their share of ``peak`` (FLOP/s).

    ``copy`` is in bytes per second, where the time of moving a step's bytes is told as well.
    """
    flops = count_flops(network)
    subject = network.title
    peer = median(values[network, tuned.REUSE])
    for name in WAYS:
        found = values.get((network, name), [])
        row = SpeedRow(SECTION, subject, name, "steps/s", found)
        if not found:
            row.note = "no convolution" if name == contenders.CHANNELS_LAST else "no GPU"
        else:
            row.ratio = median(found) / peer
            row.note = describe_rate(median(found), flops, peak)
            if copy is not None:
                half = name == contenders.BFLOAT16
                same = replace(network, precision="bfloat16" if half else "float32")
                row.note += f"; {describe_floor(median(found), count_bytes(same), copy)}"
        if name == contenders.ENGINE:
            judged = judge_goal(row.ratio or 0.0, network.goal)
            row.note += f"; goal {network.goal}x: {judged}"
        yield row


def judge_goal(ratio: float, goal: float) -> str:
    """Whether a goal was reached."""
    return "reached" if ratio >= goal else f"missed by a factor of {goal / ratio:.2f}"


def learn_in_both(out: Path, quick: bool) -> None:
    """Learn in float32 and bfloat16, print and write the differences."""
    console = Console()
    rows = precision.measure_precision(quick, console)
    show_rows(rows, console)
    write_rows(rows, out, device=devices.choose_device(), quick=quick)
    console.print(f"{out}: {len(rows)} rows", highlight=False)


def measure_speed(out: Path, quick: bool, only: str = "") -> None:
    """Measure, print, and write the rows to the Parquet file ``out``.

    ``only`` is a part of the networks' names with their batch, or "scale" for what is not a
    network. Raises ``InvalidInput`` where there are no such rows.
    """
    device = devices.choose_device()
    devices.prepare_device(torch.device(device))
    console = Console()
    repeats, trials = (2, 1) if quick else (5, 2)
    every = list_networks(quick, device != "cpu")
    chosen = [network for network in every if only.lower() in network.title.lower()]
    if not chosen and only != SCALE:
        titles = "; ".join(network.title for network in every)
        raise InvalidInput(f"--only {only}: give {SCALE} or a part of one of these names: {titles}")
    rows = measure_ways(chosen, repeats, trials, device, console) if chosen else []
    show_rows(rows, console)
    for network, row in zip(chosen, (r for r in rows if r.name == contenders.ENGINE), strict=True):
        if (row.ratio or 0.0) < network.goal:
            console.print(f"Where the engine's time goes: {row.subject}", highlight=False)
            console.print(
                profile.list_top_operations(network, device), highlight=False, markup=False
            )
    if only in ("", SCALE):
        rows += noise.measure_noise(device)
        rows += scales.measure_scales(quick)
    show_rows([row for row in rows if row.section != SECTION], console)
    write_rows(rows, out, device=device, repeats=repeats, quick=quick)
    console.print(f"{out}: {len(rows)} rows", highlight=False)
