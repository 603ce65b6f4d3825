"""Initializations and branch multipliers on modules that know nothing of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from benchmark.datasets.streams import create_stream
from benchmark.models.network import Network, require_network
from benchmark.training.weights.initialization import to_uniform
from benchmark.training.weights.variances import SCALES_SKIPS, UNIFORM, variance
from search_spaces.errors import InvalidInput
from search_spaces.traced.weight_norm import explain_computed, find_weight_norms


@torch.no_grad()
def initialize_(
    model: Network, scheme: str, *, seed: int = 0, factors: Sequence[tuple[str, float]] = ()
) -> None:
    """Draw the weights of every traced layer anew, in place, by a scheme of
    ``benchmark.training.weights.initialization``.

    Numbers come from the seed's own stream, in the order of ``named_parameters``: networks of the
    spaces get those that a study's replica has, where all their layers are on a path. Biases of
    layers become 0 (uniform where the scheme says so); norms, scales and positions stay as they
    are. Under weight normalization (torch's) the weight that is computed is drawn: the direction is
    it, and the magnitude its norm. ``factors`` are a rule's, of which ``readout-variance`` counts
    here. Raises ``InvalidInput`` for an unknown scheme, for one that scales edges without weights,
    where a module has no place for it, and for a layer whose weight the module's code computes
    from its parameters in another way, such as spectral normalization.
    """
    module, traced = require_network(model).require_module()
    K = model.topology.residual_blocks
    if scheme.partition("+")[0] in SCALES_SKIPS and K:
        raise InvalidInput(
            f"initialization {scheme} multiplies skips too, which this module has no place for; "
            "leave the form all-edges out"
        )
    norms = find_weight_norms(module)
    if problem := explain_computed(traced.layers, norms):
        raise InvalidInput(problem)
    scaled = {norm.direction: norm for norm in norms}
    magnitudes = {norm.magnitude for norm in norms}
    layers = {id(module.get_parameter(n)): each for each in traced.layers for n in each.parameters}
    by_owner = {layer.module: layer for layer in traced.layers}
    weights, biases = create_stream(seed, "weights"), create_stream(seed, "biases")
    for name, parameter in module.named_parameters():
        owner, _, own = name.rpartition(".")
        layer = layers.get(id(parameter))
        if name in magnitudes:
            continue
        if layer is not None:
            size = variance(scheme, layer, K)
            if layer.readout:
                size *= dict(factors).get("readout-variance", 1.0)
            drawn = torch.randn(parameter.shape, generator=weights, dtype=torch.float64)
            drawn = to_uniform(drawn) if scheme in UNIFORM else drawn
            parameter.copy_(drawn * size**0.5)
            if name in scaled:
                norm = scaled[name]
                module.get_parameter(norm.magnitude).copy_(norm.measure_magnitude(parameter))
        elif owner in by_owner and own.endswith("bias"):
            parameter.zero_()
            if scheme in UNIFORM:
                uniform = torch.rand(parameter.shape, generator=biases, dtype=torch.float64)
                parameter.copy_((2 * uniform - 1) * by_owner[owner].fan_in ** -0.5)


def scale_branches(model: Network, multiplier: float) -> list[RemovableHandle]:
    """Multiply every residual branch in the forward pass, by hooks; returns them, to be removed.

    The hook is on the module whose output is the whole branch (``Layer.branch_end``). A multiplier
    of 1 needs none. Raises ``InvalidInput`` where a branch is no module's output alone.
    """
    if multiplier == 1:
        return []
    module, traced = require_network(model).require_module()
    ends: dict[str, None] = {}
    for use_of in traced.layers:
        for use in use_of.uses:
            if use.branch and not use.branch_end:
                raise InvalidInput(
                    f"the branch that {use_of.module} ends is no module's output, so that no hook "
                    "can scale it; end it with a module, such as torch.nn.Identity"
                )
            if use.branch:
                ends[use.branch_end] = None
    return [module.get_submodule(end).register_forward_hook(_scale_by(multiplier)) for end in ends]


def _scale_by(multiplier: float) -> Callable[[nn.Module, object, object], object]:
    def scale(_module: nn.Module, _inputs: object, output: object) -> object:
        if isinstance(output, tuple):  # attention's output and its weights
            return (output[0] * multiplier, *output[1:])
        assert isinstance(output, Tensor)
        return output * multiplier

    return scale
