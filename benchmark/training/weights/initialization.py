"""Draws the weights of every replica, from a random stream per seed."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from benchmark.datasets.streams import create_stream
from benchmark.study.unit import Replica
from benchmark.training.weights.obstacles import find_obstacle
from benchmark.training.weights.variances import UNIFORM, skip_multiplier, variance
from search_spaces.errors import InvalidInput
from search_spaces.layers import BranchScale, Dropout, SkipScale, Weighted


def to_uniform(normal: Tensor) -> Tensor:
    """Standard normal numbers to uniform ones of the same quantiles, mean 0 and variance 1."""
    return 3**0.5 * torch.erf(normal / 2**0.5)


def draw_biases(
    layer: Weighted,
    bias_RO: Tensor,
    replicas: Sequence[Replica],
    streams: dict[int, torch.Generator],
) -> None:
    """Biases uniform in +-1 / sqrt(fan_in) for the schemes that draw them, from their own streams;
    the others keep their zeros."""
    if not any(replica.initialization in UNIFORM for replica in replicas):
        return
    uniform = {
        seed: 2 * torch.rand(bias_RO.shape[1:], generator=generator, dtype=torch.float64) - 1
        for seed, generator in streams.items()
    }
    for index, replica in enumerate(replicas):
        if replica.initialization in UNIFORM:
            bias_RO[index] = uniform[replica.seed] * layer.fan_in**-0.5


@torch.no_grad()
def initialize(module: nn.Module, replicas: Sequence[Replica], residual_blocks: int) -> None:
    """Draw every replica's weights, and set multipliers of branches and skips and dropout streams.

    The factor ``readout-variance`` of a replica multiplies the variance of its readout's weights.

    Replicas of one seed draw the same normal numbers and scale them each by its own scheme, so
    that comparisons between rules are paired. Numbers are drawn in float64 whatever the precision.
    A scheme of uniform weights takes the normal numbers' quantiles; its biases, which start at zero
    under all others, have a stream of their own. Raises ``InvalidInput`` for an unknown scheme, and
    for what a module of another package has no place for.
    """
    for replica in replicas:
        problem = find_obstacle(module, replica.initialization, replica.branch_multiplier)
        if problem:
            raise InvalidInput(f"rule {replica.rule} cannot be applied: {problem}")
    bias_streams = {replica.seed: create_stream(replica.seed, "biases") for replica in replicas}
    streams = {replica.seed: create_stream(replica.seed, "weights") for replica in replicas}
    for layer in module.modules():
        if isinstance(layer, Weighted):
            shape = layer.weight.shape[1:]
            normal = {
                seed: torch.randn(shape, generator=generator, dtype=torch.float64)
                for seed, generator in streams.items()
            }
            for index, replica in enumerate(replicas):
                size = variance(replica.initialization, layer, residual_blocks)
                if layer.readout:
                    size *= dict(replica.factors).get("readout-variance", 1.0)
                drawn = normal[replica.seed]
                if replica.initialization in UNIFORM:
                    drawn = to_uniform(drawn)
                layer.set_weight(index, drawn * size**0.5)
            if layer.bias is not None:
                draw_biases(layer, layer.bias, replicas, bias_streams)
        elif isinstance(layer, BranchScale):
            layer.set(per_replica([replica.branch_multiplier for replica in replicas]))
        elif isinstance(layer, SkipScale):
            degree = layer.target_in_degree
            layer.set(per_replica([skip_multiplier(r.initialization, degree) for r in replicas]))
        elif isinstance(layer, Dropout):
            layer.generators = [create_stream(replica.seed, "dropout") for replica in replicas]


def per_replica(values: Sequence[float]) -> torch.Tensor:
    """One number per replica, (R,), in float64: what takes it rounds to its own precision."""
    return torch.tensor(values, dtype=torch.float64)
