"""The rate that each rule gives a network where another one was tuned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from benchmark.models.network import Network, find_network, require_network
from benchmark.rules import Control, Rule, bundle, registry, rule
from benchmark.rules.grammar.rule import Bundle, UndefinedRule
from search_spaces.conventions import CONVENTIONS
from search_spaces.errors import InvalidInput

DEPTH = "wu2026-layers-and-additions"
"""The convention by which two networks are said to be the deeper and the shallower."""


@dataclass(frozen=True)
class Prescription:
    """``rate`` is the rule's for this network; it holds with the initialization, the branch
    multiplier and the groups' factors of ``bundle`` alone."""

    rule: str
    optimizer: str
    rate: float
    bundle: Bundle


def rates(
    model: Network | str,
    base: Network | str,
    lr: float,
    *,
    optimizer: str = "sgd",
    rules: Sequence[str | Rule] | None = None,
) -> dict[str, Prescription]:
    """What rules prescribe for ``model`` where ``lr`` was tuned on ``base``, by rule name.

    Networks may be given by name (``find_network``), rules by name or as a ``Rule``. Without
    ``rules`` all that are computed from the graphs, stated for the optimizer and defined for both
    networks. Raises ``InvalidInput`` as ``prescribe`` does.
    """
    target, origin = find_both(model, base)
    found: dict[str, Prescription] = {}
    for each in list_rules(optimizer) if rules is None else rules:
        try:
            prescribed = prescribe(target, each, origin, lr, optimizer=optimizer)
        except UndefinedRule:
            if rules is not None:
                raise
            continue
        found[prescribed.rule] = prescribed
    return found


def list_rules(optimizer: str) -> list[str]:
    """The rules that give one network a rate from its graph, relative to a tuned base."""
    found = [
        name
        for name, each in registry().items()
        if each.tuned
        and not each.measured
        and not isinstance(each, Control)
        and optimizer in each.optimizers
    ]
    if not found:
        raise InvalidInput(f"no rule is stated for optimizer {optimizer!r}; use sgd or adamw")
    return found


def find_both(model: Network | str, base: Network | str) -> tuple[Network, Network]:
    """Both networks; raises ``InvalidInput`` where the base is of another kind."""
    target, origin = (
        find_network(each) if isinstance(each, str) else require_network(each)
        for each in (model, base)
    )
    if target.kind != origin.kind:
        raise InvalidInput(
            f"the base {origin.name} is a {origin.kind} network and the target {target.name} a "
            f"{target.kind} network: no rule carries a rate from one kind to another; tune a "
            f"{target.kind} network as the base"
        )
    return target, origin


def prescribe(
    model: Network | str,
    name: str | Rule,
    base: Network | str,
    lr: float,
    *,
    optimizer: str = "sgd",
) -> Prescription:
    """What one rule prescribes.

    Raises ``InvalidInput`` where the base is of another kind, the rate is no positive number, or
    the rule is unknown, measured, made from others (a control), not stated for the optimizer or
    undefined for one of the networks.
    """
    if not 0 < lr < float("inf"):
        raise InvalidInput(f"the base's rate {lr} is no positive number; give the one it was tuned")
    target, origin = find_both(model, base)
    asked = rule(name)
    if asked.measured:
        raise InvalidInput(
            f"rule {asked.name!r} is measured at initialization, not computed from a graph; "
            "measure both networks by benchmark.models.one_step"
        )
    # A convention of a space's own counts its cells, which other networks do not have.
    space = target.space if target.space == origin.space else ""
    found = bundle(asked, space, target.topology, origin.topology, optimizer)
    if found is None:
        raise InvalidInput(f"{target.name} cannot be trained: no path joins input and output")
    return Prescription(asked.name, optimizer, lr * found.lr_multiplier, found)


def find_depth(network: Network) -> int:
    """The effective depth: layers and additions on the shortest path (arXiv 2602.07494)."""
    return CONVENTIONS[DEPTH].statistics(network.topology).min or 0
