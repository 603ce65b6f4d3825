"""What an updates part found: does one step stay the same size at every depth?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from benchmark.analysis.ladders.one_step import (
    FLAT_WIDTH,
    HEAVY_TAIL,
    Flatness,
    flatness,
    update_exponent,
)
from benchmark.findings.arrays import Array, read_first
from benchmark.findings.content import (
    Block,
    Figure,
    Table,
    format_interval,
    format_number,
    make_slug,
)
from benchmark.findings.plots import Curves
from benchmark.findings.verdict import EXPONENTS_HEADING, Findings, Verdict, name_exponents

QUESTION = "Does the mean update stay the same size at every depth?"
TOPIC = "Step stays flat"
BRANCH = "branch_multiplier"
SIZE = "E[Δz²] / its mean on the shallowest rung"


def judge_updates_part(part: Mapping[str, Any], table: pa.Table) -> Findings:
    """A verdict per rule, and its mean and maximum update against depth."""
    depth = read_first(table, "architecture", "effective_depth")
    rungs = sorted(depth, key=depth.__getitem__)
    depth_D = np.array([depth[rung] for rung in rungs], dtype=np.float64)
    if len(set(depth.values())) < 3:
        return [], [Block("updates", part["name"], ["Fewer than 3 rungs are done."])]
    verdicts, rows, told = [], [], []
    drawn: dict[tuple[Any, ...], tuple[list[str], list[Array]]] = {}
    for rule in part["rules"]:
        own = table.filter(pc.field("rule") == rule)
        rate = read_first(own, "architecture", "lr_multiplier")
        rate_D = np.array([rate[rung] for rung in rungs])
        moments = [read_moments(own, rung) / rate[rung] ** 2 for rung in rungs]
        weights = (read_first(own, "architecture", name) for name in ("initialization", BRANCH))
        drawn.setdefault(tuple(str(each) for each in weights), ([], moments))[0].append(rule)
        found = flatness(depth_D, moments, rate_D)
        grown = format_interval(found.exponent)
        because = f"The mean over layers grows as depth to the power {grown} seeds."
        judged = (found.verdict, explain_doubt(found), found.exponent)
        verdicts.append(Verdict(part["name"], TOPIC, QUESTION, rule, because, *judged))
        for which, values in (("mean over layers", found.mean), ("maximum", found.maximum)):
            rows += [
                (rung, rule, which, d, v.estimate, v.low, v.high)
                for rung, d, v in zip(rungs, depth_D.tolist(), values, strict=True)
            ]
        ends = (found.mean[-1].estimate, found.maximum[-1].estimate)
        told.append(f"{rule} {format_number(ends[0])} (maximum {format_number(ends[1])})")
    columns = ("rung", "rule", "of", "effective depth", SIZE, "low", "high")
    figure = Figure(
        make_slug(part["name"], "updates"),
        f"On {rungs[-1]}, with the mean of {rungs[0]} set to 1: {', '.join(told)}. Bars are "
        "intervals over seeds; the dotted line is the criterion, 1.",
        Table(f"{part['name']}: one step, mean and maximum over layers", columns, rows),
        Curves(
            ("effective depth", SIZE, "rule"),
            panel="of",
            bars=("low", "high"),
            ticks=depth_D,
            level=1,
        ),
    )
    exponents = tabulate_one_step_rates(depth_D, list(drawn.values()))
    return verdicts, [Block("updates", part["name"], [figure, exponents])]


def tabulate_one_step_rates(
    depth_D: Array, drawn: Sequence[tuple[list[str], list[Array]]]
) -> Table:
    """How the one-step rate itself falls with depth, for every way to draw the weights."""
    rows = []
    for rules, moments in drawn:
        found = update_exponent(depth_D, moments)
        tails = "yes" if found.heavy_tailed else "no"
        value = found.exponent
        rows.append((", ".join(rules), value, found.median_exponent, name_exponents(value), tails))
    return Table(
        "The one-step rate, at which the mean over layers is 1, falls as depth to this power "
        "(rules that draw the same weights share it)",
        ("weights drawn for", "exponent", "from medians", EXPONENTS_HEADING, "heavy tails"),
        rows,
    )


def read_moments(table: pa.Table, rung: str) -> Array:
    """A rung's second moments, layers x seeds."""
    own = table.filter((pc.field("architecture") == rung) & (pc.field("status") == "done"))
    return np.array(own["update_moments"].to_pylist(), dtype=np.float64).T


def explain_doubt(found: Flatness) -> str:
    """Why there is no answer, and whether the interval itself can be trusted."""
    if not found.exponent.determined:
        return found.exponent.reason
    wide = f"the interval holds 0 and is wider than ±{FLAT_WIDTH:g}"
    heavy = f"seeds vary by more than {HEAVY_TAIL:.0%} of their mean, so the interval is too narrow"
    said = [wide] * (found.verdict == "undetermined") + [heavy] * found.heavy_tailed
    return "; ".join(said)
