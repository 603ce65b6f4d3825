"""Rank: tune every rule's constant on a panel, then train the sample at its rates."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

from benchmark import rules
from benchmark.analysis.ranking.constants import choose_constants
from benchmark.plan.stage import Read, Stage, plan_stage, probe_stage, waiting_stage
from benchmark.plan.units import Measured, gridded, prescribed, seeded, unit
from benchmark.study import Rank
from benchmark.study.unit import Unit


def rank_stages(part: Rank, read: Read) -> list[Stage]:
    """``probe`` where a rule is measured, ``base`` where one is tuned, then ``rank``."""
    architectures, panel = part.architectures(), part.tuning_panel()
    probing, measured = probe_stage(part, [*panel, *architectures], read)
    tuned = [name for name in part.rules if rules.rule(name).tuned]
    if probing.expected and not measured:
        waits = waiting_stage(part, "base", len(panel) if tuned else 0)
        return [probing, waits, waiting_stage(part, "rank", len(architectures))]
    tuning = plan_stage(part, "base", panel_units(part, panel, tuned, measured) if tuned else [])
    rows = tuning.rows(read) if tuned else None
    if tuned and rows is None:
        return [probing, tuning, waiting_stage(part, "rank", len(architectures))]
    rates = dict.fromkeys(part.rules, part.search_space.published_rate)
    if rows is not None:
        rates |= base_rates(rows)
    units = rank_units(part, architectures, rates, measured)
    return [probing, tuning, plan_stage(part, "rank", units)]


def panel_units(
    part: Rank, panel: Sequence[str], tuned: Sequence[str], measured: Measured
) -> list[Unit]:
    """Every architecture of the panel at every constant of the grid, under every tuned rule.

    On the base a constant is the rate itself; on the others the rate follows from the rule.
    """
    base = panel[0]
    given = {name: prescribed(part, name, panel, base, measured) for name in tuned}
    return [
        unit(
            part,
            architecture,
            [
                each
                for name in tuned
                for rate in part.rates
                for each in seeded(part, name, given[name][index], rate)
            ]
            if index
            else [
                each for name in tuned for each in gridded(part, name, given[name][0], part.rates)
            ],
        )
        for index, architecture in enumerate(panel)
    ]


def base_rates(rows: pa.Table) -> dict[str, float]:
    """Each rule's constant, as ``choose_constants`` chooses it from the base stage's rows."""
    columns = ("rule", "base_lr", "status", "valid_accuracy")
    return choose_constants(
        (rule, rate, accuracy if status == "done" else None)
        for rule, rate, status, accuracy in zip(
            *(rows[name].to_pylist() for name in columns), strict=True
        )
    )


def rank_units(
    part: Rank, architectures: Sequence[str], rates: dict[str, float], measured: Measured
) -> list[Unit]:
    """One unit per architecture: every rule at its own rate, every seed."""
    base = part.search_space.base_architecture
    given = {name: prescribed(part, name, architectures, base, measured) for name in part.rules}
    return [
        unit(
            part,
            architecture,
            [
                each
                for name in part.rules
                for each in seeded(part, name, given[name][index], rates[name])
            ],
        )
        for index, architecture in enumerate(architectures)
    ]
