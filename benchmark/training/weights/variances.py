"""Initializations: the variance that a scheme gives every weight, without torch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from search_spaces.errors import InvalidInput

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
    def released_in_degree(self) -> int: ...
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


def in_degree_cell(layer: WeightedLayer, residual_blocks: int) -> float:
    """Var[W] = 2 / (fan_in d_in), d_in of the edge's source as the released code of arXiv
    2402.17440 counts it on NAS-Bench-201; a readout has (2 / n)^2 (models/tiny_network.py)."""
    if layer.readout:
        return (RELU_GAIN / layer.fan_in) ** 2
    return RELU_GAIN / (layer.fan_in * layer.released_in_degree)


SCHEMES: dict[str, Callable[[WeightedLayer, int], float]] = {
    "he": he,
    "in-degree-target": in_degree_target,
    "in-degree-source": in_degree_source,
    "in-degree-all-edges": in_degree_all_edges,
    "in-degree-fan-out": in_degree_fan_out,
    "in-degree-cell": in_degree_cell,
    "residual-aware": residual_aware,
    "residual-inverse": residual_inverse,
    "torch-default": torch_default,
}
OWN_READOUT = ("in-degree-fan-out", "in-degree-cell", "torch-default")
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


def skip_multiplier(scheme: str, target_in_degree: int) -> float:
    """What a scheme multiplies an edge without weights by, given d_in of the edge's target."""
    scaled = scheme.partition("+")[0] in SCALES_SKIPS
    return float(target_in_degree**-0.5) if scaled else 1.0


UNIFORM = ("torch-default",)
"""Schemes whose weights are uniform, and whose biases are drawn too."""
