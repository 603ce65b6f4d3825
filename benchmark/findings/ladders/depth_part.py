"""What a depth part found: the best rate of every rung, its slope, and who predicts it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa

from benchmark.analysis.ladders.exponent_verdict import format_exponent
from benchmark.analysis.ladders.optimum import Optimum
from benchmark.analysis.ladders.slope import EXPONENTS
from benchmark.findings.content import (
    Block,
    Figure,
    Item,
    Table,
    format_interval,
    format_number,
    make_slug,
)
from benchmark.findings.ladders import transfer, widths
from benchmark.findings.ladders.aligned_curves import show_aligned_curves
from benchmark.findings.ladders.arrays.drawn_rungs import choose_drawn, tell_drawn
from benchmark.findings.ladders.arrays.ladder_arrays import DepthArrays
from benchmark.findings.ladders.laws import judge_laws, tabulate_local_exponents
from benchmark.findings.ladders.other_criteria import tabulate_other_criteria
from benchmark.findings.ladders.update_curves import draw_update_curves
from benchmark.findings.plots import Curves, Line, Span
from benchmark.findings.verdict import (
    EXPONENTS_HEADING,
    Findings,
    Verdict,
    name_exponents,
)
from benchmark.study.rates import LOSS_NAMES

BEST = "best learning rate"
DEPTH = "effective depth (layers and additions)"


def judge_depth_part(part: Mapping[str, Any], table: pa.Table) -> Findings:
    """Verdicts on the slope and on every rule's predictions, with their figures."""
    if part.get("widths"):
        return judge_widths(part, table)
    ladder = DepthArrays.of(part, table)
    if not ladder.schemes:
        why = "The data have one class: there is nothing to guess, and no optimum to find."
        if not table["chance_loss"].drop_null():
            why = "No rung is done yet."
        return [], [Block("slope", part["name"], [why])]
    profiles = {scheme.name: scheme.profiles for scheme in ladder.schemes}
    verdicts = judge_laws(ladder.name, profiles, ladder.units)
    items = (draw_losses(ladder), draw_slopes(ladder), *draw_update_curves(ladder, table))
    exponents = (
        tabulate_exponents(ladder),
        *tabulate_other_criteria(ladder),
        *tabulate_local_exponents(profiles),
    )
    predicted = transfer.show_transfers(ladder)
    block = Block("slope", ladder.name, (*items, *exponents, *predicted))
    opening = Block("answer", ladder.name, show_aligned_curves(ladder))
    return [*verdicts, *transfer.judge_transfers(ladder)], [opening, block]


def judge_widths(part: Mapping[str, Any], table: pa.Table) -> Findings:
    """A ladder for every width, exponents in width, and each rule over all rungs of all widths.

    Laws of depth are judged at every width; a rule's constant comes from the shallowest rung at the
    first width.
    """
    split = widths.split_widths(part, table)
    whole = widths.join_widths(part, split)
    if not whole.schemes:
        return [], [Block("slope", part["name"], ["No rung is done yet."])]
    verdicts: list[Verdict] = []
    items: list[Item] = []
    for at in split:
        ladder = replace(DepthArrays.of(at.part, at.rows, transfers=False), name=at.name)
        if not ladder.schemes:
            items.append(f"{at.name}: no rung is done yet.")
            continue
        profiles = {f"{each.name}, width {at.width}": each.profiles for each in ladder.schemes}
        verdicts += judge_laws(part["name"], profiles, ladder.units)
        items += [draw_losses(ladder), draw_slopes(ladder), *draw_update_curves(ladder, at.rows)]
        exponents = (
            tabulate_exponents(ladder),
            *tabulate_other_criteria(ladder),
            *tabulate_local_exponents(profiles),
        )
        items += [replace(each, title=f"{at.name}. {each.title}") for each in exponents]
    items += [
        widths.tabulate_width_exponents(whole, split),
        *widths.tabulate_excess_by_width(whole, split),
        *transfer.show_transfers(whole),
    ]
    figures = show_aligned_curves(whole, widths.list_rung_widths(split))
    opening = Block("answer", part["name"], figures)
    block = Block("slope", part["name"], items)
    return [*verdicts, *transfer.judge_transfers(whole)], [opening, block]


