"""Times the engine and its peers in turn, and then paths, a plan, a store and a report."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median

import torch
from rich.console import Console
from rich.progress import track

from benchmark.engine import device as devices
from benchmark.speed import noise, profile, scales
from benchmark.speed.arithmetic import count_flops, describe_rate, time_matrix_product
from benchmark.speed.networks import TimedNetwork, list_networks
from benchmark.speed.table import SpeedRow, show_rows, write_rows
from benchmark.speed.ways import contenders
from benchmark.speed.ways import ray_tune as tuned
from benchmark.sweep.driver.cluster import Cluster
from benchmark.sweep.resources import Resources

SECTION = "speed"
WAYS = (
    tuned.TUNE,
    tuned.REUSE,
    contenders.LOOP,
    contenders.CHANNELS_LAST,
    contenders.GRAPHS,
    contenders.ENGINE,
)


def measure_ways(
    rows: Sequence[TimedNetwork], repeats: int, trials: int, device: str, console: Console
) -> list[SpeedRow]:
    """A row for every network and way, missing ones too; ``trials`` of Tune per round.

    The device's matrix product is timed in every round as well, on the one thread that all have.
    """
    values: dict[tuple[TimedNetwork, str], list[float]] = {}
    peaks: list[float] = []
    ways = {network: contenders.list_contenders(network, device) for network in rows}
    with Cluster(1, Resources()) as cluster:
        for _ in track(range(repeats), "repeats", console=console, transient=True):
            peaks.append(time_matrix_product(device))
            for name, reuse in ((tuned.TUNE, False), (tuned.REUSE, True)):
                for network, speed in tuned.measure_speeds(
                    cluster, rows, reuse, device, trials
                ).items():
                    values.setdefault((network, name), []).append(speed)
            for network in rows:
                for name, way in ways[network].items():
                    values.setdefault((network, name), []).append(way())
    peak = median(peaks)
    return [
        *(row for network in rows for row in compare_ways(network, values, peak)),
        SpeedRow(SECTION, "matrix product, float32", "one thread", "FLOP/s", peaks),
    ]


def compare_ways(
    network: TimedNetwork, values: dict[tuple[TimedNetwork, str], list[float]], peak: float
) -> Iterator[SpeedRow]:
    """A network's rows, with their ratios to the peer and their share of ``peak`` (FLOP/s)."""
    flops = count_flops(network)
    subject = f"{network.name}, batch {network.batch}"
    peer = median(values[network, tuned.REUSE])
    for name in WAYS:
        found = values.get((network, name), [])
        row = SpeedRow(SECTION, subject, name, "steps/s", found)
        if not found:
            row.note = "no GPU" if name == contenders.GRAPHS else "no convolution"
        else:
            row.ratio = median(found) / peer
            row.note = describe_rate(median(found), flops, peak)
        if name == contenders.ENGINE:
            judged = judge_goal(row.ratio or 0.0, network.goal)
            row.note += f"; goal {network.goal}x: {judged}"
        yield row


def judge_goal(ratio: float, goal: float) -> str:
    """Whether a goal was reached."""
    return "reached" if ratio >= goal else f"missed by a factor of {goal / ratio:.2f}"


def measure_speed(out: Path, quick: bool) -> None:
    """Measure, print, and write the rows to the Parquet file ``out``."""
    device = devices.choose_device()
    devices.prepare_device(torch.device(device))
    console = Console()
    repeats, trials = (2, 1) if quick else (5, 2)
    chosen = list_networks(quick, device != "cpu")
    rows = measure_ways(chosen, repeats, trials, device, console)
    show_rows(rows, console)
    for network, row in zip(chosen, (r for r in rows if r.name == contenders.ENGINE), strict=True):
        if (row.ratio or 0.0) < network.goal:
            console.print(f"Where the engine's time goes: {row.subject}", highlight=False)
            console.print(
                profile.list_top_operations(network, device), highlight=False, markup=False
            )
    rows += noise.measure_noise(device)
    rows += scales.measure_scales(quick)
    show_rows([row for row in rows if row.section != SECTION], console)
    write_rows(rows, out, device=device, repeats=repeats, quick=quick)
    console.print(f"{out}: {len(rows)} rows", highlight=False)
