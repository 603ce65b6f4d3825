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
    found: tuple[float, ...] = convert_value(f"part {name}: field rates", kind, rates)
    if not found or found[0] <= 0 or not all(low < high for low, high in pairwise(found)):
        raise InvalidInput(f"part {name}: field rates={list(found)}; give rising positive rates")
    return found
