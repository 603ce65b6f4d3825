"""The losses of a grid of rates, by rung, rate and seed.

Shapes: D rungs, R rates, S seeds.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from benchmark.analysis.intervals import Array
from benchmark.findings.arrays import arrange_column
from benchmark.study.rates import LOSS_COLUMNS, Criterion
from search_spaces.errors import InvalidInput


def read_curves(
    trained: pa.Table, axes: Mapping[str, Any], criterion: Criterion
) -> tuple[Array, Array]:
    """Rates, D x R with NaN where a rung was not trained at one, and losses, D x R x S.

    ``axes`` are the columns architecture, lr and seed with their values, in this order.

    A rung of which no rate was trained reads as diverged: none of its rates is stable. Raises
    ``InvalidInput`` for rows of an earlier version, which have no loss of that criterion.
    """
    if not has_losses(trained, criterion):
        raise InvalidInput(
            f"field criterion={criterion} needs {LOSS_COLUMNS[criterion]}, which rows stored by an "
            "earlier version do not have"
        )
    loss_DRS = arrange_column(trained, LOSS_COLUMNS[criterion], axes, np.inf)
    missing_DR: Any = np.isnan(loss_DRS).any(axis=2)
    none_D = missing_DR.all(axis=1)
    loss_DRS[none_D] = np.inf
    return np.where(missing_DR & ~none_D[:, None], np.nan, axes["lr"]), loss_DRS


def has_losses(rows: pa.Table, criterion: Criterion) -> bool:
    """Whether every row that did not diverge has the loss of a criterion."""
    done = rows.filter(pc.field("status") == "done")
    column = LOSS_COLUMNS[criterion]
    return column in done.column_names and bool(done[column].null_count == 0)


def replace_diverged(loss_DRS: Array) -> Array:
    """Diverged replicas replaced by the mean of the rate's other seeds, where there are any."""
    finite_DRS = np.isfinite(loss_DRS)
    total_DR = np.where(finite_DRS, loss_DRS, 0.0).sum(axis=2)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean_DR = total_DR / finite_DRS.sum(axis=2)
    mean_DR[np.isnan(mean_DR)] = np.inf
    return np.where(np.isinf(loss_DRS), mean_DR[..., None], loss_DRS)
