"""From an interval to yes, no or undetermined: the thresholds, in one place."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
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
        return "no", (
            f"the whole interval lies below {number(margin * scale)}, the smallest effect of interest"
        )
    if value.low <= 0:
        return "undetermined", (
            f"the interval holds both 0 and {number(margin * scale)}, the smallest effect of "
            "interest: more architectures or seeds are needed"
        )
    if adjusted_p > 1 - value.level:
        return (
            "undetermined",
            f"above 0 alone, but not after Holm's correction (p = {adjusted_p:.2g})",
        )
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


def admits(value: Interval, theory: float, rivals: Sequence[float]) -> tuple[Answer, str]:
    """Is the exponent ``theory``? Yes where the interval holds it and none of its rivals."""
    if not value.determined:
        return "undetermined", value.reason
    if not value.contains(theory):
        return "no", ""
    held = [exponent(rival) for rival in rivals if value.contains(rival)]
    if held:
        return "undetermined", f"the interval holds {' and '.join(held)} as well"
    return "yes", ""


def exponent(value: float) -> str:
    """An exponent as the papers write it."""
    return str(Fraction(value).limit_denominator(8)).replace("-", "−")
