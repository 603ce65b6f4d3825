"""The rates that installed rules give: found through the entry points ``search_spaces.rules``.

This package knows no rule. Whatever registers under that group is a callable
``multipliers(space, architectures) -> dict[str, RuleColumn]``.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import entry_points

from search_spaces.errors import InvalidInput
from search_spaces.space import RuleColumn, SearchSpace

GROUP = "search_spaces.rules"


def rule_columns(space: SearchSpace, architectures: Sequence[str]) -> dict[str, RuleColumn]:
    """Every installed rule's multipliers; empty where none is installed.

    A plugin's own failure passes through, and ``InvalidInput`` names a rule that two plugins give.
    """
    columns: dict[str, RuleColumn] = {}
    for point in entry_points(group=GROUP):
        for rule, column in point.load()(space, architectures).items():
            if rule in columns:
                raise InvalidInput(f"two plugins give a rule {rule!r}; uninstall {point.value!r}")
            columns[rule] = column
    return columns
