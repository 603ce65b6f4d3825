"""The tables of docs/power.md: how likely each committed study was to answer, on planted truth with
the noise of its own results, and what that noise is.

``make power`` writes them (minutes); a test computes one row anew. A study's folder is named as its
job and its scale, if it has one: ``dags-digits`` is ``jobs/dags.py --scale digits``.
"""

from __future__ import annotations

import runpy
import statistics
import sys
from collections.abc import Iterator
from dataclasses import asdict, fields, replace
from functools import cache
from pathlib import Path
from typing import Final

from benchmark.power.noise import Noise, NoiseSource, measure_noise
from benchmark.power.simulate import count_shares, measure_power
from benchmark.store.results import Results
from benchmark.study import Study
from benchmark.study.fields import AnyPart
from search_spaces.output_files import replace_between

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "power.md"
BEGIN, END = "<!-- power: made by make power -->\n", "<!-- end of power -->"
NOISE_BEGIN, NOISE_END = "<!-- noise: made by make power -->\n", "<!-- end of noise -->"
MEASURED: Final = {
    "depth": ("lowest", "curvature", "stable", "seed", "rate"),
    "rank": ("accuracy", "spread"),
    "updates": ("moment",),
}
"""Fields of the noise that parts of a kind show."""
REPEATS: Final = 10


def read_study(folder: str) -> Study:
    """The study of the job and scale that a folder is named after."""
    name, _, scale = folder.partition("-")
    constants = runpy.run_path(str(ROOT / "jobs" / f"{name}.py"))
    study: Study = constants[scale.upper() or "STUDY"]
    return study


def list_studies() -> list[tuple[str, Study]]:
    """The quickstart and the committed reference studies."""
    folders = sorted(
        path.parent.parent.name for path in ROOT.glob("reports/reference/*/results/study.json")
    )
    return [(folder, read_study(folder)) for folder in ("quickstart", *folders)]


@cache
def read_results(folder: str) -> Results:
    """The committed results of a study; those of the quickstart are the example's."""
    place = "example" if folder == "quickstart" else f"reference/{folder}"
    return Results.load(str(ROOT / "reports" / place / "results"))


def find_noise(folder: str, part: AnyPart) -> NoiseSource | None:
    """The noise of a part's own rows; None where none of its networks left a parabola."""
    return measure_noise(read_results(folder), part)


def describe_part(folder: str, study: Study, part: AnyPart) -> str:
    """The row of one part; nothing is trained, so that any images of ten classes do."""
    alone = replace(study, parts=(replace(part, dataset="digits"),))
    noise = find_noise(folder, part) or NoiseSource()
    shares = count_shares(measure_power(alone, REPEATS, lambda _: noise))
    said = ("yes" if shares.passes else "no") if part.judged else "not judged"
    return (
        f"| `{folder}` | {part.name} | {said} | {shares.right:.0%} | {shares.wrong:.1%} | "
        f"{shares.unknown:.0%} |"
    )


def describe_studies() -> Iterator[str]:
    """The lines of the table."""
    yield "| study | part | passes | right | wrong | undetermined |"
    yield "|---|---|---|---:|---:|---:|"
    for folder, study in list_studies():
        for part in study.parts:
            yield describe_part(folder, study, part)


def describe_noise() -> Iterator[str]:
    """The lines of the second table: a row a part, and the medians of the parts on digits."""
    names = [field.name for field in fields(Noise)]
    yield f"| study | part | {' | '.join(names)} |"
    yield f"|---|---|{'---:|' * len(names)}"
    for folder, study in list_studies():
        for part in study.parts:
            yield describe_noise_of_part(folder, part)
    medians = find_medians()
    yield f"| | *median on digits* | {' | '.join(f'{medians[name]:.3g}' for name in names)} |"


def describe_noise_of_part(folder: str, part: AnyPart) -> str:
    """The row of one part, empty where it shows nothing."""
    noise = find_noise(folder, part)
    values = asdict(noise.typical) if noise else {}
    cells = [
        f"{values[name]:.3g}" if values and name in MEASURED[part.kind] else ""
        for name in (field.name for field in fields(Noise))
    ]
    return f"| `{folder}` | {part.name} | {' | '.join(cells)} |"


def find_medians() -> dict[str, float]:
    """The median of every field over the parts that were trained on digits and show it."""
    found: dict[str, list[float]] = {field.name: [] for field in fields(Noise)}
    for folder, study in list_studies():
        for part in study.parts:
            noise = find_noise(folder, part) if part.dataset == "digits" else None
            if noise is not None:
                for name in MEASURED[part.kind]:
                    found[name].append(asdict(noise.typical)[name])
    return {name: statistics.median(values) for name, values in found.items()}


def print_lines(lines: Iterator[str]) -> str:
    """The lines in one text, each shown as it is made."""
    made = []
    for line in lines:
        print(line, file=sys.stderr)
        made.append(line)
    return "\n".join(made) + "\n"


if __name__ == "__main__":
    replace_between(PAGE, NOISE_BEGIN, NOISE_END, print_lines(describe_noise()))
    replace_between(PAGE, BEGIN, END, print_lines(describe_studies()))
