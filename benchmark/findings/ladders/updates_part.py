"""What an updates part found: does one step stay the same size at every depth?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from benchmark.analysis.intervals import Array
from benchmark.analysis.ladders.one_step import (
    Flatness,
    fit_update_exponent,
    measure_flatness,
)
from benchmark.analysis.thresholds import FLAT_WIDTH, HEAVY_TAIL
from benchmark.findings.arrays import read_first
from benchmark.findings.content import (
    Block,
    Figure,
    Table,
    TableCell,
    format_interval,
    format_number,
    make_slug,
)
from benchmark.findings.ladders.widths import split_widths
from benchmark.findings.plots import Curves
from benchmark.findings.verdict import EXPONENTS_HEADING, Findings, Verdict, name_exponents

QUESTION = "Does the mean update stay the same size at every depth?"
TOPIC = "Step stays flat"
BRANCH = "branch_multiplier"
SIZE = "E[Δz²] / its mean on the shallowest rung"


@dataclass(frozen=True)
class RuleUpdates:
    """One rule's rungs that were measured, and their second moments at rate 1, layers x seeds.

    ``rates`` has each rung's rate, one for every seed that was measured.
    """

    rule: str
    rungs: tuple[str, ...]
    depth_D: Array
    rates: tuple[Array, ...]
    moments: tuple[Array, ...]

    @property
    def suffices(self) -> bool:
        """Whether an exponent can be fitted."""
        return len(np.unique(self.depth_D)) >= 3


def judge_updates_part(part: Mapping[str, Any], table: pa.Table) -> Findings:
    """A verdict per rule, and its mean and maximum update against depth."""
    if part.get("widths"):
        return judge_widths(part, table)
    name = part["name"]
    depth = read_first(table, "architecture", "effective_depth")
    if len(set(depth.values())) < 3:
        return [], [Block("updates", name, ["Fewer than 3 rungs are done."])]
    verdicts: list[Verdict] = []
    rows: list[tuple[TableCell, ...]] = []
    told: list[str] = []
    drawn: dict[tuple[str, ...], tuple[list[str], RuleUpdates]] = {}
    for rule in part["rules"]:
        own = table.filter(pc.field("rule") == rule)
        updates = read_updates(own, rule, depth)
        head = (name, TOPIC, QUESTION, rule)
        if not updates.suffices:
            why = f"{len(updates.rungs)} of {len(depth)} rungs have a step that did not diverge"
            verdicts.append(Verdict(*head, "", "undetermined", why))
            continue
        weights = (read_first(own, "architecture", column) for column in ("initialization", BRANCH))
        drawn.setdefault(tuple(map(str, weights)), ([], updates))[0].append(rule)
        found = measure_flatness(updates.depth_D, updates.moments, updates.rates)
        grown = format_interval(found.exponent)
        because = f"The mean over layers grows as depth to the power {grown} seeds."
        judged = (found.verdict, explain_doubt(found), found.exponent)
        verdicts.append(Verdict(*head, because, *judged))
        for which, values in (("mean over layers", found.mean), ("maximum", found.maximum)):
            rows += [
                (rung, rule, which, d, v.estimate, v.low, v.high)
                for rung, d, v in zip(updates.rungs, updates.depth_D.tolist(), values, strict=True)
            ]
        ends = (found.mean[-1].estimate, found.maximum[-1].estimate)
        told.append(f"{rule} {format_number(ends[0])} (maximum {format_number(ends[1])})")
    if not drawn:
        return verdicts, [Block("updates", name, ["Too few steps did not diverge to be drawn."])]
    exponents = tabulate_one_step_rates(list(drawn.values()))
    return verdicts, [Block("updates", name, [draw_updates(name, rows, told), exponents])]


def judge_widths(part: Mapping[str, Any], table: pa.Table) -> Findings:
    """The same at every width: one step on its rungs, beside the shallowest of that width."""
    verdicts: list[Verdict] = []
    blocks: list[Block] = []
    for at in split_widths(part, table):
        judged, shown = judge_updates_part({**at.part, "name": at.name}, at.rows)
        verdicts += [
            replace(each, part=part["name"], question=f"{QUESTION} (width {at.width})")
            for each in judged
        ]
        blocks += [replace(each, part=part["name"]) for each in shown]
    return verdicts, blocks


def read_updates(own: pa.Table, rule: str, depth: Mapping[str, float]) -> RuleUpdates:
    """A rule's measured rungs, the shallowest first."""
    ordered = sorted(depth, key=depth.__getitem__)
    found = {rung: read_moments(own, rung) for rung in ordered}
    rungs = tuple(rung for rung, (moment_LS, _) in found.items() if moment_LS.size)
    return RuleUpdates(
        rule,
        rungs,
        np.array([depth[rung] for rung in rungs], dtype=np.float64),
        tuple(found[rung][1] for rung in rungs),
        tuple(found[rung][0] / found[rung][1] ** 2 for rung in rungs),
    )


