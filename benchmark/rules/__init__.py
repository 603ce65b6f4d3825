"""Learning-rate rules: one file each, every file a ``RULE``.

A rule is a bundle of initialization, branch multiplier and rate multiplier, because the three
interact: moving 1/sqrt(K) from a multiplier into the weights changes the SGD rate by K.
"""

from __future__ import annotations

from collections.abc import Sequence

from benchmark.rules.grammar.names import controls_of, find, owner_of, placebo_of, rule
from benchmark.rules.grammar.registry import registry
from benchmark.rules.grammar.rule import Bundle, Control, Reading, Rule
from search_spaces.errors import InvalidInput
from search_spaces.space import RuleColumn, RuleTerms, SearchSpace, Topology

__all__ = [
    "Bundle",
    "Control",
    "Reading",
    "Rule",
    "bundle",
    "bundles",
    "controls_of",
    "find",
    "multipliers",
    "owner_of",
    "placebo_of",
    "registry",
    "rule",
]


def bundle(
    name: str | Rule, space: str, target: Topology, base: Topology, optimizer: str = "sgd"
) -> Bundle | None:
    """What a rule of one architecture gives ``target`` where ``base`` was tuned.

    ``space`` is the space's name, which chooses the convention. The base may have another depth
    and another width. None: the target cannot be trained. Raises ``InvalidInput`` for a control,
    which needs the whole population, and where the rule is not stated for the optimizer.
    """
    asked = find_stated_rule(name, optimizer)
    if isinstance(asked, Control):
        raise InvalidInput(f"rule {asked.name!r} deals rates to a population; ask for all at once")
    if not target.trainable:
        return None
    convention = asked.convention(space)
    read = [Reading.of(topology, convention, optimizer) for topology in (target, base)]
    return asked.bundle(*read)


def bundles(
    name: str | Rule,
    space: SearchSpace,
    architectures: Sequence[str],
    base: str | None = None,
    optimizer: str = "sgd",
    *,
    base_space: SearchSpace | None = None,
    seeds: int = 1,
) -> list[Bundle | None]:
    """What a rule gives each architecture, relative to ``base`` (None: cannot be trained).

    ``base_space`` is the base's where it is not ``space``: the same ladder in the width that was
    tuned. Rules see one architecture at a time; a control sees the whole population, so its answer
    depends on which architectures are asked for together, and, where it is dealt by seed, holds a
    rate for each of ``seeds`` (``Bundle.for_seed``). Raises ``InvalidInput`` where the rule is not
    stated for the optimizer.
    """
    asked = find_stated_rule(name, optimizer)
    origin = base_space or space
    start = base or origin.base_architecture
    if isinstance(asked, Control):
        of = bundles(asked.of, space, architectures, base, optimizer, base_space=base_space)
        fixed = [origin == space and each == start for each in architectures]
        return asked.dealt(of, fixed, seeds)
    convention = asked.convention(space.name)
    anchor = Reading.of(origin.topology(start), convention, optimizer)
    known: dict[int, tuple[Topology, Bundle | None]] = {}
    result: list[Bundle | None] = []
    for architecture in architectures:
        topology = space.topology(architecture)
        key = id(topology)  # equal topologies share one object, which is kept alive here
        if key not in known:
            target = Reading.of(topology, convention, optimizer)
            given = asked.bundle(target, anchor) if topology.trainable else None
            known[key] = topology, given
        result.append(known[key][1])
    return result


def find_stated_rule(name: str | Rule, optimizer: str) -> Rule:
    """The rule of that name; raises ``InvalidInput`` unless it is stated for the optimizer."""
    asked = rule(name)
    if optimizer not in asked.optimizers:
        raise InvalidInput(
            f"rule {asked.name!r} is stated for {', '.join(asked.optimizers)}, not for "
            f"{optimizer}; change the recipe's optimizer or leave the rule out"
        )
    return asked


def multipliers(space: SearchSpace, architectures: Sequence[str]) -> dict[str, RuleColumn]:
    """The rate multiplier of every rule that is a function of one architecture's graph, for the
    first optimizer that the rule is stated for.

    Registered under the entry point ``search_spaces.rules``, so that ``python -m search_spaces``
    can show rates without knowing this package.
    """
    columns = {}
    for name, each in registry().items():
        if isinstance(each, Control) or each.measured:
            continue
        optimizer = each.optimizers[0]
        found = bundles(name, space, architectures, optimizer=optimizer)
        columns[name] = RuleColumn(
            each.convention(space.name) or "",
            [None if bundle is None else bundle.lr_multiplier for bundle in found],
            optimizer,
            [None if bundle is None else _terms(bundle) for bundle in found],
        )
    return columns


def _terms(bundle: Bundle) -> RuleTerms:
    return RuleTerms(bundle.initialization, bundle.branch_multiplier, bundle.factors)
