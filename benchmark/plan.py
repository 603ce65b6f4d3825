"""From a study to units of work, stage by stage.

A stage may need an earlier one's results: ranking needs the base rates that tuning chose. So a plan
is made from what the store already holds, and made again when more is there.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import inf

import pyarrow as pa

from benchmark import datasets, rules
from benchmark.rules import Bundle
from benchmark.study import Depth, Part, Rank, Study, Updates
from benchmark.unit import Replica, Unit
from search_spaces.registry import option_names

Read = Callable[[Sequence[str]], pa.Table | None]
"""The rows of these unit ids, or None where any is missing."""


@dataclass(frozen=True)
class Stage:
    """Units of one part that can run together; ``units`` is None while it waits for a stage."""

    part: str
    kind: str
    name: str
    units: tuple[Unit, ...] | None
    expected: int


def plan(study: Study, read: Read) -> list[Stage]:
    """Every stage of every part, with the units that are known from what ``read`` can give."""
    stages: list[Stage] = []
    for part in study.parts:
        match part:
            case Rank():
                stages += rank_stages(part, read)
            case Depth():
                stages.append(depth_stage(part))
            case Updates():
                stages.append(updates_stage(part))
    return stages


def rank_stages(part: Rank, read: Read) -> list[Stage]:
    """Tune every rule's constant on the base architecture, then train the sample at its rates."""
    space = part.search_space()
    base = space.base_architecture
    tuned = [name for name in part.rules if rules.rule(name).tuned]
    tuning = Stage(
        part.name, part.kind, "base", (unit(part, base, grid(part, tuned, base, part.rates)),), 1
    )
    architectures = part.architectures()
    rows = read([each.id for each in tuning.units or ()]) if tuned else pa.table({})
    ranking = Stage(part.name, part.kind, "rank", None, len(architectures))
    if rows is not None:
        rates = dict.fromkeys(part.rules, space.published_rate) | base_rates(rows)
        ranking = Stage(
            part.name,
            part.kind,
            "rank",
            tuple(ranked(part, architectures, rates)),
            len(architectures),
        )
    return [tuning, ranking] if tuned else [ranking]


def base_rates(rows: pa.Table) -> dict[str, float]:
    """Each rule's constant: the rate of highest mean validation accuracy, the larger if tied.

    A replica that diverged counts as accuracy 0, so that a rate is not chosen for the seeds that
    survived it.
    """
    accuracies: dict[tuple[str, float], list[float]] = defaultdict(list)
    for row in rows.select(["rule", "base_lr", "status", "valid_accuracy"]).to_pylist():
        done = row["status"] == "done"
        accuracies[row["rule"], row["base_lr"]].append(row["valid_accuracy"] if done else 0.0)
    best: dict[str, tuple[float, float]] = {}
    for (rule, rate), values in accuracies.items():
        candidate = (sum(values) / len(values), rate)
        best[rule] = max(best.get(rule, (-inf, 0.0)), candidate)
    return {rule: rate for rule, (_, rate) in best.items()}


def ranked(part: Rank, architectures: Sequence[str], rates: dict[str, float]) -> list[Unit]:
    """One unit per architecture: every rule at its own rate, every seed."""
    given = {name: prescribed(part, name, architectures) for name in part.rules}
    return [
        unit(
            part,
            architecture,
            [
                replica(part, name, given[name][index], rates[name], seed)
                for name in part.rules
                for seed in range(part.seeds)
            ],
        )
        for index, architecture in enumerate(architectures)
    ]


def depth_stage(part: Depth) -> Stage:
    """Every rung over the grid of rates, under each rule's own initialisation."""
    rungs = part.architectures()
    units = tuple(
        unit(part, rung, grid(part, part.rules, rungs[0], part.rates, rung)) for rung in rungs
    )
    return Stage(part.name, part.kind, "grid", units, len(units))


def updates_stage(part: Updates) -> Stage:
    """One step on every rung, each rule at its multiplier (constant 1)."""
    rungs = part.architectures()
    given = {name: prescribed(part, name, rungs, rungs[0]) for name in part.rules}
    units = tuple(
        unit(
            part,
            rung,
            [
                replica(part, name, given[name][index], 1.0, seed)
                for name in part.rules
                for seed in range(part.seeds)
            ],
        )
        for index, rung in enumerate(rungs)
    )
    return Stage(part.name, part.kind, "step", units, len(units))


def grid(
    part: Part,
    names: Sequence[str],
    base: str,
    rates: Sequence[float],
    architecture: str | None = None,
) -> list[Replica]:
    """An architecture's replicas over a grid of rates (the base itself where none is named)."""
    replicas = []
    for name in names:
        (bundle,) = prescribed(part, name, [architecture or base], base)
        multiplier = bundle.lr_multiplier if bundle else 1.0
        replicas += [
            replica(part, name, bundle, lr / multiplier, seed, lr)
            for lr in rates
            for seed in range(part.seeds)
        ]
    return replicas


def prescribed(
    part: Part, name: str, architectures: Sequence[str], base: str | None = None
) -> list[Bundle | None]:
    """What a rule gives these architectures under the part's space and optimiser."""
    return rules.bundles(name, part.search_space(), architectures, base, part.recipe.optimizer)


def replica(
    part: Part, name: str, bundle: Bundle | None, base_lr: float, seed: int, lr: float | None = None
) -> Replica:
    """A rule's replica; without a bundle (untrainable) it is planned with multiplier 1."""
    rule = rules.rule(name)
    bundle = bundle or Bundle("he", 1.0, 1.0)
    return Replica(
        rule=name,
        rule_version=rule.version,
        convention=rule.convention(part.space),
        initialization=bundle.initialization,
        branch_multiplier=bundle.branch_multiplier,
        lr_multiplier=bundle.lr_multiplier,
        base_lr=base_lr,
        lr=base_lr * bundle.lr_multiplier if lr is None else lr,
        seed=seed,
        factors=bundle.factors,
    )


def unit(part: Part, architecture: str, replicas: Sequence[Replica]) -> Unit:
    """One architecture of a part with its replicas."""
    space = part.search_space()
    return Unit(
        measure="updates" if part.kind == "updates" else "training",
        space=part.space,
        space_version=space.version,
        space_options=tuple((name, getattr(space, name)) for name in option_names(part.space)),
        architecture=architecture,
        replicas=tuple(replicas),
        recipe=part.recipe,
        dataset=part.dataset,
        dataset_checksum=datasets.load(part.dataset).checksum,
    )
