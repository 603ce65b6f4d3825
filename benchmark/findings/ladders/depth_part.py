"""What a depth part found: the best rate of every rung, its slope, and who predicts it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from benchmark.analysis.ladders.optimum import Optimum
from benchmark.analysis.ladders.slope import EXPONENTS
from benchmark.findings.content import Block, Figure, Table, interval, number, slug
from benchmark.findings.ladders import transfer
from benchmark.findings.ladders.ladder_arrays import Ladder
from benchmark.findings.plots import Curves
from benchmark.findings.verdict import HELD, Findings, Verdict, admits, exponent, held

QUESTION = "Does the best rate fall as effective depth to the power −3/2?"
BEST = "best learning rate"
DEPTH = "effective depth (layers and additions)"


def findings(part: Mapping[str, Any], table: pa.Table, colors: Mapping[str, int]) -> Findings:
    """Verdicts on the slope and on every rule's predictions, with their figures."""
    if not table["chance_loss"].drop_null():
        return [], [Block("slope", part["name"], ["No rung is done yet."])]
    ladder = Ladder.of(part, table)
    own = {scheme.name: colors[scheme.rules[0]] for scheme in ladder.schemes}
    verdicts = []
    for scheme in ladder.schemes:
        slope = scheme.slope
        because = f"Exponent {interval(slope.exponent)} rungs; R² {number(slope.r_squared)}."
        judged = admits(slope.exponent, EXPONENTS[0], EXPONENTS[1:])
        label = f"initialisation {scheme.name}"
        verdicts.append(
            Verdict(ladder.name, "Best rate ~ depth^−3/2", QUESTION, label, because, *judged)
        )
    items = (loss_figure(ladder, own), slope_figure(ladder, own))
    predicted = transfer.items(ladder, colors)
    block = Block("slope", ladder.name, (*items, exponents(ladder), *predicted))
    return [*verdicts, *transfer.verdicts(ladder)], [block]


def exponents(ladder: Ladder) -> Table:
    """The exponent of every initialisation, and the same looked at otherwise."""
    rows = [
        (scheme.name, how, slope.exponent, slope.r_squared, held(slope.exponent))
        for scheme in ladder.schemes
        for how, slope in {"layers and additions": scheme.slope, **scheme.slopes}.items()
    ]
    columns = ("initialisation", "depth", "exponent", "R²", HELD)
    return Table("The exponent, by what counts as depth and what is left out", columns, rows)


def log_bounds(optimum: Optimum) -> tuple[float, float, float]:
    """Low, middle and high of an optimum's rate; all the same where it has no interval."""
    value = optimum.log10_rate
    if not value.determined:
        return (optimum.rate,) * 3
    return float(10**value.low), optimum.rate, float(10**value.high)


def loss_figure(ladder: Ladder, colors: Mapping[str, int]) -> Figure:
    """The loss over the grid, a panel per rung."""
    rows, unusable = [], []
    spans: dict[str, list[tuple[float, float, float, int]]] = {}
    for scheme, d, rung, optimum in ladder.optima():
        used = "yes" if optimum.usable else "no"
        rows += [
            (rung, scheme.name, rate, loss, used)
            for rate, loss in zip(ladder.rate_R.tolist(), scheme.mean_DR[d].tolist(), strict=True)
            if not np.isnan(loss)
        ]
        if optimum.usable:
            spans.setdefault(rung, []).append((*log_bounds(optimum), colors[scheme.name]))
        else:
            unusable.append(f"{rung} ({scheme.name}: {optimum.status})")
    finding = (
        f"Hollow, shown but not fitted: {', '.join(unusable)}."
        if unusable
        else "Every rung has its optimum inside the grid."
    )
    columns = ("rung", "initialisation", "learning rate", "training loss (last epoch)", "used")
    return Figure(
        slug(ladder.name, "loss"),
        f"{finding} Means over seeds; a vertical line is an optimum and its band the interval, the "
        "dotted line is the loss of guessing; rates at which a seed diverged are not drawn.",
        Table(f"{ladder.name}: training loss against rate", columns, rows),
        Curves(
            ("learning rate", "training loss (last epoch)", "initialisation"),
            colors,
            panel="rung",
            log="x",
            level=ladder.chance,
            y_max=1.25 * ladder.chance,
            spans=spans,
            height=1.75,
        ),
    )


def slope_figure(ladder: Ladder, colors: Mapping[str, int]) -> Figure:
    """The optimum against effective depth, with the fit and the theories' slopes."""
    rows = []
    for scheme, d, rung, optimum in ladder.optima():
        rate, used = log_bounds(optimum), "yes" if optimum.usable else "no"
        stable = ("≥ " if optimum.stable_censored else "") + number(optimum.largest_stable_rate)
        depth = int(ladder.depth_D[d])
        rows.append((rung, scheme.name, depth, *rate, optimum.loss, optimum.status, used, stable))
    columns = ("rung", "initialisation", DEPTH, "low", BEST, "high", "loss there", "status", "used")
    ends = ladder.depth_D[[0, -1]]
    start = next((o.rate for _, _, _, o in ladder.optima() if o.usable), 1.0)
    lines = [
        (f"slope {exponent(theory)}", ends, start * (ends / ends[0]) ** theory, style, 0)
        for theory, style in zip(EXPONENTS, (":", "--", "-."), strict=True)
    ]
    said = []
    for scheme in ladder.schemes:
        value = scheme.slope.exponent
        said.append(f"{scheme.name} {interval(value)}")
        fitted = scheme.slope.prefactor * ends**value.estimate
        lines.append(("", ends, fitted, "-", colors[scheme.name]))
    return Figure(
        slug(ladder.name, "slope"),
        f"Fitted exponents: {'; '.join(said)}. Solid lines are fits, hollow points are not fitted.",
        Table(
            f"{ladder.name}: the best rate against depth", (*columns, "largest stable rate"), rows
        ),
        Curves(
            (DEPTH, BEST, "initialisation"),
            colors,
            bars=("low", "high"),
            line="",
            ticks=ladder.depth_D,
            lines=lines,
            height=3.6,
        ),
    )
