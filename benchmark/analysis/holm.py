"""Holm's correction over a family of tests that was stated beforehand.

Ten lines, for which statsmodels would be a large dependency.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from search_spaces.errors import InvalidInput


@dataclass(frozen=True)
class Adjusted:
    """A p-value, the one adjusted for its family, and whether the family's level rejects it."""

    p: float
    adjusted: float
    rejected: bool


def adjust_p_values(p_values: Mapping[str, float], level: float = 0.05) -> dict[str, Adjusted]:
    """Holm's step-down adjustment (Holm, 1979): holds the chance of any false rejection at `level`.

    A member whose p is NaN (undetermined) was still promised: it counts in the size of the family
    as p = 1 would, and is never rejected.

    Args:
        p_values: name -> p, for every member of the stated family.
    """
    for name, p in p_values.items():
        if not math.isnan(p) and not 0 <= p <= 1:
            raise InvalidInput(f"the p-value of {name!r} must lie in [0, 1]; got {p}")
    ordered = sorted(p_values, key=lambda name: (math.isnan(p_values[name]), p_values[name]))
    adjusted, largest = {}, 0.0
    for position, name in enumerate(ordered):
        p = p_values[name]
        largest = (
            max(largest, min(1.0, (len(ordered) - position) * p)) if not math.isnan(p) else math.nan
        )
        adjusted[name] = Adjusted(p, largest, largest <= level)
    return {name: adjusted[name] for name in p_values}
