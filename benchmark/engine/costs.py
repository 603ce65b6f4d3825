"""What a unit costs to train, known before it is run."""

from __future__ import annotations

from dataclasses import dataclass

from benchmark.datasets import catalog
from benchmark.study.unit import Unit
from benchmark.training.schedules import count_total_steps


@dataclass(frozen=True)
class PricedUnit:
    """A unit with its ``replica_steps`` and its relative ``cost``, which travel together.

    Stored units named in ``sources`` hold some of its replicas; the price is that of the others.
    """

    unit: Unit
    replica_steps: int
    cost: int
    sources: tuple[str, ...] = ()


def price_unit(unit: Unit) -> PricedUnit:
    """The unit with its price; raises ``InvalidInput`` for an unknown space or data set."""
    return PricedUnit(unit, count_replica_steps(unit), estimate_cost(unit))


def count_steps(unit: Unit) -> int:
    """How many optimizer steps each replica of a unit takes."""
    if unit.measure == "updates":
        return 1
    data = catalog.load_planned(unit.dataset_name, unit.dataset_checksum)
    training = len(data.y_train) - round(len(data.y_train) * unit.recipe.validation)
    return count_total_steps(unit.recipe, training)


def count_replica_steps(unit: Unit) -> int:
    """Steps summed over the replicas that are trained: those that share a training key count once.

    0 for an architecture that no path joins to its logits.
    """
    if not unit.search_space.topology(unit.architecture).trainable:
        return 0
    return len({replica.training_key for replica in unit.replicas}) * count_steps(unit)


def estimate_cost(unit: Unit) -> int:
    """Computing cost relative to other units: replica-steps x weighted layers x images a batch."""
    network = unit.search_space.topology(unit.architecture).network
    layers = sum(edge.operation.weighted for edge in network.live_edges)
    return count_replica_steps(unit) * layers * unit.recipe.batch
