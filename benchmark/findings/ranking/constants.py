"""Every rule's constant in a rank part: which rate was chosen, and which were as good."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from benchmark.analysis.ranking.constants import choose_constants
from benchmark.analysis.thresholds import TOLD_APART
from benchmark.findings.arrays import arrange_column
from benchmark.findings.content import Table, TableCell, format_number

COLUMNS: Final = (
    *("rule", "constant chosen", "validation accuracy (%)", "standard error (points)"),
    *("rates as good", "from", "to"),
)
NOTE: Final = (
    "Constants were tuned on the base architecture alone. As good are rates of the grid whose mean "
    f"validation accuracy lies within {TOLD_APART:g} standard errors of the best one's (of a "
    "difference; the seed deviation is the median over the grid). Every interval of this part "
    "holds for the constants chosen: where others were as good, another run, even one that rounds "
    "otherwise, may choose them and find another change."
)


@dataclass(frozen=True)
class Constant:
    """The chosen rate, its mean accuracy, the standard error, and all rates that were as good."""

    rate: float
    accuracy: float
    error: float
    good: tuple[float, ...]
    grid: int

    @property
    def caution(self) -> str:
        """A sentence for the verdicts; empty where the choice is clear."""
        if len(self.good) < 2:
            return ""
        ends = f"{format_number(self.good[0])} to {format_number(self.good[-1])}"
        return f" Its constant is one of {len(self.good)} that were as good ({ends})."


def find_constants(part: Mapping[str, Any], table: pa.Table) -> dict[str, Constant]:
    """Every tuned rule's constant, as the plan chose it; with one seed nothing can be said."""
    base = table.filter(pc.field("stage") == "base")
    seeds = range(part["seeds"])
    columns = ("rule", "base_lr", "status", "valid_accuracy")
    chosen = choose_constants(
        (rule, rate, accuracy if status == "done" else None)
        for rule, rate, status, accuracy in zip(
            *(base[name].to_pylist() for name in columns), strict=True
        )
    )
    found = {}
    for rule, rate in chosen.items() if len(seeds) > 1 else ():
        own = base.filter(pc.field("rule") == rule)
        rates = sorted(set(own["base_lr"].to_pylist()))
        acc_RS = arrange_column(own, "valid_accuracy", {"base_lr": rates, "seed": seeds}, 0.0)
        if np.isnan(acc_RS).any():
            continue
        mean_R = acc_RS.mean(axis=1)
        accuracy = float(mean_R[rates.index(rate)])
        error = float(np.median(acc_RS.std(axis=1, ddof=1)) * np.sqrt(2 / len(seeds)))
        good = tuple(np.array(rates)[mean_R >= accuracy - TOLD_APART * error].tolist())
        found[rule] = Constant(rate, accuracy, error, good, len(rates))
    return found


def tabulate_constants(found: Mapping[str, Constant]) -> tuple[Table | str, ...]:
    """A table of the constants, and what they mean for the intervals; none without any."""
    rows: list[tuple[TableCell, ...]] = [
        (
            rule,
            each.rate,
            100 * each.accuracy,
            100 * each.error,
            f"{len(each.good)} of {each.grid}",
            each.good[0],
            each.good[-1],
        )
        for rule, each in found.items()
    ]
    return (Table("The rules' constants", COLUMNS, rows), NOTE) if rows else ()
