"""The replicas that a part asks for: each rule's bundle, at a rate, for a seed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from statistics import fmean
from typing import Literal, NamedTuple

import pyarrow as pa

from benchmark import rules
from benchmark.datasets import catalog
from benchmark.datasets.former_names import list_former_names
from benchmark.datasets.images.checks import check_split
from benchmark.datasets.images.sample import check_sample
from benchmark.rules import Bundle
from benchmark.study import Part
from benchmark.study.unit import Replica, Unit, canonical_json


class NetworkKey(NamedTuple):
    """One network: the options of its space as rows hold them (canonical JSON), and its name."""

    options: str
    architecture: str


Measured = Mapping[NetworkKey, float]
"""eta* of networks, for rules that are measured (``benchmark.rules.one_step``)."""

PROBE_SEEDS = 8
"""How many draws of the weights a measured rule averages over."""


def prescribe_bundles(
    part: Part,
    name: str,
    architectures: Sequence[str],
    base: str,
    measured: Measured | None = None,
    *,
    base_part: Part | None = None,
) -> list[Bundle | None]:
    """What a rule gives these architectures, relative to ``base``; None: it cannot be trained.

    ``base_part`` is the part at the base's width where that is another one.
    """
    given = rules.bundles(
        name,
        part.search_space,
        architectures,
        base,
        part.recipe.optimizer,
        base_space=(base_part or part).search_space,
        seeds=part.seeds,
    )
    if not rules.rule(name).measured or not measured:
        return given
    start = measured[name_network(base_part or part, base)]
    return [
        bundle
        and replace(
            bundle,
            lr_multiplier=bundle.lr_multiplier * measured[name_network(part, architecture)] / start,
        )
        for architecture, bundle in zip(architectures, given, strict=True)
    ]


def name_network(part: Part, architecture: str) -> NetworkKey:
    """The network that an architecture is with the part's options."""
    return NetworkKey(canonical_json(dict(part.space_options)), architecture)


def plan_replica(
    part: Part, name: str, bundle: Bundle | None, base_lr: float, seed: int, lr: float | None = None
) -> Replica:
    """A rule's replica; without a bundle (untrainable) it is planned with multiplier 1."""
    rule = rules.rule(name)
    bundle = bundle or Bundle("he", 1.0, 1.0)
    if part.recipe.torch_default_weights and bundle.initialization == "he":
        bundle = replace(bundle, initialization="torch-default")
    return Replica(
        rule=name,
        rule_version=rule.version_for(part.recipe.optimizer),
        convention=rule.convention(part.space),
        initialization=bundle.initialization,
        branch_multiplier=bundle.branch_multiplier,
        lr_multiplier=bundle.lr_multiplier,
        base_lr=base_lr,
        lr=base_lr * bundle.lr_multiplier if lr is None else lr,
        seed=seed,
        factors=bundle.factors,
    )


def plan_predicted(part: Part, name: str, bundle: Bundle | None, base_lr: float) -> list[Replica]:
    """A rule's prediction from its constant, for every seed of the part."""
    return [
        plan_replica(part, name, bundle and bundle.for_seed(seed), base_lr, seed)
        for seed in range(part.seeds)
    ]


def plan_grid(
    part: Part, name: str, bundle: Bundle | None, rates: Iterable[float]
) -> list[Replica]:
    """A rule's initialization at every rate of a grid, for every seed of the part."""
    by_seed = [bundle and bundle.for_seed(seed) for seed in range(part.seeds)]
    return [
        plan_replica(part, name, own, lr / (own.lr_multiplier if own else 1.0), seed, lr)
        for lr in rates
        for seed, own in enumerate(by_seed)
    ]


def plan_unit(
    part: Part,
    architecture: str,
    replicas: Sequence[Replica],
    measure: Literal["training", "updates"] = "training",
) -> Unit:
    """One architecture of a part with its replicas.

    Raises ``InvalidInput`` for a data set that cannot be read or trained on.
    """
    data = catalog.load(part.dataset)
    check_sample(data)
    check_split(data, part.recipe.validation)
    return Unit(
        measure=measure,
        space=part.space,
        space_version=part.search_space.version,
        space_options=part.space_options,
        architecture=architecture,
        replicas=tuple(replicas),
        recipe=part.recipe,
        dataset=data.name,
        dataset_checksum=data.checksum,
        dataset_place=data.place,
        dataset_former=list_former_names(part.dataset, data),
    )


def plan_probes(part: Part, architectures: Iterable[str]) -> tuple[Unit, ...]:
    """One step at initialization on every architecture, for the measured rules of the part."""
    space = part.search_space
    units = []
    for name in part.rules:
        if rules.rule(name).measured:
            for architecture in dict.fromkeys(architectures):
                (bundle,) = rules.bundles(name, space, [architecture])
                replicas = [
                    plan_replica(part, name, bundle, 1.0, seed) for seed in range(PROBE_SEEDS)
                ]
                units.append(plan_unit(part, architecture, replicas, "updates"))
    return tuple(units)


def one_step_rates(rows: pa.Table) -> dict[NetworkKey, float]:
    """eta* of every probed network: (mean over seeds of the mean S_l at rate 1)^(-1/2).

    A network without moments (untrainable) has rate 1, which nothing is trained at.
    """
    moments: dict[NetworkKey, list[float]] = defaultdict(list)
    columns = ["space_options", "architecture", "lr", "update_moments"]
    for row in rows.select(columns).to_pylist():
        if row["update_moments"]:
            network = NetworkKey(row["space_options"], row["architecture"])
            moments[network].append(fmean(row["update_moments"]) / row["lr"] ** 2)
    rates = {network: fmean(values) ** -0.5 for network, values in moments.items()}
    return defaultdict(lambda: 1.0, rates)
