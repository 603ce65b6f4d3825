"""The tables of docs/scale.md, made from the measured figures in reports/scale/measured.csv.

``python tests/support/scale_page.py`` writes them between the page's marks; a test compares.
"""

import csv
import math
from pathlib import Path

import numpy as np

from benchmark.sweep.shards import LIMIT
from search_spaces.output_files import replace_between

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "scale.md"
MEASURED = ROOT / "reports" / "scale" / "measured.csv"
BEGIN, END = "<!-- figures: made by tests/support/scale_page.py -->\n", "<!-- end of figures -->"
FIGURES = (
    "sweep",
    "first unit",
    "driver memory, sweep",
    "reading and checking",
    "planning",
    "storing",
    "status",
    "report",
    "driver memory, plan and store",
    "memory, report",
)
CELLS, RULES, SEEDS = 15_625, 9, 3
TRAINING_IMAGES = {"cifar10": 40_000, "cifar100": 40_000, "imagenet16-120": 121_360}
BATCH = 256
GPUS = (8, 64, 1000)
EPOCHS = (12, 200)
MILLISECONDS = (1.0, 3.0)
"""Of a replica-step: the byte floor counted for an H200 in bfloat16, and three times as much."""

Measured = dict[str, dict[int, float]]


def read_measured(file: Path = MEASURED) -> tuple[Measured, Measured, str]:
    """Per figure its value at each number of units, on simulated nodes and without; the machine.

    Of figures that were measured again, the last counts.
    """
    with file.open(newline="", encoding="utf-8") as stream:
        lines = list(csv.DictReader(stream))
    found: tuple[Measured, Measured] = ({}, {})
    for line in lines:
        values = found[0 if int(line["nodes"]) else 1].setdefault(line["figure"], {})
        values[int(line["units"])] = float(line["value"])
    last = lines[-1]
    nodes = max(int(line["nodes"]) for line in lines)
    return *found, f"{last['cores']} cores of {last['processor']}, {nodes} nodes"


def fit_exponent(values: dict[int, float]) -> float:
    """The slope of log value over log units by least squares; nan for fewer than two numbers."""
    if len(values) < 2:
        return math.nan
    logs = np.log([[units, max(value, 1e-9)] for units, value in values.items()])
    return float(np.polyfit(logs[:, 0], logs[:, 1], 1)[0])


def describe_value(value: float | None, unit: str) -> str:
    """Three digits, or that it was not measured."""
    if value is None:
        return "not run"
    return f"{value:,.0f} {unit}" if value >= 100 else f"{value:.3g} {unit}"


def make_table(measured: Measured, figures: tuple[str, ...]) -> list[str]:
    """Rows of figures, columns of numbers of units, and the exponent of each row's growth."""
    sizes = sorted({nearest(units) for name in figures for units in measured.get(name, {})})
    lines = [
        "| figure | " + " | ".join(f"{size:,} units" for size in sizes) + " | exponent |",
        "|---" * (len(sizes) + 2) + "|",
    ]
    for name in figures:
        values = measured.get(name, {})
        if not values:
            continue
        unit = "MB" if "memory" in name else "s"
        by_size = {nearest(units): value for units, value in values.items()}
        cells = [describe_value(by_size.get(size), unit) for size in sizes]
        lines.append(f"| {name} | {' | '.join(cells)} | {fit_exponent(values):.2f} |")
    return lines


def nearest(units: int) -> int:
    """The power of ten by which a column is called."""
    return int(10 ** round(math.log10(units)))


def count_replica_steps(epochs: int) -> int:
    """Of every cell on every data set under every rule and seed."""
    steps = sum(images // BATCH * epochs for images in TRAINING_IMAGES.values())
    return CELLS * RULES * SEEDS * steps


def interpolate(values: dict[int, float], units: int) -> float:
    """The value on the line through the two nearest measured numbers, in logs."""
    nearest_two = sorted(sorted(values), key=lambda each: abs(math.log(each / units)))[:2]
    some = {each: values[each] for each in nearest_two}
    first = nearest_two[0]
    return values[first] * float((units / first) ** fit_exponent(some))


def make_estimate(cluster: Measured, alone: Measured) -> list[str]:
    """What the whole space costs on paper, and what of it is not training."""
    units = CELLS * len(TRAINING_IMAGES)
    lines = ["| | " + " | ".join(f"{count:,} GPUs" for count in GPUS) + " |", "|---" * 4 + "|"]
    for epochs in EPOCHS:
        for milliseconds in MILLISECONDS:
            hours = count_replica_steps(epochs) * milliseconds / 3.6e6
            cells = " | ".join(f"{hours / count:,.1f} h" for count in GPUS)
            lines.append(
                f"| training, {epochs} epochs at {milliseconds:g} ms a replica-step "
                f"({hours:,.0f} GPU-hours) | {cells} |"
            )
    sweep = cluster["sweep"]
    largest = max(sweep)
    each = sweep[largest] / largest
    cells = " | ".join(f"{each * units / 3600:.2g} h" for _ in GPUS)
    lines.append(f"| the driver's and workers' own time, all on two cores | {cells} |")
    for name in ("planning", "status", "report"):
        seconds = interpolate(alone[name], units)
        lines.append(f"| {name}, once | " + " | ".join([f"{seconds:,.0f} s"] * 3) + " |")
    share = " | ".join(f"{count / LIMIT:.1%}" for count in GPUS)
    lines.append(f"| a shard's share of a GPU's work, with {LIMIT:,} shards | {share} |")
    return lines


def make_figures() -> str:
    """The text between the page's marks."""
    cluster, alone, machine = read_measured()
    lines = [
        f"Measured on {machine}.",
        "",
        *make_table(cluster, FIGURES),
        "",
        *make_table(alone, FIGURES),
        "",
        f"On paper, {CELLS:,} cells x {len(TRAINING_IMAGES)} data sets x {RULES} rules x {SEEDS} "
        f"seeds: {CELLS * len(TRAINING_IMAGES):,} units, "
        f"{CELLS * len(TRAINING_IMAGES) * RULES * SEEDS:,} replicas.",
        "",
        *make_estimate(cluster, alone),
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    replace_between(PAGE, BEGIN, END, make_figures())
