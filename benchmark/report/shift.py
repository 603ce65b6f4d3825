"""What a rank part found about accuracy: the paired shift, whom it favours, and who moved."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from benchmark.analysis.family import holm
from benchmark.analysis.shift import Shift, accuracy_shift, bias_check
from benchmark.report import figures
from benchmark.report.arrays import first
from benchmark.report.content import (
    Block,
    Figure,
    Findings,
    Table,
    Verdict,
    interval,
    interval_data,
    number,
    percent,
    sentence,
    slug,
)
from benchmark.report.verdict import ACCURACY_MARGIN, exceeds

if TYPE_CHECKING:
    from benchmark.report.rank import Ranked

PLACEBO = "shuffled"
COVARIATES = ("effective_depth", "log2_sum_cubes", "convolutions", "parameters")
THIRDS = ("bottom third", "middle third", "top third")


def findings(ranked: Ranked, colors: Mapping[str, int]) -> Findings:
    """Verdicts on accuracy against the default and against the placebo, with their figures."""
    shifts = {
        rule: accuracy_shift(ranked.reference_AS, acc_AS) for rule, acc_AS in ranked.others.items()
    }
    verdicts = verdicts_of(
        ranked, "Accuracy rises", f"Does test accuracy rise against {ranked.rules[0]}?", shifts
    )
    if PLACEBO in ranked.others:
        against = {
            rule: accuracy_shift(ranked.others[PLACEBO], acc_AS)
            for rule, acc_AS in ranked.others.items()
            if rule != PLACEBO
        }
        question = "Does it gain more than the same rates dealt to random architectures (shuffled)?"
        verdicts += verdicts_of(ranked, "Beats the placebo", question, against)
    items = (forest(ranked, shifts, colors), scatter(ranked, shifts, colors), bias(ranked, shifts))
    return Findings(verdicts, (Block("shift", ranked.name, items),))


def verdicts_of(
    ranked: Ranked, topic: str, question: str, shifts: Mapping[str, Shift]
) -> tuple[Verdict, ...]:
    """Whether each mean shift is above 0."""
    adjusted = holm({rule: shift.p for rule, shift in shifts.items()})
    result = []
    for rule, shift in shifts.items():
        answer, why = exceeds(shift.mean, ACCURACY_MARGIN, adjusted[rule].adjusted, 100)
        because = (
            f"Mean change {interval(shift.mean, 100, ' points')}; "
            f"{percent(shift.share_improved.estimate)} of architectures improve."
        )
        result.append(
            Verdict(
                ranked.name, topic, question, rule, answer, f"{because} {sentence(why)}".strip()
            )
        )
    return tuple(result)


def forest(ranked: Ranked, shifts: Mapping[str, Shift], colors: Mapping[str, int]) -> Figure:
    """The mean shift of every rule, over all and by thirds of the default's ranking."""
    name, title = slug(ranked.name, "shift"), f"{ranked.name}: change of test accuracy"
    values = {
        (rule, who): value
        for rule, shift in shifts.items()
        for who, value in zip(("all", *THIRDS), (shift.mean, *shift.thirds), strict=True)
    }
    best = max(shifts, key=lambda rule: shifts[rule].mean.estimate)
    thirds = ", ".join(
        f"{who} {number(100 * value.estimate)}"
        for who, value in zip(THIRDS, shifts[best].thirds, strict=True)
    )
    finding = (
        f"The largest mean change is {best}'s, {interval(shifts[best].mean, 100, ' points')}; by "
        f"thirds of the default ranking (formed on other seeds): {thirds} points."
    )
    drawn = figures.forest(
        name,
        title,
        [(f"{rule}, {who}", value, colors[rule]) for (rule, who), value in values.items()],
        "change of test accuracy (percentage points)",
        scale=100,
    )
    data = interval_data(title, {", ".join(key): value for key, value in values.items()}, 100)
    return Figure(name, title, finding, drawn, data)


def scatter(ranked: Ranked, shifts: Mapping[str, Shift], colors: Mapping[str, int]) -> Figure:
    """Every architecture's shift against its accuracy under the default."""
    title = f"{ranked.name}: each architecture's change"
    name = slug(ranked.name, "change")
    accuracy_A = 100 * ranked.reference_AS.mean(axis=1)
    panels, rows = [], []
    for rule, shift in shifts.items():
        finite_A = np.isfinite(shift.shift_A)
        x, y = accuracy_A[finite_A], 100 * shift.shift_A[finite_A]
        panels.append(
            figures.Panel(
                title=rule,
                series=[figures.Series(label=rule, x=x, y=y, color=colors[rule], line="")],
            )
        )
        kept = np.array(ranked.architectures)[finite_A]
        rows += [(a, rule, float(p), float(q)) for a, p, q in zip(kept, x, y, strict=True)]
    over = {rule: int((shift.shift_A < 0).sum()) for rule, shift in shifts.items()}
    finding = "Architectures that lose: " + ", ".join(
        f"{count} of {len(ranked.architectures)} under {rule}" for rule, count in over.items()
    )
    drawn = figures.curves(
        name,
        title,
        panels,
        f"test accuracy under {ranked.rules[0]} (%)",
        "change (points)",
        log="",
        columns=3,
        level=0.0,
        legend=False,
    )
    columns = ("architecture", "rule", f"accuracy under {ranked.rules[0]} (%)", "change (points)")
    return Figure(name, title, finding + ".", drawn, Table(title, columns, rows))


def bias(ranked: Ranked, shifts: Mapping[str, Shift]) -> Table:
    """Spearman's correlation of every rule's shift with what the architecture is."""
    covariates = {}
    for column in COVARIATES:
        value = first(ranked.table, "architecture", column)
        value_A = np.array([value[name] for name in ranked.architectures], dtype=np.float64)
        if np.isfinite(value_A).all() and np.ptp(value_A) > 0:
            covariates[column.replace("_", " ")] = value_A
    rows = [
        (rule, *(bias.correlation for bias in bias_check(shift.shift_A, covariates).values()))
        for rule, shift in shifts.items()
    ]
    return Table(
        "Bias check: does the change follow what the architecture is? Spearman's correlation",
        ("rule", *covariates),
        rows,
    )
