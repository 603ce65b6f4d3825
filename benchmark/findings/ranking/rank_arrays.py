"""A rank part as arrays: the accuracies of the architectures that every rule trained."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from benchmark.analysis.intervals import Array
from benchmark.findings.arrays import arrange_column


@dataclass(frozen=True)
class RankArrays:
    """A rank part's test accuracies under ``base`` (the default) and under every other rule, and
    ``rates`` under all."""

    name: str
    base: str
    architectures: tuple[str, ...]
    base_AS: Array
    others: dict[str, Array]
    rates: dict[str, Array]
    table: pa.Table

    @classmethod
    def of(cls, part: Mapping[str, Any], table: pa.Table) -> RankArrays:
        """The ranked rows; architectures that are untrainable or lack a replica are left out."""
        table = table.filter(pc.field("stage") == "rank")
        base, *others = sorted(part["rules"], key=lambda rule: rule != "default")
        names = list(dict.fromkeys(table["architecture"].to_pylist()))
        axes = {"rule": (base, *others), "architecture": names, "seed": range(part["seeds"])}
        acc_RAS = arrange_column(table, "test_accuracy", axes, -np.inf)
        whole_A: Any = ~np.isnan(acc_RAS).any(axis=(0, 2))
        kept = tuple(name for name, whole in zip(names, whole_A, strict=True) if whole)
        base_AS, *other_AS = acc_RAS[:, whole_A]
        rate_RA = arrange_column(
            table, "lr", {"rule": (base, *others), "architecture": names}, None
        )
        rates = dict(zip((base, *others), rate_RA[:, whole_A], strict=True))
        other = dict(zip(others, other_AS, strict=True))
        return cls(part["name"], base, kept, base_AS, other, rates, table)

    @property
    def finite_A(self) -> Any:
        """The architectures that no rule and seed made diverge."""
        return np.isfinite([self.base_AS, *self.others.values()]).all(axis=(0, 2))
