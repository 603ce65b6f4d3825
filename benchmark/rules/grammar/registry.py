"""The rules there are: this package's, those of other packages, and those of this process."""

from __future__ import annotations

import importlib
import pkgutil
import re
from functools import cache
from pathlib import Path
from typing import Final

from benchmark.rules.grammar.rule import Rule
from search_spaces.errors import InvalidInput
from search_spaces.plug_ins import PlugIn, sort_plug_ins

GROUP: Final = "benchmark.rules"
"""Entry points of rules: ``NAME = package.module:RULE``, where the ``Rule`` has that name."""

_added: dict[str, Rule] = {}


def registry() -> dict[str, Rule]:
    """Every rule by its plain name."""
    found = {**list_shipped(), **list_installed()[0], **_added}
    return {name: found[name] for name in sorted(found)}


def find_plain_rule(name: str) -> Rule:
    """A rule of the registry.

    Raises ``InvalidInput`` with the names there are, or with what is wrong with the package that
    has it.
    """
    problem = list_installed()[1].get(name)
    if problem:
        raise InvalidInput(problem)
    known = registry()
    if name not in known:
        raise InvalidInput(f"unknown rule {name!r}; choose one of {', '.join(known)}")
    return known[name]


def add_rule(rule: Rule) -> None:
    """Let a rule's name stand for it in this process; a later one of the same name replaces it.

    Results hold what it prescribed, so that processes without it train and report them. Raises
    ``InvalidInput`` for a name that a rule of this suite or of another package has.
    """
    if _added.get(rule.name) is rule:
        return
    taken = {**list_shipped(), **list_installed()[0]}.get(rule.name)
    if taken is rule:
        return
    if taken is not None:
        raise InvalidInput(f"there is a rule {rule.name!r} already; give yours another name")
    _added[rule.name] = rule


@cache
def list_shipped() -> dict[str, Rule]:
    """The rules of this package: each module of ``benchmark.rules`` that has a ``RULE``."""
    modules = (
        importlib.import_module(f"benchmark.rules.{module.name}")
        for module in pkgutil.iter_modules([str(Path(__file__).parents[1])])
    )
    found = [module.RULE for module in modules if hasattr(module, "RULE")]
    return {rule.name: rule for rule in found}


@cache
def list_installed() -> tuple[dict[str, Rule], dict[str, str]]:
    """The rules of other packages, and by name what is wrong with those that cannot be had."""
    return sort_plug_ins(GROUP, "rule", list_shipped(), explain_no_rule)


def explain_no_rule(given: PlugIn) -> str:
    """What an entry point is instead of a rule; "" where it is one."""
    rule = given.value
    if isinstance(rule, Rule) and rule.name == given.name and is_plain(given.name):
        return ""
    return "no benchmark.rules.Rule of that name (letters, digits and -)"


def is_plain(name: str) -> bool:
    """Whether a name is a rule's own, and not one in forms."""
    return re.fullmatch(r"[A-Za-z0-9]+(-[A-Za-z0-9]+)*", name) is not None
