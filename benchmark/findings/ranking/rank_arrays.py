"""A rank part as arrays: the accuracies of the architectures that every rule trained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from benchmark.analysis.intervals import Array
from benchmark.analysis.tuning.constant_pairs import TunedAccuracies
from benchmark.analysis.tuning.constants import WeighedConstants, weigh_trials
from benchmark.findings.arrays import arrange_column, arrange_rates
from benchmark.study.stage import BASE, CONSTANTS, RANK


@dataclass(frozen=True)
class RankArrays:
    """A rank part's test accuracies under ``base`` (the default) and under every other rule, and
    ``rates`` under all: A x 1, or A x S where a control deals every seed a rate of its own.

    ``weighed`` says how each rule's constant was tuned, and ``trained`` has its accuracies by
    constant, of those with which all architectures were trained.
    """

    name: str
    base: str
    architectures: tuple[str, ...]
    base_AS: Array
    others: dict[str, Array]
    rates: dict[str, Array]
    table: pa.Table
    weighed: dict[str, WeighedConstants] = field(default_factory=dict)
    trained: dict[str, dict[float, Array]] = field(default_factory=dict)

    @classmethod
    def of(cls, part: Mapping[str, Any], table: pa.Table) -> RankArrays:
        """The ranked rows; architectures that are untrainable or lack a replica are left out."""
        weighed = weigh_part(table)
        sample = table.filter(pc.field("stage").isin([RANK, CONSTANTS]))
        table = table.filter(pc.field("stage") == RANK)
        base, *others = sorted(part["rules"], key=lambda rule: rule != "default")
        names = list(dict.fromkeys(table["architecture"].to_pylist()))
        axes = {"rule": (base, *others), "architecture": names, "seed": range(part["seeds"])}
        acc_RAS = arrange_column(table, "test_accuracy", axes, -np.inf)
        whole_A: Any = ~np.isnan(acc_RAS).any(axis=(0, 2))
        kept = tuple(name for name, whole in zip(names, whole_A, strict=True) if whole)
        base_AS, *other_AS = acc_RAS[:, whole_A]
        rates = {
            rule: arrange_rates(table.filter(pc.field("rule") == rule), kept, axes["seed"], "lr")
            for rule in (base, *others)
        }
        other = dict(zip(others, other_AS, strict=True))
        trained = {
            rule: arrange_constants(sample.filter(pc.field("rule") == rule), kept, axes["seed"])
            for rule in weighed
        }
        return cls(part["name"], base, kept, base_AS, other, rates, table, weighed, trained)

    def at_constants(self, rule: str) -> TunedAccuracies:
        """A rule's accuracies at every constant with which it was trained."""
        chosen_AS = self.base_AS if rule == self.base else self.others[rule]
        return TunedAccuracies(chosen_AS, self.weighed.get(rule), self.trained.get(rule))

    @property
    def finite_A(self) -> Any:
        """The architectures that no rule and seed made diverge."""
        return np.isfinite([self.base_AS, *self.others.values()]).all(axis=(0, 2))


def weigh_part(table: pa.Table) -> dict[str, WeighedConstants]:
    """How often each rate would be chosen as a rule's constant, from the rows of a rank part."""
    rows = table.filter(pc.field("stage") == BASE)
    columns = ("rule", "architecture", "base_lr", "seed", "status", "valid_accuracy")
    return weigh_trials(
        (rule, cell, rate, seed, accuracy if status == "done" else None)
        for rule, cell, rate, seed, status, accuracy in zip(
            *(rows[name].to_pylist() for name in columns), strict=True
        )
    )


def arrange_constants(
    rows: pa.Table, architectures: Sequence[str], seeds: Sequence[int]
) -> dict[float, Array]:
    """A rule's test accuracies by constant, of constants that trained all these architectures."""
    found = {}
    for constant in dict.fromkeys(rows["base_lr"].to_pylist()):
        own = rows.filter(pc.field("base_lr") == constant)
        axes = {"architecture": architectures, "seed": seeds}
        acc_AS = arrange_column(own, "test_accuracy", axes, -np.inf)
        if not np.isnan(acc_AS).any():
            found[constant] = acc_AS
    return found
