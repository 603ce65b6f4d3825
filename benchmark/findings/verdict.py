"""From an interval to yes, no or undetermined, in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from benchmark.analysis.intervals import Interval
from benchmark.analysis.ladders.exponent_verdict import format_exponent
from benchmark.analysis.ladders.slope import EXPONENTS
from benchmark.analysis.thresholds import Answer, Judged
from benchmark.findings.content import Block, format_number

INITIALIZATION: Final = "initialization "
"""What stands before the name of an initialization where a law is asked of one, not of a rule."""


@dataclass(frozen=True)
class Verdict:
    """The answer to one question about one rule: its numbers, and what they leave open.

    ``topic`` is the question in a few words, for the summary; ``value`` what the answer rests on;
    ``stated`` is false where a law is asked of weights for which its paper does not state it.
    ``seeds`` has, seed by seed, the numbers whose mean ``value`` is, for those who combine studies.
    """

    part: str
    topic: str
    question: str
    rule: str
    because: str
    answer: Answer
    why: str = ""
    value: Interval | None = None
    stated: bool = True
    seeds: tuple[float, ...] = ()


Findings = tuple[list[Verdict], list[Block]]
"""All that one part of the study says."""


def is_judged(part: Mapping[str, Any]) -> bool:
    """Whether verdicts are asked of a part; plans of earlier versions asked them of all."""
    return bool(part.get("judged", True))


def judge_gain(value: Interval, margin: float, adjusted_p: float, scale: float = 1) -> Judged:
    """Is there an effect above 0? The answer, and what it leaves open.

    Yes: the interval lies above 0 and ``adjusted_p`` (Holm) agrees. No: it lies below ``margin``,
    the smallest effect of interest (printed times ``scale``). Else undetermined.
    """
    if not value.determined:
        return Judged("undetermined", value.reason, value)
    least = f"{margin * scale:g}, the smallest effect of interest"
    if value.high < margin:
        return Judged("no", f"the whole interval lies below {least}", value)
    if value.low <= 0:
        return Judged("undetermined", f"the interval holds both 0 and {least}", value)
    if adjusted_p > 1 - value.level:
        why = f"above 0, but not after Holm's correction (p = {format_number(adjusted_p)})"
        return Judged("undetermined", why, value)
    return Judged("yes", "", value)


def judge_below(value: Interval, bound: float, said: str) -> Judged:
    """Is the value below ``bound``, which reads ``said``? Undetermined where it lies inside."""
    if not value.determined:
        return Judged("undetermined", value.reason, value)
    if value.contains(bound):
        return Judged("undetermined", f"the interval holds {said}", value)
    return Judged("yes" if value.high < bound else "no", "", value)


def name_exponents(value: Interval) -> str:
    """The theories' exponents that an interval holds."""
    if not value.determined:
        return "–"
    return ", ".join(format_exponent(each) for each in EXPONENTS if value.contains(each)) or "none"


EXPONENTS_HEADING: Final = f"holds, of {', '.join(format_exponent(theory) for theory in EXPONENTS)}"
"""The heading of a column of ``held``."""
