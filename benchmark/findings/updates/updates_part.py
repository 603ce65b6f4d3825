"""What an updates part found: does one step stay the same size at every depth?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from benchmark.analysis.ladders.local_exponents import ExponentProfile
from benchmark.analysis.ladders.one_step import Flatness, judge_flat, measure_flatness
from benchmark.analysis.ladders.update_profile import fit_update_profile
from benchmark.analysis.thresholds import HEAVY_TAIL, Judged
from benchmark.findings.arrays import read_first
from benchmark.findings.content import (
    Block,
    Figure,
    Item,
    Table,
    TableCell,
    format_interval,
    format_number,
    make_slug,
)
from benchmark.findings.ladders.laws import tabulate_local_exponents
from benchmark.findings.ladders.widths import split_widths
from benchmark.findings.plots import Curves
from benchmark.findings.updates.forward_moments import draw_forward_moments
from benchmark.findings.updates.moments import Chain, RuleUpdates, find_chain, read_updates
from benchmark.findings.updates.one_step_rates import (
    explain_tail,
    fit_one_step_rates,
    tabulate_one_step_laws,
    tabulate_one_step_rates,
)
from benchmark.findings.verdict import Findings, Verdict

QUESTION = "Does the mean update stay the same size at every depth?"
TOPIC = "Step stays flat"
BRANCH = "branch_multiplier"
SIZE = "E[Δz²] / its mean on the shallowest rung"


def judge_updates_part(part: Mapping[str, Any], table: pa.Table) -> Findings:
    """A verdict per rule, and its mean and maximum update against depth."""
    if part.get("widths"):
        return judge_widths(part, table)
    name = part["name"]
    depth = read_first(table, "architecture", "effective_depth")
    if len(set(depth.values())) < 3:
        return [], [Block("updates", name, ["Fewer than 3 rungs are done."])]
    chain = find_chain(part, list(depth))
    verdicts: list[Verdict] = []
    rows: list[tuple[TableCell, ...]] = []
    told: list[str] = []
    shared: dict[tuple[str, ...], list[RuleUpdates]] = {}
    for rule in part["rules"]:
        own = table.filter(pc.field("rule") == rule)
        updates = read_updates(own, rule, depth)
        head = (name, TOPIC, QUESTION, rule)
        if not updates.suffices:
            why = f"{len(updates.rungs)} of {len(depth)} rungs have a step that did not diverge"
            verdicts.append(Verdict(*head, "", "undetermined", why))
            continue
        weights = (read_first(own, "architecture", column) for column in ("initialization", BRANCH))
        shared.setdefault(tuple(map(str, weights)), []).append(updates)
        found = measure_rule(updates, chain)
        verdicts.append(judge_rule(head, updates, found, explain_tail(updates, chain)))
        for which, values in (("mean over layers", found.mean), ("maximum", found.maximum)):
            rows += [
                (rung, rule, which, d, v.estimate, v.low, v.high)
                for rung, d, v in zip(updates.rungs, updates.depth_D.tolist(), values, strict=True)
            ]
        ends = (found.mean[-1].estimate, found.maximum[-1].estimate)
        told.append(f"{rule} {format_number(ends[0])} (maximum {format_number(ends[1])})")
    if not shared:
        return verdicts, [Block("updates", name, ["Too few steps did not diverge to be drawn."])]
    drawn = [fit_one_step_rates(part, group) for group in shared.values()]
    first = {each.name: table.filter(pc.field("rule") == each.rules[0]) for each in drawn}
    items: tuple[Item, ...] = (
        draw_updates(name, rows, told),
        *tabulate_one_step_rates(drawn),
        *tabulate_one_step_laws(drawn, chain),
        *tabulate_local_exponents({each.name: each.means for each in drawn}),
        *draw_forward_moments(name, first, depth),
    )
    return verdicts, [Block("updates", name, items)]


def measure_rule(updates: RuleUpdates, chain: Chain | None) -> Flatness:
    """Whether the mean update is flat under a rule's own rates."""
    moments = updates.depth_D, updates.moments, updates.rates
    if chain is None:
        return measure_flatness(*moments)
    return measure_flatness(*moments, width=chain.width, layers_D=chain.layers_of(updates.rungs))


def judge_rule(
    head: tuple[str, str, str, str], updates: RuleUpdates, found: Flatness, tail: str
) -> Verdict:
    """The answer, from one line over all rungs, or from the deepest where that does not fit.

    ``tail`` says why the rungs carry no verdict, where they do not.
    """
    because = f"The mean over layers grows as depth to the power {format_interval(found.exponent)} "
    because += "seeds."
    judged = Judged(found.verdict, found.why, found.exponent)
    profile = None if tail else fit_growth(updates)
    if profile and profile.fits and judged.answer == "no":
        refuting = profile.refuting_line
        if refuting and refuting.contains(0):
            why = f"the interval leaves out 0, but not at {refuting.level:.0%}, the level that the "
            judged = Judged("undetermined", f"{why}test of the line leaves", found.exponent)
    elif profile and not profile.fits:
        deepest = profile.deepest
        rate = deepest.exponent  # of the one-step rate, which falls as the moments' root rises
        value = replace(rate, estimate=-2 * rate.estimate, low=-2 * rate.high, high=-2 * rate.low)
        where = f"between depths {deepest.shallow:g} and {deepest.deep:g}"
        why = f"one line does not fit (p = {format_number(profile.misfit_p)}): judged {where}"
        judged = judge_flat(value)
        judged = judged._replace(why=f"{why}; {judged.why}" if judged.why else why)
        because += f" From depth {deepest.shallow:g} to {deepest.deep:g}: {format_interval(value)}."
    doubts = [judged.why, *explain_tails(found)] if judged.why else explain_tails(found)
    return Verdict(*head, because, judged.answer, "; ".join(doubts), judged.value)


def fit_growth(updates: RuleUpdates) -> ExponentProfile | None:
    """The exponents of the one-step rate over the rule's own, whose square falls as the moments
    grow; None where rungs share a depth or have no seed in common."""
    if (np.diff(updates.depth_D) <= 0).any() or not updates.taken[0].size:
        return None
    return fit_update_profile(updates.depth_D, updates.taken)


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


def explain_tails(found: Flatness) -> list[str]:
    """What is said of intervals over seeds that vary too much."""
    heavy = f"seeds vary by more than {HEAVY_TAIL:.0%} of their mean, so the interval is too narrow"
    return [heavy] if found.heavy_tailed and found.exponent.determined else []
