"""Which rules of a depth part share an initialization, and so their trained grid."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from benchmark.findings.arrays import read_first


def group_schemes(
    rules: Sequence[str], grid: pa.Table, rungs: Sequence[str]
) -> Iterator[tuple[str, dict[str, pa.Table]]]:
    """Rules by the initialization that they share: its name, and the rows of each rule."""
    shared: dict[tuple[Any, ...], dict[str, pa.Table]] = {}
    for rule in rules:
        own = grid.filter(pc.field("rule") == rule)
        branch = read_first(own, "architecture", "branch_multiplier")
        scheme = read_first(own, "architecture", "initialization")
        if scheme:
            key = tuple((scheme.get(rung), branch.get(rung)) for rung in rungs)
            shared.setdefault(key, {})[rule] = own
    for named, rows in shared.items():
        # A rung without an addition is He's under every rule, and does not name the scheme.
        name_D = [scheme for scheme, _ in named if scheme]
        name = next((each for each in name_D if not each.startswith("he")), name_D[0])
        scaled = {branch for _, branch in named} != {1.0}
        yield (f"{name}, branch scaled" if scaled else name), rows
