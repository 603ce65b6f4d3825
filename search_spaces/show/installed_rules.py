"""The rates that installed rules give: found through the entry points ``search_spaces.rules``.

This package knows no rule. Whatever registers under that group is a callable
``multipliers(space, architectures) -> dict[str, RuleColumn]``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib.metadata import entry_points

from search_spaces.errors import InvalidInput
from search_spaces.space import RuleColumn, SearchSpace

GROUP = "search_spaces.rules"


Plugin = Callable[[SearchSpace, Sequence[str]], dict[str, RuleColumn]]


def load() -> dict[str, Plugin]:
    """The installed plugins by name, imported; a failing import passes through."""
    return {point.name: point.load() for point in entry_points(group=GROUP)}


def rule_columns(space: SearchSpace, architectures: Sequence[str]) -> dict[str, RuleColumn]:
    """Every installed rule's multipliers; empty where none is installed.

    A plugin's own failure passes through, and ``InvalidInput`` names a rule that two plugins give.
    """
    columns: dict[str, RuleColumn] = {}
    for name, multipliers in load().items():
        for rule, column in multipliers(space, architectures).items():
            if rule in columns:
                raise InvalidInput(f"two plugins give a rule {rule!r}; uninstall {name!r}")
            columns[rule] = column
    return columns
