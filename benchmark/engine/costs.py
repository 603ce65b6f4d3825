"""What a unit costs to train, known before it is run."""

from __future__ import annotations

from benchmark.datasets import catalogue
from benchmark.study.unit import Unit
from search_spaces.registry import create


def count_steps(unit: Unit) -> int:
    """How many optimizer steps each replica of a unit takes."""
    if unit.measure == "updates":
        return 1
    data = catalogue.load(unit.dataset)
    training = len(data.y_train) - round(len(data.y_train) * unit.recipe.validation)
    return unit.recipe.epochs * max(1, training // unit.recipe.batch)


def count_replica_steps(unit: Unit) -> int:
    """Steps summed over the replicas that are trained: those that share a training key count once.

    0 for an architecture that no path joins to its logits.
    """
    if not create(unit.space, **dict(unit.space_options)).topology(unit.architecture).trainable:
        return 0
    return len({replica.training_key for replica in unit.replicas}) * count_steps(unit)


def estimate_cost(unit: Unit) -> int:
    """Computing cost relative to other units: replica-steps x weighted layers x images a batch."""
    space = create(unit.space, **dict(unit.space_options))
    network = space.topology(unit.architecture).network
    layers = sum(edge.operation.weighted for edge in network.live_edges)
    return count_replica_steps(unit) * layers * unit.recipe.batch
