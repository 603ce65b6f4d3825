"""The group of every parameter of a network that somebody brought."""

from __future__ import annotations

from benchmark.models.network import Network, require_network
from benchmark.training.weights.traced_groups import group_traced


def group_parameters(model: Network) -> dict[str, tuple[str, ...]]:
    """The names by which a rule's factors may call each trained parameter, by its name: as the
    engine groups them in a study. Raises ``InvalidInput`` where the network has no module."""
    return {**group_traced(*require_network(model).require_module())}