def tabulate_exponents(ladder: DepthArrays) -> Table:
    """The exponent of every initialization, and the same looked at otherwise."""
    rows = [
        (scheme.name, how, slope.exponent, slope.r_squared, name_exponents(slope.exponent))
        for scheme in ladder.schemes
        for how, slope in {"layers and additions": scheme.slope, **scheme.slopes}.items()
    ]
    columns = ("initialization", "what", "exponent", "R²", EXPONENTS_HEADING)
    return Table(
        "The exponent of one line, by what counts as depth, which rate, and what is left out",
        columns,
        rows,
    )


def find_rate_bounds(optimum: Optimum) -> tuple[float, float, float]:
    """Low, middle and high of an optimum's rate; all the same where it has no interval."""
    value = optimum.log10_rate
    if not value.determined:
        return (optimum.rate,) * 3
    return float(10**value.low), optimum.rate, float(10**value.high)


def name_rules(ladder: DepthArrays) -> dict[str, str]:
    """Each initialization's first rule, whose look it has."""
    return {scheme.name: scheme.rules[0] for scheme in ladder.schemes}


def draw_losses(ladder: DepthArrays) -> Figure:
    """The loss over the grid, a panel per rung that is drawn."""
    rows, unusable = [], []
    drawn = choose_drawn(len(ladder.rungs))
    spans: dict[str, list[Span]] = {}
    for scheme, d, rung, optimum in ladder.optima():
        used = "yes" if optimum.usable else "no"
        rows += [
            (rung, scheme.name, rate, loss, used)
            for rate, loss in zip(ladder.rate_R.tolist(), scheme.mean_DR[d].tolist(), strict=True)
            if d in drawn and not np.isnan(loss)
        ]
        if optimum.usable:
            spans.setdefault(rung, []).append(Span(*find_rate_bounds(optimum), scheme.name))
        else:
            unusable.append(f"{rung} ({scheme.name}: {optimum.status})")
    finding = (
        f"Hollow, shown but not fitted: {', '.join(unusable)}."
        if unusable
        else "Every rung has its optimum inside the grid."
    )
    loss_name = LOSS_NAMES[ladder.criterion]
    columns = ("rung", "initialization", "learning rate", loss_name, "used")
    return Figure(
        make_slug(ladder.name, "loss"),
        f"{finding} Means over seeds; a vertical line is an optimum and its band the interval, the "
        "dotted line is the loss of guessing; rates at which a seed diverged are not drawn."
        + tell_drawn(len(ladder.rungs)),
        Table(f"{ladder.name}: training loss against rate", columns, rows),
        Curves(
            ("learning rate", loss_name, "initialization"),
            panel="rung",
            log="x",
            level=ladder.chance,
            y_max=1.25 * ladder.chance,
            spans=spans,
            rules=name_rules(ladder),
        ),
    )


def draw_slopes(ladder: DepthArrays) -> Figure:
    """The optimum against effective depth, with the fit and the theories' slopes."""
    rows = []
    for scheme, d, rung, optimum in ladder.optima():
        rate, used = find_rate_bounds(optimum), "yes" if optimum.usable else "no"
        stable = ("≥ " if optimum.stable_censored else "") + format_number(
            optimum.largest_stable_rate
        )
        depth = int(ladder.depth_D[d])
        rows.append((rung, scheme.name, depth, *rate, optimum.loss, optimum.status, used, stable))
    columns = ("rung", "initialization", DEPTH, "low", BEST, "high", "loss there", "status", "used")
    ends = ladder.depth_D[[0, -1]]
    start = next((o.rate for _, _, _, o in ladder.optima() if o.usable), 1.0)
    lines = [
        Line(f"slope {format_exponent(theory)}", ends, start * (ends / ends[0]) ** theory, "theory")
        for theory in EXPONENTS
    ]
    said = []
    for scheme in ladder.schemes:
        value = scheme.slope.exponent
        said.append(f"{scheme.name} {format_interval(value)}")
        fitted = scheme.slope.prefactor * ends**value.estimate
        if np.isfinite(fitted).all():
            lines.append(Line("", ends, fitted, "fit", scheme.name))
    return Figure(
        make_slug(ladder.name, "slope"),
        f"Fitted exponents: {'; '.join(said)}. Solid lines are fits, hollow points are not fitted.",
        Table(
            f"{ladder.name}: the best rate against depth", (*columns, "largest stable rate"), rows
        ),
        Curves(
            (DEPTH, BEST, "initialization"),
            bars=("low", "high"),
            joined=False,
            ticks=ladder.depth_D,
            lines=lines,
            rules=name_rules(ladder),
        ),
    )
