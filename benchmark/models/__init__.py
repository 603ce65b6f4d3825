"""Networks that people bring: their rates, parameter groups, weights and first steps."""

from benchmark.models.initialize import initialize_, scale_branches
from benchmark.models.network import Network, find_network, read_network
from benchmark.models.one_step import LayerStep, one_step
from benchmark.models.parameter_groups import parameter_groups
from benchmark.models.rates import Prescription, prescribe, rates

__all__ = [
    "LayerStep",
    "Network",
    "Prescription",
    "find_network",
    "initialize_",
    "one_step",
    "parameter_groups",
    "prescribe",
    "rates",
    "read_network",
    "scale_branches",
]
