"""Initializations: the variance of every weight, and the random stream it is drawn from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import torch
from torch import Tensor, nn

from benchmark.datasets.streams import create_stream
from benchmark.study.unit import Replica
from search_spaces.errors import InvalidInput
from search_spaces.layers import BranchScale, Dropout, SkipScale, Weighted

RELU_GAIN = 2.0
"""c in Var[W] = c / fan_in: keeps the second moment through a ReLU (He et al. 2015)."""


class WeightedLayer(Protocol):
    """What schemes read of a layer: those of a space (``search_spaces.layers.Weighted``) and those
    of a traced module (``search_spaces.traced.Layer``)."""

    @property
    def fan_in(self) -> int: ...
    @property
    def fan_out(self) -> int: ...
    @property
    def source_in_degree(self) -> int: ...
    @property
    def target_in_degree(self) -> int: ...
    @property
    def branch(self) -> bool: ...
    @property
    def readout(self) -> bool: ...


def he(layer: WeightedLayer, residual_blocks: int) -> float:
    """Var[W] = 2 / fan_in (He et al. 2015)."""
    return RELU_GAIN / layer.fan_in


def in_degree_target(layer: WeightedLayer, residual_blocks: int) -> float:
    """Var[W] = 2 / (fan_in d_in), d_in of the edge's target (arXiv 2402.17440, eq. 12)."""
    return RELU_GAIN / (layer.fan_in * layer.target_in_degree)


def in_degree_source(layer: WeightedLayer, residual_blocks: int) -> float:
    """Var[W] = 2 / (fan_in d_in), d_in of the edge's source (arXiv 2402.17440, eq. 4)."""
    return RELU_GAIN / (layer.fan_in * layer.source_in_degree)


def residual_aware(layer: WeightedLayer, residual_blocks: int) -> float:
    """Var[W] = 2 / (K fan_in) at the end of a residual branch, K blocks (arXiv 2510.04327)."""
    return RELU_GAIN / (layer.fan_in * (residual_blocks if layer.branch else 1))


def residual_inverse(layer: WeightedLayer, residual_blocks: int) -> float:
    """Var[W] = 2 / (K^2 fan_in) at the end of a residual branch, K blocks: the released code of
    arXiv 2510.04327 divides these weights by K in one class, where the paper has the root of K."""
    return RELU_GAIN / (layer.fan_in * (residual_blocks**2 if layer.branch else 1))


def torch_default(layer: WeightedLayer, residual_blocks: int) -> float:
    """Var[W] = 1 / (3 fan_in), uniform, and biases likewise, in the readout too: what torch's
    layers draw where nothing is said (torch.nn.Linear, torch.nn.Conv2d)."""
    return 1 / (3 * layer.fan_in)


def in_degree_all_edges(layer: WeightedLayer, residual_blocks: int) -> float:
    """Var[W] = 2 / (fan_in d_in) as in-degree-target, and edges without weights x d_in^(-1/2)."""
    return in_degree_target(layer, residual_blocks)


def in_degree_fan_out(layer: WeightedLayer, residual_blocks: int) -> float:
    """Var[W] = 2 / (fan_out d_in), d_in of the edge's source; a readout of C classes has 4 / C^2
    (the released code of arXiv 2402.17440, models/mlp_dags.py and cnn_dags.py)."""
    degree = 1 if layer.readout else layer.source_in_degree
    return (RELU_GAIN / (layer.fan_out * degree)) ** (2 if layer.readout else 1)


SCHEMES: dict[str, Callable[[WeightedLayer, int], float]] = {
    "he": he,
    "in-degree-target": in_degree_target,
    "in-degree-source": in_degree_source,
    "in-degree-all-edges": in_degree_all_edges,
    "in-degree-fan-out": in_degree_fan_out,
    "residual-aware": residual_aware,
    "residual-inverse": residual_inverse,
    "torch-default": torch_default,
}
OWN_READOUT = ("in-degree-fan-out", "torch-default")
"""Schemes that say what variance a readout has."""
SCALES_SKIPS = ("in-degree-all-edges",)
"""Schemes that scale edges without weights."""


def variance(scheme: str, layer: WeightedLayer, residual_blocks: int) -> float:
    """The variance a scheme gives a layer's weights.

    A readout has 1 / n with n its fan_in, or 1 / n^2 where the scheme ends in ``+mean-field``,
    unless the scheme has a readout of its own.
    Raises ``InvalidInput`` for an unknown scheme.
    """
    hidden, _, readout = scheme.partition("+")
    if hidden not in SCHEMES or readout not in ("", "mean-field"):
        raise InvalidInput(
            f"unknown initialization {scheme!r}; choose one of {', '.join(SCHEMES)}, "
            "with +mean-field for the other readout"
        )
    if layer.readout and (readout or hidden not in OWN_READOUT):
        return float(layer.fan_in) ** (-2 if readout else -1)
    return SCHEMES[hidden](layer, residual_blocks)


UNIFORM = ("torch-default",)
"""Schemes whose weights are uniform, and whose biases are drawn too."""


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


def skip_multiplier(scheme: str, target_in_degree: int) -> float:
    """What a scheme multiplies an edge without weights by, given d_in of the edge's target."""
    scaled = scheme.partition("+")[0] in SCALES_SKIPS
    return float(target_in_degree**-0.5) if scaled else 1.0


@torch.no_grad()
def initialize(module: nn.Module, replicas: Sequence[Replica], residual_blocks: int) -> None:
    """Draw every replica's weights, and set multipliers of branches and skips and dropout streams.

    The factor ``readout-variance`` of a replica multiplies the variance of its readout's weights.

    Replicas of one seed draw the same normal numbers and scale them each by its own scheme, so
    that comparisons between rules are paired. Numbers are drawn in float64 whatever the precision.
    A scheme of uniform weights takes the normal numbers' quantiles; its biases, which start at zero
    under all others, have a stream of their own.
    """
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
                layer.weight[index] = drawn * size**0.5
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
