"""The published laws of the best rate, each judged in the unit of depth in which it is stated."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from benchmark.analysis.intervals import Array
from benchmark.analysis.ladders.exponent_verdict import format_exponent, judge_exponent
from benchmark.analysis.ladders.local_exponents import ExponentProfile, fit_local_exponents
from benchmark.analysis.ladders.optimum import Optimum
from benchmark.analysis.thresholds import Judged
from benchmark.findings.content import Table, TableCell, format_interval, format_number
from benchmark.findings.verdict import INITIALIZATION, Verdict
from search_spaces.conventions import convention
from search_spaces.registry import create

LAYERS: Final = "layers and additions"
BLOCKS: Final = "AM-muP's blocks"
RESIDUAL: Final = "residual blocks"
AM_MUP: Final = "am-mup-blocks"


@dataclass(frozen=True)
class Law:
    """best rate = constant * depth^exponent, depth counted in ``unit``; ``rivals`` are what other
    laws say there, and ``elsewhere`` what they say in a unit of their own."""

    topic: str
    source: str
    unit: str
    exponent: float
    rivals: Sequence[float]
    elsewhere: Mapping[str, Sequence[float]]

    @property
    def question(self) -> str:
        """What is asked of every initialization."""
        return (
            f"Does the best rate fall as depth to the power {format_exponent(self.exponent)}, "
            f"depth counted in {self.unit} ({self.source})?"
        )


LAWS: Final = (
    Law(
        "Best rate ~ depth^−3/2",
        "effective depth",
        LAYERS,
        -1.5,
        (-1.0, 0.0),
        {BLOCKS: (-1.0,), RESIDUAL: (-1.0,)},
    ),
    Law("Best rate ~ blocks^−3/2", "AM-muP", BLOCKS, -1.5, (-1.0, 0.0), {}),
    Law("Best rate ~ blocks^−1", "Depth-muP", RESIDUAL, -1.0, (-1.5, 0.0), {}),
)


def count_units(part: Mapping[str, Any], rungs: Sequence[str], layers_D: Array) -> dict[str, Array]:
    """Depth of every rung in every unit that counts all of them and grows from rung to rung."""
    space = create(part["space"], **part["options"])
    topologies = [space.topology(rung) for rung in rungs]
    blocks = convention(AM_MUP)
    counted = {
        LAYERS: layers_D,
        BLOCKS: np.array([blocks.statistics(t).min or 0 for t in topologies], dtype=np.float64),
        RESIDUAL: np.array([t.residual_blocks for t in topologies], dtype=np.float64),
    }
    return {
        unit: depth_D
        for unit, depth_D in counted.items()
        if (depth_D > 0).all() and (np.diff(depth_D) > 0).all()
    }


def fit_profiles(
    units: Mapping[str, Array], optima: Sequence[Optimum]
) -> dict[str, ExponentProfile]:
    """The exponents of an initialization's best rates, line and local, in every unit."""
    found = {unit: fit_local_exponents(depth_D, optima) for unit, depth_D in units.items()}
    return {unit: profile for unit, profile in found.items() if profile is not None}


def is_stated(scheme: str, residual: bool) -> bool:
    """Whether the papers state their laws for these weights (arXiv 2510.04327, 2305.07810).

    They are residual-aware, which are He's where there are no additions, with branches as they are.
    """
    hidden = scheme.partition(",")[0].removesuffix("+mean-field")
    if "branch scaled" in scheme:
        return False
    return hidden == "residual-aware" or (hidden == "he" and not residual)


def judge_laws(
    part: str, profiles: Mapping[str, Mapping[str, ExponentProfile]], units: Mapping[str, Array]
) -> Iterator[Verdict]:
    """A verdict per law and initialization; ``profiles`` are by initialization and unit."""
    for law in LAWS:
        if law.unit not in units:
            continue
        for scheme, by_unit in profiles.items():
            head = (part, law.topic, law.question, f"{INITIALIZATION}{scheme}")
            stated = is_stated(scheme, RESIDUAL in units)
            profile = by_unit.get(law.unit)
            if profile is None:
                why = "fewer than 3 usable rungs of different depth"
                yield Verdict(*head, "", "undetermined", why, stated=stated)
                continue
            judged = judge_law(law, by_unit)
            deepest = profile.deepest
            because = (
                f"One line: {format_interval(profile.line)} rungs; deepest, from "
                f"{deepest.shallow:g} to {deepest.deep:g}: {format_interval(deepest.exponent)}."
            )
            yield Verdict(*head, because, *judged, stated=stated)


def judge_law(law: Law, by_unit: Mapping[str, ExponentProfile]) -> Judged:
    """Whether a law holds of rates whose exponents are known by unit, the law's own among them."""
    elsewhere = {u: (by_unit[u], rivals) for u, rivals in law.elsewhere.items() if u in by_unit}
    return judge_exponent(by_unit[law.unit], law.exponent, law.rivals, elsewhere=elsewhere)


def tabulate_local_exponents(
    profiles: Mapping[str, Mapping[str, ExponentProfile]],
) -> tuple[Table, Table]:
    """Per initialization and unit: line, deepest exponent, curvature, the test of the line; and
    the exponent between every two neighboring rungs."""
    rows: list[tuple[TableCell, ...]] = []
    local: list[tuple[TableCell, ...]] = []
    for scheme, by_unit in profiles.items():
        for unit, profile in by_unit.items():
            between = f"{profile.deepest.shallow:g} to {profile.deepest.deep:g}"
            fits = "yes" if profile.fits else "no"
            rows.append(
                (
                    *(scheme, unit, profile.line, profile.deepest.exponent, between),
                    *(profile.curvature, format_number(profile.misfit_p), fits),
                )
            )
            local += [
                (scheme, unit, f"{each.shallow:g} to {each.deep:g}", each.exponent)
                for each in profile.neighbors
            ]
    columns = (
        "initialization",
        "depth in",
        "one line",
        "deepest",
        "from, to",
        "change per factor e",
        "p of the line",
        "line fits",
    )
    return (
        Table(
            "One line and the deepest exponent (the last factor 4 in depth); where the line does "
            "not fit, verdicts rest on the deepest",
            columns,
            rows,
        ),
        Table(
            "Local exponents, between neighboring rungs",
            ("initialization", "depth in", "from, to", "exponent"),
            local,
        ),
    )
