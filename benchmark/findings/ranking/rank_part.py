"""What a rank part found: does the order of architectures change by more than seed noise?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from benchmark.analysis.correlation.kendall import tau_matrix
from benchmark.analysis.holm import adjust_p_values
from benchmark.analysis.intervals import Array, Interval
from benchmark.analysis.ranking.rank_agreement import RankAgreement, measure_rank_agreement
from benchmark.analysis.thresholds import TAU_MARGIN
from benchmark.analysis.tuning.constant_pairs import Mixture, mix_statistic
from benchmark.findings.content import (
    Block,
    Figure,
    Table,
    TableCell,
    format_number,
    make_slug,
    tabulate_intervals,
)
from benchmark.findings.plots import Forest, HeatMap
from benchmark.findings.ranking import accuracy_shift, constants, movers, other_measures
from benchmark.findings.ranking.learning_curves import draw_learning_curves
from benchmark.findings.ranking.rank_arrays import RankArrays
from benchmark.findings.verdict import Findings, Verdict, judge_gain
from benchmark.study.stage import RANK

MOST_COLUMNS = 24  # of the heat map
QUESTION = "Does the order of architectures change by more than seed noise?"


def judge_rank_part(part: Mapping[str, Any], table: pa.Table) -> Findings:
    """Verdicts on the ranking and on accuracy, with their figures."""
    ranked = RankArrays.of(part, table)
    if len(ranked.architectures) < 4 or not ranked.others:
        why = (
            f"{len(ranked.architectures)} architectures of {1 + len(ranked.others)} rules are done"
        )
        return [], [Block("rank", ranked.name, [f"Nothing to compare yet: {why}."])]
    both = {rule: mix_delta(ranked, rule) for rule in ranked.others}
    found = {rule: agreement for rule, (agreement, _) in both.items()}
    mixed = {rule: mixture for rule, (_, mixture) in both.items()}
    adjusted = adjust_p_values({rule: agreement.p for rule, agreement in found.items()})
    verdicts: list[Verdict] = []
    rows: list[tuple[TableCell, ...]] = []
    for rule, each in found.items():
        taus = format_number(each.cross.estimate), format_number(each.ceiling.estimate)
        because = (
            f"Delta {constants.tell_mixture(mixed[rule])}: tau is {taus[0]} across rules and "
            f"{taus[1]} between seeds of one rule."
        )
        judged = judge_gain(each.delta, TAU_MARGIN, adjusted[rule].adjusted)
        verdicts.append(Verdict(ranked.name, "Ranking changes", QUESTION, rule, because, *judged))
        rows.append((rule, each.cross, each.ceiling, each.delta, each.p, adjusted[rule].adjusted))
        if not ranked.finite_A.all():
            rows.append(
                (f"{rule}, without diverged", *leave_out_diverged(ranked, rule), None, None)
            )
    columns = ("rule", "cross", "ceiling", "delta", "p", "p (Holm)")
    table_of_taus = Table(f"Agreement with {ranked.base}, tau-b", columns, rows)
    title = f"{ranked.name}: delta, the agreement lost beyond seed noise"
    clear = [rule for rule, each in found.items() if each.delta.low > 0]
    delta = Figure(
        make_slug(ranked.name, "delta"),
        f"Above 0 with its whole interval: {', '.join(clear) or 'no rule'}. Dotted lines mark 0 "
        f"and {TAU_MARGIN}, the smallest change of interest.",
        tabulate_intervals(title, {(rule, ""): each.delta for rule, each in found.items()}),
        Forest(
            "delta = ceiling − cross (tau-b)",
            at=(0, TAU_MARGIN),
        ),
    )
    shifted, blocks = accuracy_shift.judge_accuracy(ranked)
    others = (
        *other_measures.show_other_measures(ranked),
        *constants.tabulate_constants(ranked),
        *constants.show_mixtures(ranked, {constants.TITLES[1]: mixed}),
    )
    items = (draw_taus(ranked), delta, table_of_taus, *others)
    learned = draw_learning_curves(ranked.name, table.filter(pc.field("stage") == RANK))
    blocks = [Block("rank", ranked.name, items), *blocks]
    blocks += [Block("shift", "", learned), movers.show_architectures(part, ranked)]
    return [*verdicts, *shifted], blocks


def mix_delta(ranked: RankArrays, rule: str) -> tuple[RankAgreement, Mixture]:
    """A rule's agreement with the default, delta and its p over the likely constants."""
    measured: list[RankAgreement] = []

    def measure(reference_AS: Array, rule_AS: Array) -> tuple[Interval, float]:
        found = measure_rank_agreement(reference_AS, rule_AS)
        measured.append(found)
        return found.delta, found.p

    tables = ranked.at_constants(ranked.base), ranked.at_constants(rule)
    mixed = mix_statistic(*tables, measure, one_sided=True)
    return replace(measured[0], delta=mixed.interval, p=mixed.p), mixed


def leave_out_diverged(ranked: RankArrays, rule: str) -> tuple[Interval, Interval, Interval]:
    """Cross, ceiling and delta again, without the architectures that diverged anywhere."""
    kept_A = ranked.finite_A
    if kept_A.sum() < 2:
        return (Interval.undetermined("too few are left"),) * 3
    kept = (ranked.base_AS[kept_A], ranked.others[rule][kept_A])
    found = measure_rank_agreement(*kept, permutations=0)
    return found.cross, found.ceiling, found.delta


def draw_taus(ranked: RankArrays) -> Figure:
    """tau-b of every rule and seed with every other."""
    rules = [ranked.base, *ranked.others]
    seeds = min(ranked.base_AS.shape[1], max(2, MOST_COLUMNS // len(rules)))
    acc_RAS = np.array([ranked.base_AS, *ranked.others.values()])[:, :, :seeds]
    labels = [f"{rule}, seed {seed}" for rule in rules for seed in range(seeds)]
    tau_CC = tau_matrix(acc_RAS)
    near_R = tau_CC[:seeds].reshape(seeds, len(rules), seeds).mean(axis=(0, 2))
    finding = (
        f"Each square compares two rankings of the same {len(ranked.architectures):,} "
        f"architectures; farthest from {ranked.base} on average is "
        f"{rules[int(np.argmin(near_R))]}. A rule that "
        "changes nothing shows the same shades across rules as between its own seeds."
    )
    if seeds < ranked.base_AS.shape[1]:
        finding += f" Drawn are the first {seeds} of {ranked.base_AS.shape[1]} seeds."
    rows = [(label, *row) for label, row in zip(labels, tau_CC.tolist(), strict=True)]
    data = Table(f"{ranked.name}: tau between rules and seeds", ("rule and seed", *labels), rows)
    return Figure(make_slug(ranked.name, "tau"), finding, data, HeatMap("tau-b"))
