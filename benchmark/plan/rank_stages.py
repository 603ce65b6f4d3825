"""Rank: tune each rule's constant on a panel, train the sample with it, and with its rivals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pyarrow as pa

from benchmark import rules
from benchmark.analysis.tuning.constants import choose_constants, weigh_trials
from benchmark.plan.stage import Read, plan_stage, probe_stage, read_stage, waiting_stage
from benchmark.plan.units import (
    Measured,
    plan_grid,
    plan_predicted,
    plan_probes,
    plan_unit,
    prescribe_bundles,
)
from benchmark.study import Rank
from benchmark.study.stage import Stage
from benchmark.study.unit import Unit


def rank_stages(part: Rank, read: Read) -> list[Stage[Unit]]:
    """``probe`` where a rule is measured, ``base`` where one is tuned, then ``rank``.

    Where the part asks for it, ``constants`` trains the sample with the other likely constants.
    """
    architectures, panel = part.architectures(), part.tuning_panel()
    probing, measured = probe_stage(part, plan_probes(part, [*panel, *architectures]), read)
    tuned = [name for name in part.rules if rules.rule(name).tuned]
    waiting = [waiting_stage(part, "rank", len(architectures))]
    if tuned and part.constants > 1:
        waiting.append(waiting_stage(part, "constants", len(architectures)))
    if probing.expected and not measured:
        return [probing, waiting_stage(part, "base", len(panel) if tuned else 0), *waiting]
    tuning = plan_stage(part, "base", panel_units(part, panel, tuned, measured) if tuned else [])
    rows = read_stage(tuning, read) if tuned else None
    if tuned and rows is None:
        return [probing, tuning, *waiting]
    rates = dict.fromkeys(part.rules, part.search_space.published_rate)
    if rows is not None:
        rates |= base_rates(rows)
    constants = {name: (rate,) for name, rate in rates.items()}
    units = rank_units(part, architectures, constants, measured)
    planned = [probing, tuning, plan_stage(part, "rank", units)]
    others = other_constants(part, rows) if rows is not None and part.constants > 1 else {}
    if others:
        units = rank_units(part, architectures, others, measured)
        planned.append(plan_stage(part, "constants", units))
    return planned


def panel_units(
    part: Rank, panel: Sequence[str], tuned: Sequence[str], measured: Measured
) -> list[Unit]:
    """Every architecture of the panel at every constant of the grid, under every tuned rule.

    On the base a constant is the rate itself; on the others the rate follows from the rule.
    """
    base = panel[0]
    given = {name: prescribe_bundles(part, name, panel, base, measured) for name in tuned}
    return [
        plan_unit(
            part,
            architecture,
            [
                each
                for name in tuned
                for rate in part.rates
                for each in plan_predicted(part, name, given[name][index], rate)
            ]
            if index
            else [
                each for name in tuned for each in plan_grid(part, name, given[name][0], part.rates)
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


def other_constants(part: Rank, rows: pa.Table) -> dict[str, tuple[float, ...]]:
    """The constants that tuning might as well have chosen, of the rules that have any."""
    columns = ("rule", "architecture", "base_lr", "seed", "status", "valid_accuracy")
    weighed = weigh_trials(
        (rule, cell, rate, seed, accuracy if status == "done" else None)
        for rule, cell, rate, seed, status, accuracy in zip(
            *(rows[name].to_pylist() for name in columns), strict=True
        )
    )
    others = {name: each.list_others(part.constants) for name, each in weighed.items()}
    return {name: rates for name, rates in others.items() if rates}


def rank_units(
    part: Rank,
    architectures: Sequence[str],
    constants: Mapping[str, Sequence[float]],
    measured: Measured,
) -> list[Unit]:
    """One unit per architecture: every rule of ``constants`` at each of its own, every seed."""
    base = part.search_space.base_architecture
    names = [name for name in part.rules if name in constants]
    given = {name: prescribe_bundles(part, name, architectures, base, measured) for name in names}
    return [
        plan_unit(
            part,
            architecture,
            [
                each
                for name in names
                for rate in constants[name]
                for each in plan_predicted(part, name, given[name][index], rate)
            ],
        )
        for index, architecture in enumerate(architectures)
    ]
