"""Learning-rate rules: one file each, every file a ``RULE``.

A rule is a bundle of initialisation, branch multiplier and rate multiplier, because the three
interact: moving 1/sqrt(K) from a multiplier into the weights changes the SGD rate by K.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Sequence
from dataclasses import replace
from functools import cache

from benchmark.rules.forms import FORMS
from benchmark.rules.rule import Bundle, Control, Reading, Rule
from search_spaces.errors import InvalidInput
from search_spaces.space import RuleColumn, SearchSpace

__all__ = ["Bundle", "Control", "Reading", "Rule", "bundles", "multipliers", "registry", "rule"]


@cache
def registry() -> dict[str, Rule]:
    """Every rule by name: each module of this package that has a ``RULE``."""
    modules = (
        importlib.import_module(f"{__name__}.{module.name}")
        for module in pkgutil.iter_modules(__path__)
    )
    found = [module.RULE for module in modules if hasattr(module, "RULE")]
    return {rule.name: rule for rule in sorted(found, key=lambda rule: rule.name)}


@cache
def rule(name: str) -> Rule:
    """The rule of that name, ``RULE`` or ``RULE:FORM:...``.

    Raises ``InvalidInput`` listing the names or forms there are.
    """
    base, *forms = name.split(":")
    if base not in registry():
        raise InvalidInput(f"unknown rule {base!r}; choose one of {', '.join(registry())}")
    unknown = [form for form in forms if form not in FORMS]
    if unknown:
        raise InvalidInput(
            f"unknown form {unknown[0]!r} of rule {base!r}; choose from {', '.join(FORMS)}"
        )
    found = registry()[base]
    return replace(found, name=name, forms=tuple(FORMS[form] for form in forms)) if forms else found


def bundles(
    name: str,
    space: SearchSpace,
    architectures: Sequence[str],
    base: str | None = None,
    optimizer: str = "sgd",
) -> list[Bundle | None]:
    """What a rule gives each architecture, relative to ``base`` (None: cannot be trained).

    Rules see one architecture at a time; a control sees the whole population, so its answer
    depends on which architectures are asked for together. Raises ``InvalidInput`` where the rule is
    not stated for the optimiser.
    """
    asked = rule(name)
    if optimizer not in asked.optimizers:
        raise InvalidInput(
            f"rule {name!r} is stated for {', '.join(asked.optimizers)}, not for {optimizer}; "
            "change the recipe's optimizer or leave the rule out"
        )
    if isinstance(asked, Control):
        forms = name.partition(":")[2]
        of = f"{asked.of}:{forms}" if forms else asked.of
        return asked.deal(bundles(of, space, architectures, base, optimizer))
    convention = asked.convention(space.name)
    anchor = Reading.of(space.topology(base or space.base_architecture), convention, optimizer)
    known: dict[int, Bundle | None] = {}
    result: list[Bundle | None] = []
    for architecture in architectures:
        topology = space.topology(architecture)
        key = id(topology)  # equal topologies share one object, and the space keeps it alive
        if key not in known:
            target = Reading.of(topology, convention, optimizer)
            known[key] = asked.bundle(target, anchor) if topology.trainable else None
        result.append(known[key])
    return result


def multipliers(space: SearchSpace, architectures: Sequence[str]) -> dict[str, RuleColumn]:
    """The rate multiplier of every rule that is a function of one architecture's graph.

    Registered under the entry point ``search_spaces.rules``, so that ``python -m search_spaces``
    can show rates without knowing this package.
    """
    return {
        name: RuleColumn(
            each.convention(space.name) or "",
            [
                None if bundle is None else bundle.lr_multiplier
                for bundle in bundles(name, space, architectures, optimizer=each.optimizers[0])
            ],
        )
        for name, each in registry().items()
        if not isinstance(each, Control) and not each.measured
    }
