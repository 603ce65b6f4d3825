"""From an interval to yes, no or undetermined: the thresholds, in one place."""

from __future__ import annotations

from typing import Final

from benchmark.analysis.bootstrap import Interval
from benchmark.report.content import Answer, number

TAU_MARGIN: Final = 0.05
"""A delta below this is no change of ranking worth the name."""
ACCURACY_MARGIN: Final = 0.005
"""A gain below half a percentage point is no gain worth the name."""
RATE_FACTOR: Final = 2.0
"""A predicted rate within this factor of the measured optimum counts as predicted."""


def exceeds(
    value: Interval, margin: float, adjusted_p: float = 0.0, scale: float = 1.0
) -> tuple[Answer, str]:
    """Is there an effect above 0? The answer, and what makes it so.

    Yes: the interval lies above 0 and ``adjusted_p`` (Holm) below 1 - level. No: it lies below
    ``margin``, the smallest effect of interest. Else undetermined. ``scale`` turns the margin into
    the unit that is printed.
    """
    if not value.determined:
        return "undetermined", value.reason
    if value.high < margin:
        return "no", "" if value.high >= 0 else "the effect is below 0"
    if value.low <= 0:
        return "undetermined", (
            f"the interval holds both 0 and {number(margin * scale)}, the smallest effect of "
            "interest: more architectures or seeds are needed"
        )
    if adjusted_p > 1 - value.level:
        return "undetermined", f"above 0 alone, but not after Holm's correction (p = {adjusted_p:.2g})"
    return "yes", ""


def below(value: Interval, bound: float) -> tuple[Answer, str]:
    """Is the value below ``bound``? Undetermined where the interval holds the bound."""
    if not value.determined:
        return "undetermined", value.reason
    if value.high < bound:
        return "yes", ""
    if value.low > bound:
        return "no", ""
    return "undetermined", f"the interval holds the bound {number(bound)}"
