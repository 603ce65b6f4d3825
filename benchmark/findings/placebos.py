"""Which control a rule has to beat: the one that deals the rule's own rates to others."""

from __future__ import annotations

from collections.abc import Iterable

from benchmark import rules
from benchmark.rules import Control

PLACEBO = "shuffled"


def find_placebo(rule: str, among: Iterable[str]) -> str | None:
    """The placebo of this rule among these names; None where it has none there."""
    for name in among:
        if name.partition(":")[0] == PLACEBO:
            control = rules.rule(name)
            if isinstance(control, Control) and control.of == rule:
                return name
    return None
