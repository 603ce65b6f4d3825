"""What a rank part found: does the order of architectures change, and who gains?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from benchmark.analysis.family import Adjusted, holm
from benchmark.analysis.kendall import tau_matrix
from benchmark.analysis.ranking import RankAgreement, rank_agreement
from benchmark.report import figures, shift
from benchmark.report.arrays import Array, array
from benchmark.report.content import (
    Block,
    Figure,
    Findings,
    Table,
    Verdict,
    interval,
    interval_data,
    number,
    sentence,
    slug,
)
from benchmark.report.verdict import TAU_MARGIN, exceeds

QUESTION = "Does the order of architectures change by more than seed noise?"


@dataclass(frozen=True)
class Ranked:
    """A rank part's test accuracies acc_RAS, over architectures that every rule could train."""

    name: str
    rules: tuple[str, ...]
    architectures: tuple[str, ...]
    seeds: int
    acc_RAS: Array
    table: pa.Table

    @classmethod
    def of(cls, part: Mapping[str, Any], table: pa.Table) -> Ranked:
        """The ranked rows of a part; architectures without a row for every replica are left out."""
        ranked = table.filter(pc.field("stage") == "rank")
        names = list(dict.fromkeys(ranked["architecture"].to_pylist()))
        rules = tuple(sorted(part["rules"], key=lambda rule: rule != "default"))
        axes = {"rule": rules, "architecture": names, "seed": range(part["seeds"])}
        acc_RAS = array(ranked, "test_accuracy", axes, -np.inf)
        whole_A = ~np.isnan(acc_RAS).any(axis=(0, 2))
        kept = tuple(name for name, whole in zip(names, whole_A, strict=True) if whole)
        return cls(part["name"], rules, kept, part["seeds"], acc_RAS[:, whole_A], ranked)

    @property
    def reference_AS(self) -> Array:
        """The accuracies that all others are compared with (the first rule's)."""
        return self.acc_RAS[0]

    @cached_property
    def others(self) -> dict[str, Array]:
        """Every other rule's accuracies."""
        return dict(zip(self.rules[1:], self.acc_RAS[1:], strict=True))


def findings(part: Mapping[str, Any], table: pa.Table, colors: Mapping[str, int]) -> Findings:
    """Verdicts on the ranking and on accuracy, with their figures."""
    ranked = Ranked.of(part, table)
    if len(ranked.architectures) < 2 or len(ranked.rules) < 2:
        why = f"{len(ranked.architectures)} architectures under {len(ranked.rules)} rules are done."
        return Findings((), (Block("rank", ranked.name, (f"Nothing to compare yet: {why}",)),))
    agreements = {
        rule: rank_agreement(ranked.reference_AS, acc_AS) for rule, acc_AS in ranked.others.items()
    }
    adjusted = holm({rule: agreement.p for rule, agreement in agreements.items()})
    items = (
        heat_map(ranked),
        delta_figure(ranked, agreements, colors),
        agreement_table(ranked, agreements, adjusted),
    )
    verdicts = tuple(verdict(ranked, rule, agreements[rule], adjusted[rule]) for rule in agreements)
    shifted = shift.findings(ranked, colors)
    return Findings(
        (*verdicts, *shifted.verdicts),
        (Block("rank", ranked.name, items), *shifted.blocks),
    )


def verdict(ranked: Ranked, rule: str, agreement: RankAgreement, adjusted: Adjusted) -> Verdict:
    """Whether a rule's ranking differs by more than seeds do."""
    answer, why = exceeds(agreement.delta, TAU_MARGIN, adjusted.adjusted)
    because = (
        f"Delta {interval(agreement.delta)}: tau is {number(agreement.cross.estimate)} across rules"
        f" and {number(agreement.ceiling.estimate)} between seeds of one rule."
    )
    return Verdict(
        ranked.name, "Ranking changes", QUESTION, rule, answer, f"{because} {sentence(why)}".strip()
    )


def heat_map(ranked: Ranked) -> Figure:
    """tau-b of every rule and seed with every other."""
    labels = [f"{rule}, seed {seed}" for rule in ranked.rules for seed in range(ranked.seeds)]
    tau_CC = tau_matrix(ranked.acc_RAS)
    size = ranked.seeds
    mean_RR = tau_CC.reshape(len(ranked.rules), size, -1, size).mean(axis=(1, 3))
    far = ranked.rules[1 + int(np.argmin(mean_RR[0, 1:]))]
    title = f"{ranked.name}: tau between rules and seeds"
    data = Table(
        f"Kendall's tau-b over {len(ranked.architectures)} architectures",
        ("rule and seed", *labels),
        [(label, *map(float, row)) for label, row in zip(labels, tau_CC, strict=True)],
    )
    finding = (
        f"Each square compares two rankings of the same {len(ranked.architectures)} architectures; "
        f"farthest from {ranked.rules[0]} on average is {far}. A rule that changes nothing shows "
        "the same shades across rules as between its own seeds."
    )
    name = slug(ranked.name, "tau")
    drawn = figures.heat_map(name, title, tau_CC, labels, "tau-b")
    return Figure(name, title, finding, drawn, data)


def delta_figure(
    ranked: Ranked, agreements: Mapping[str, RankAgreement], colors: Mapping[str, int]
) -> Figure:
    """Delta of every rule with its interval."""
    name, title = slug(ranked.name, "delta"), f"{ranked.name}: delta, the loss beyond seed noise"
    deltas = {rule: agreement.delta for rule, agreement in agreements.items()}
    clear = [rule for rule, delta in deltas.items() if delta.determined and delta.low > 0]
    finding = (
        f"Above 0 with its whole interval: {', '.join(clear) or 'no rule'}. "
        f"Dotted lines mark 0 and {TAU_MARGIN}, the smallest change of interest."
    )
    drawn = figures.forest(
        name,
        title,
        [(rule, delta, colors[rule]) for rule, delta in deltas.items()],
        "delta = ceiling − cross (tau-b)",
        at=(0.0, TAU_MARGIN),
    )
    return Figure(name, title, finding, drawn, interval_data(title, deltas))


def agreement_table(
    ranked: Ranked, agreements: Mapping[str, RankAgreement], adjusted: Mapping[str, Adjusted]
) -> Table:
    """Cross, ceiling and delta; again without the architectures that diverged anywhere."""
    finite_A = np.isfinite(ranked.acc_RAS).all(axis=(0, 2))
    repeat = not finite_A.all() and finite_A.sum() >= 2
    rows = []
    for rule, found in agreements.items():
        without = "no divergence"
        if repeat:
            reference_AS, acc_AS = ranked.reference_AS[finite_A], ranked.others[rule][finite_A]
            without = interval(rank_agreement(reference_AS, acc_AS, permutations=0).delta)
        p, holm_p = found.p, adjusted[rule].adjusted
        rows.append((rule, found.cross, found.ceiling, found.delta, p, holm_p, without))
    return Table(
        f"Agreement with {ranked.rules[0]}: tau-b with 95% intervals over architectures",
        ("rule", "cross", "ceiling", "delta", "p (permutation)", "p (Holm)")
        + ("delta without diverged architectures",),
        rows,
    )
