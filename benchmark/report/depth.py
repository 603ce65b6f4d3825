"""What a depth part found: the best rate of every rung, its slope, and who predicts it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from benchmark.analysis.optimum import Optimum
from benchmark.analysis.slope import EXPONENTS
from benchmark.report import transfer
from benchmark.report.content import (
    Block,
    Figure,
    Findings,
    Table,
    Verdict,
    interval,
    number,
    sentence,
    slug,
)
from benchmark.report.figures import Panel, Series, curves
from benchmark.report.ladder import Ladder, Scheme
from benchmark.report.verdict import admits, exponent


def findings(part: Mapping[str, Any], table: pa.Table, colors: Mapping[str, int]) -> Findings:
    """Verdicts on the slope and on every rule's predictions, with their figures."""
    if table.num_rows == 0 or table["chance_loss"].drop_null().length() == 0:
        return Findings((), (Block("slope", part["name"], ("No rung is done yet.",)),))
    ladder = Ladder.of(part, table, colors)
    items = (loss_figure(ladder), slope_figure(ladder), optimum_table(ladder))
    predicted = transfer.items(ladder, colors)
    verdicts = [slope_verdict(ladder, scheme) for scheme in ladder.schemes]
    return Findings(
        (*verdicts, *transfer.verdicts(ladder)),
        (Block("slope", ladder.name, (*items, *predicted)),),
    )


def slope_verdict(ladder: Ladder, scheme: Scheme) -> Verdict:
    """Whether the optimum falls as depth to the power -3/2."""
    theory, *rivals = EXPONENTS
    answer, why = admits(scheme.slope.exponent, theory, rivals)
    because = (
        f"Exponent {interval(scheme.slope.exponent)} rungs; R² {number(scheme.slope.r_squared)}."
    )
    question = "Does the best rate fall as effective depth to the power −3/2?"
    return Verdict(
        ladder.name,
        "Best rate ~ depth^−3/2",
        question,
        f"{scheme.label} initialisation",
        answer,
        f"{because} {sentence(why)}".strip(),
    )


def loss_figure(ladder: Ladder) -> Figure:
    """The loss over the grid, a panel per rung."""
    name, title = slug(ladder.name, "loss"), f"{ladder.name}: training loss against rate"
    panels, rows = [], []
    for d, rung in enumerate(ladder.rungs):
        series, spans = [], []
        for scheme in ladder.schemes:
            optimum, mean_R = scheme.optima[d], scheme.mean_DR[d]
            drawn_R = np.isfinite(mean_R) & (mean_R < 1.25 * ladder.chance)
            series.append(
                Series(
                    label=scheme.label,
                    x=ladder.rate_R[drawn_R],
                    y=mean_R[drawn_R],
                    color=scheme.color,
                    hollow=not optimum.usable,
                )
            )
            if optimum.usable:
                spans.append((*log_bounds(optimum), scheme.color))
            rows += [
                (rung, scheme.label, float(rate), float(loss), int(np.isinf(loss)))
                for rate, loss in zip(ladder.rate_R, mean_R, strict=True)
                if not np.isnan(loss)
            ]
        panels.append(
            Panel(title=f"{rung} (depth {ladder.depth_D[d]:g})", series=series, spans=spans)
        )
    unusable = [
        f"{rung} ({scheme.label}: {optimum.status})"
        for scheme in ladder.schemes
        for rung, optimum in zip(ladder.rungs, scheme.optima, strict=True)
        if not optimum.usable
    ]
    finding = (
        "Mean over seeds; the vertical line is the optimum and the band its interval, the dotted "
        "line the loss of guessing; rates at which a seed diverged are not drawn. "
    )
    finding += (
        f"Hollow points, shown but not fitted: {', '.join(unusable)}."
        if unusable
        else "Every rung has its optimum inside the grid."
    )
    columns = ("rung", "initialisation", "rate", "mean training loss", "a seed diverged")
    drawn = curves(
        name,
        title,
        panels,
        "learning rate",
        "training loss (last epoch)",
        log="x",
        columns=3,
        height=1.75,
        level=ladder.chance,
    )
    return Figure(name, title, finding, drawn, Table(title, columns, rows))


def log_bounds(optimum: Optimum) -> tuple[float, float, float]:
    """Low, middle and high of an optimum's rate; all the same where it has no interval."""
    if not optimum.log10_rate.determined:
        return (optimum.rate,) * 3
    return float(10**optimum.log10_rate.low), optimum.rate, float(10**optimum.log10_rate.high)


def slope_figure(ladder: Ladder) -> Figure:
    """The optimum against effective depth, with the fit and the theories' slopes."""
    name, title = slug(ladder.name, "slope"), f"{ladder.name}: the best rate against depth"
    series, rows, said = [], [], []
    span_2 = ladder.depth_D[[0, -1]]
    for scheme in ladder.schemes:
        bounds_D3 = np.array([log_bounds(optimum) for optimum in scheme.optima])
        usable_D = np.array([optimum.usable for optimum in scheme.optima])
        for chosen_D, label, hollow in ((usable_D, scheme.label, False), (~usable_D, "", True)):
            if chosen_D.any():
                low, rate, high = bounds_D3[chosen_D].T
                series.append(
                    Series(
                        label=label,
                        x=ladder.depth_D[chosen_D],
                        y=rate,
                        low=low,
                        high=high,
                        color=scheme.color,
                        line="",
                        hollow=hollow,
                    )
                )
        slope = scheme.slope.exponent
        if np.isfinite(slope.estimate):
            fitted = scheme.slope.prefactor * span_2**slope.estimate
            series.append(Series(label="", x=span_2, y=fitted, color=scheme.color, marker=False))
        said.append(f"{scheme.label} {interval(slope)}")
        rows += [
            (rung, scheme.label, int(depth), *map(float, bounds), optimum.status)
            for rung, depth, bounds, optimum in zip(
                ladder.rungs, ladder.depth_D, bounds_D3, scheme.optima, strict=True
            )
        ]
    start = next((o.rate for s in ladder.schemes for o in s.optima if o.usable), 1.0)
    for theory, line in zip(EXPONENTS, (":", "--", "-."), strict=True):
        label = f"slope {exponent(theory)}"
        y = start * (span_2 / span_2[0]) ** theory
        series.append(Series(label=label, x=span_2, y=y, line=line, marker=False))
    finding = f"Fitted exponents: {'; '.join(said)}. Hollow points are not fitted."
    columns = ("rung", "initialisation", "effective depth", "low", "best rate", "high", "status")
    drawn = curves(
        name,
        title,
        [Panel(title="", series=series)],
        "effective depth (layers and additions)",
        "best learning rate",
        x_ticks=ladder.depth_D,
        height=3.6,
    )
    return Figure(name, title, finding, drawn, Table(title, columns, rows))


def optimum_table(ladder: Ladder) -> Table:
    """Every rung's optimum and how it was found."""
    return Table(
        "Optima: fitted at a parabola's vertex; cliff where the next rate diverges; else not used",
        ("rung", "initialisation", "status", "best rate", "loss there", "largest stable rate"),
        [
            (rung, scheme.label, optimum.status, optimum.rate, optimum.loss)
            + (("≥ " * optimum.stable_censored) + number(optimum.largest_stable_rate),)
            for scheme in ladder.schemes
            for rung, optimum in zip(ladder.rungs, scheme.optima, strict=True)
        ],
    )
