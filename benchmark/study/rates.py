"""Grids of learning rates, and by which loss one of them is the best."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Annotated, Final, Literal

import numpy as np
from pydantic import Strict

from benchmark.study.strict_types import Float, convert_value
from search_spaces.errors import InvalidInput

Criterion = Literal["last-epoch", "last-tenth"]
"""The mean training loss over the last epoch, as the depth papers have it where they train one, or
over the last 10% of all steps, which does not reward early speed."""

LAST_EPOCH: Final[Criterion] = "last-epoch"
LAST_TENTH: Final[Criterion] = "last-tenth"
LOSS_COLUMNS: Final[Mapping[Criterion, str]] = {
    LAST_EPOCH: "train_loss",
    LAST_TENTH: "train_loss_last_tenth",
}
"""The column of a result that a criterion reads."""
LOSS_NAMES: Final[Mapping[Criterion, str]] = {
    LAST_EPOCH: "training loss (last epoch)",
    LAST_TENTH: "training loss (last 10% of steps)",
}
"""What it is called in figures."""


def rate_grid(low: float, high: float, count: int) -> tuple[float, ...]:
    """``count`` learning rates from ``low`` to ``high``, evenly spaced in log rate."""
    return tuple(float(f"{rate:.6g}") for rate in np.geomspace(low, high, count))


def convert_rates(name: str, rates: tuple[float, ...]) -> tuple[float, ...]:
    """The rates as floats; raises ``InvalidInput`` unless they are positive, finite and rising."""
    kind = Annotated[tuple[Float, ...], Strict(False)]
    field = f"part {name}: field rates"
    found: tuple[float, ...] = convert_value(field, kind, rates)
    if not found:
        raise InvalidInput(f"{field} is empty; give rising positive rates")
    if found[0] <= 0:
        raise InvalidInput(f"{field}[0]={found[0]:g} is not positive; give rising positive rates")
    for place, (low, high) in enumerate(pairwise(found), start=1):
        if low >= high:
            raise InvalidInput(
                f"{field}[{place}]={high:g} is not above the one before it, {low:g}; "
                "give rising positive rates"
            )
    return found


def other_criterion(criterion: Criterion) -> Criterion:
    """The one of the two that was not asked for."""
    return LAST_EPOCH if criterion == LAST_TENTH else LAST_TENTH
