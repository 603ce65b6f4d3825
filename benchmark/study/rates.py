"""Grids of learning rates."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated

import numpy as np
from pydantic import Strict

from benchmark.study.strict_types import Float, convert_value
from search_spaces.errors import InvalidInput


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