def draw_updates(part: str, rows: Sequence[tuple[TableCell, ...]], told: Sequence[str]) -> Figure:
    """The mean and the maximum over layers against depth, a line per rule."""
    columns = ("rung", "rule", "of", "effective depth", SIZE, "low", "high")
    return Figure(
        make_slug(part, "updates"),
        f"On the deepest rung, with the mean of the shallowest set to 1: {', '.join(told)}. Bars "
        "are intervals over seeds; the dotted line is the criterion, 1.",
        Table(f"{part}: one step, mean and maximum over layers", columns, rows),
        Curves(
            ("effective depth", SIZE, "rule"),
            panel="of",
            bars=("low", "high"),
            ticks=sorted({float(str(row[3])) for row in rows}),
            level=1,
        ),
    )


def tabulate_one_step_rates(drawn: Sequence[tuple[Sequence[str], RuleUpdates]]) -> Table:
    """How the one-step rate itself falls with depth, for every way to draw the weights."""
    rows = []
    for rules, updates in drawn:
        found = fit_update_exponent(updates.depth_D, updates.moments)
        tails = "yes" if found.heavy_tailed else "no"
        value = found.exponent
        rows.append((", ".join(rules), value, found.median_exponent, name_exponents(value), tails))
    return Table(
        "The one-step rate, at which the mean over layers is 1, falls as depth to this power "
        "(rules that draw the same weights share it)",
        ("weights drawn for", "exponent", "from medians", EXPONENTS_HEADING, "heavy tails"),
        rows,
    )


def read_moments(table: pa.Table, rung: str) -> tuple[Array, Array]:
    """A rung's second moments, layers x seeds, and the rate of each seed; seeds that overflowed
    or moved nothing are left out, as diverged ones are."""
    own = table.filter((pc.field("architecture") == rung) & (pc.field("status") == "done"))
    moments = [np.array(seed, dtype=np.float64) for seed in own["update_moments"].to_pylist()]
    rate_S = own["lr_multiplier"].to_numpy(zero_copy_only=False)
    kept = [
        s for s, moment_L in enumerate(moments) if np.isfinite(moment_L).all() if moment_L.any()
    ]
    if not kept:
        return np.empty((0, 0)), np.empty(0)
    return np.stack([moments[s] for s in kept], axis=1), rate_S[kept].astype(np.float64)


def explain_doubt(found: Flatness) -> str:
    """Why there is no answer, and whether the interval itself can be trusted."""
    if not found.exponent.determined:
        return found.exponent.reason
    wide = f"the interval holds 0 and is wider than ±{FLAT_WIDTH:g}"
    heavy = f"seeds vary by more than {HEAVY_TAIL:.0%} of their mean, so the interval is too narrow"
    return "; ".join(
        said
        for said, holds in ((wide, found.verdict == "undetermined"), (heavy, found.heavy_tailed))
        if holds
    )
