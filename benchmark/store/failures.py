"""Failed attempts at a unit: what went wrong, kept until the unit is done."""

from __future__ import annotations

import traceback
from dataclasses import dataclass

from benchmark.study.unit import Unit


@dataclass(frozen=True)
class Failure:
    """One failed attempt: ``attempt`` counts from 1, ``error`` is the traceback's last line.

    ``killed`` says that its worker went with it, and did not come to the units after it.
    """

    unit: str
    description: str
    attempt: int
    error: str
    traceback: str
    killed: bool = False


def description(unit: Unit) -> str:
    """A unit in a few words."""
    return f"{unit.space} {unit.architecture} ({len(unit.replicas)} replicas)"


def describe(error: BaseException) -> tuple[str, str]:
    """The last line and the whole of an exception's traceback."""
    return "".join(traceback.format_exception_only(error)).strip(), "".join(
        traceback.format_exception(error)
    )
