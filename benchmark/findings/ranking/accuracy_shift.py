"""What a rank part found about accuracy: the paired shift, whom it favors, what it follows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from benchmark import rules
from benchmark.analysis.holm import adjust_p_values
from benchmark.analysis.intervals import Array, Interval
from benchmark.analysis.ranking.accuracy_shift import Shift, correlate_shift, measure_accuracy_shift
from benchmark.analysis.thresholds import ACCURACY_MARGIN
from benchmark.analysis.tuning.constant_pairs import Mixture, mix_statistic
from benchmark.findings.arrays import read_first
from benchmark.findings.content import (
    Block,
    Figure,
    Table,
    TableCell,
    format_interval,
    format_number,
    make_slug,
    tabulate_intervals,
)
from benchmark.findings.plots import Curves, Forest
from benchmark.findings.ranking.constants import TITLES, show_mixtures, tell_mixture
from benchmark.findings.ranking.rank_arrays import RankArrays
from benchmark.findings.verdict import Findings, Verdict, judge_gain

PLACEBO_QUESTION = "Does it gain more than its own rates dealt to random architectures?"
COVARIATES = ("effective_depth", "log2_sum_cubes", "convolutions", "parameters")
THIRDS = ("bottom third", "middle third", "top third")


def judge_accuracy(ranked: RankArrays) -> Findings:
    """Verdicts on accuracy against the default and against the placebo, with their figures."""
    others = ranked.others
    mixed = {rule: mix_shift(ranked, ranked.base, rule) for rule in others}
    question = f"Does test accuracy rise against {ranked.base}?"
    verdicts = judge_shifts(ranked.name, "Accuracy rises", question, mixed)
    placebos = {rule: rules.placebo_of(rule, others) for rule in others}
    against = {
        rule: mix_shift(ranked, placebo, rule) for rule, placebo in placebos.items() if placebo
    }
    if against:
        verdicts += judge_shifts(ranked.name, "Beats the placebo", PLACEBO_QUESTION, against)
    shifts = {rule: shift for rule, (shift, _) in mixed.items()}
    strips = show_mixtures(
        ranked,
        {
            title: {rule: mixture for rule, (_, mixture) in each.items()}
            for title, each in ((TITLES[0], mixed), (TITLES[2], against))
        },
    )
    drawn = (draw_thirds(ranked, shifts), draw_architectures(ranked, shifts))
    items = (*drawn, *strips, tabulate_bias(ranked, shifts))
    return verdicts, [Block("shift", ranked.name, items)]


def mix_shift(ranked: RankArrays, reference: str, rule: str) -> tuple[Shift, Mixture]:
    """The shift from one rule to another, its mean and p over the likely constants."""
    measured: list[Shift] = []

    def measure(reference_AS: Array, rule_AS: Array) -> tuple[Interval, float]:
        found = measure_accuracy_shift(reference_AS, rule_AS)
        measured.append(found)
        return found.mean, found.p

    mixed = mix_statistic(ranked.at_constants(reference), ranked.at_constants(rule), measure)
    return replace(measured[0], mean=mixed.interval, p=mixed.p), mixed


def judge_shifts(
    part: str, topic: str, question: str, shifts: Mapping[str, tuple[Shift, Mixture]]
) -> list[Verdict]:
    """Whether each mean shift is above 0."""
    adjusted = adjust_p_values({rule: shift.p for rule, (shift, _) in shifts.items()})
    verdicts = []
    for rule, (shift, mixed) in shifts.items():
        because = f"Mean change {tell_mixture(mixed, 100, ' points')}; "
        because += f"{100 * shift.share_improved.estimate:.0f}% of architectures improve."
        judged = judge_gain(shift.mean, ACCURACY_MARGIN, adjusted[rule].adjusted, 100)
        verdicts.append(Verdict(part, topic, question, rule, because, *judged))
    return verdicts


def draw_thirds(ranked: RankArrays, shifts: Mapping[str, Shift]) -> Figure:
    """The mean shift of every rule, over all and by thirds of the default's ranking."""
    values = {
        (rule, who): value
        for rule, shift in shifts.items()
        for who, value in zip(("all", *THIRDS), (shift.mean, *shift.thirds), strict=True)
    }
    best = max(shifts, key=lambda rule: shifts[rule].mean.estimate)
    thirds = ", ".join(f"{who} {format_number(100 * values[best, who].estimate)}" for who in THIRDS)
    highest = format_interval(shifts[best].mean, 100, " points")
    return Figure(
        make_slug(ranked.name, "shift"),
        f"The highest mean change is {best}'s, {highest}; by "
        f"thirds of {ranked.base}'s ranking (formed on other seeds): {thirds} points.",
        tabulate_intervals(f"{ranked.name}: change of test accuracy", values, 100),
        Forest(
            "change of test accuracy (percentage points)",
        ),
    )


def draw_architectures(ranked: RankArrays, shifts: Mapping[str, Shift]) -> Figure:
    """Every architecture's shift against its accuracy under the default."""
    rows = [
        (architecture, rule, 100 * accuracy, 100 * change)
        for rule, shift in shifts.items()
        for architecture, accuracy, change in zip(
            ranked.architectures, ranked.base_AS.mean(axis=1), shift.shift_A.tolist(), strict=True
        )
        if np.isfinite(change)
    ]
    lose = [f"{np.sum(shift.shift_A < 0):,} under {rule}" for rule, shift in shifts.items()]
    x, y = f"test accuracy under {ranked.base} (%)", "change (points)"
    return Figure(
        make_slug(ranked.name, "change"),
        f"Of {len(ranked.architectures):,} architectures, these lose: {', '.join(lose)}.",
        Table(f"{ranked.name}: each architecture's change", ("architecture", "rule", x, y), rows),
        Curves(
            (x, y, "rule"),
            panel="rule",
            joined=False,
            log="",
            level=0,
        ),
    )


def tabulate_bias(ranked: RankArrays, shifts: Mapping[str, Shift]) -> Table:
    """Spearman's correlation of every rule's shift with what the architecture is."""
    covariates = {}
    for column in COVARIATES:
        value = read_first(ranked.table, "architecture", column)
        value_A = np.array(
            [value.get(name, np.nan) for name in ranked.architectures], dtype=np.float64
        )
        if np.isfinite(value_A).all() and np.ptp(value_A) > 0:
            covariates[column.replace("_", " ")] = value_A
    rows: list[list[TableCell]] = [
        [
            rule,
            *(found.correlation for found in correlate_shift(shift.shift_A, covariates).values()),
        ]
        for rule, shift in shifts.items()
    ]
    title = "Bias check: does the change follow what the architecture is? Spearman's correlation"
    return Table(title, ("rule", *covariates), rows)
