"""A rule's rates as parameter groups, for any optimizer of torch."""

from __future__ import annotations

from math import prod
from typing import Any

from benchmark.models.layer_groups import group_parameters
from benchmark.models.network import Network, require_network
from benchmark.models.rates import prescribe
from benchmark.rules import Rule
from benchmark.training.optimizers.flat import EPSILON


def parameter_groups(
    model: Network,
    rule: str | Rule,
    base: Network | str,
    lr: float,
    *,
    optimizer: str = "sgd",
    weight_decay: float = 0.0,
    epsilon: float = EPSILON,
) -> list[dict[str, Any]]:
    """Groups for ``torch.optim.SGD(groups)``, ``AdamW(groups)`` or any other optimizer.

    Each has ``name``, ``params``, ``lr`` and ``weight_decay``, and ``eps`` for AdamW: the rule's
    rate where ``lr`` was tuned on ``base``, times the factors of the group
    (``benchmark.models.layer_groups``). ``weight_decay`` and ``epsilon`` are those of the base.
    Nothing is hung on parameters: groups are made from names, so that a module may be compiled or
    sharded afterwards. Raises ``InvalidInput`` as ``prescribe`` does.
    """
    module, _ = require_network(model).require_module()
    found = prescribe(model, rule, base, lr, optimizer=optimizer)
    factors = dict(found.bundle.factors)

    def factor(names: tuple[str, ...], of: str = "") -> float:
        return prod(factors.get(f"{name}{of}", 1.0) for name in names)

    groups: dict[tuple[str, ...], dict[str, Any]] = {}
    for name, names in group_parameters(model).items():
        if names not in groups:
            groups[names] = {
                "name": "-".join(names),
                "params": [],
                "lr": found.rate * factor(names),
                "weight_decay": weight_decay * factor(names, "-decay"),
            }
            if optimizer == "adamw":
                own = factors.get("epsilon", 1.0) * factor(names, "-epsilon")
                groups[names]["eps"] = epsilon * own
        groups[names]["params"].append(module.get_parameter(name))
    return list(groups.values())
