"""Variances by equation, streams by seed, and the moments they are chosen to preserve."""

from dataclasses import replace

import pytest
import torch
from support.replicas import replica

from benchmark.training.weights.initialization import initialize
from benchmark.training.weights.variances import variance
from search_spaces.errors import InvalidInput
from search_spaces.layers import BranchScale, Conv2d, Linear, Node
from search_spaces.registry import create


def test_variances_are_the_equations() -> None:
    layer = Conv2d(1, 8, 16, kernel=3).at(source_in_degree=3, target_in_degree=2, branch=True)
    fan_in = 8 * 9
    assert variance("he", layer, 5) == 2 / fan_in
    assert variance("in-degree-target", layer, 5) == 2 / (2 * fan_in)
    assert variance("in-degree-source", layer, 5) == 2 / (3 * fan_in)
    assert variance("residual-aware", layer, 5) == 2 / (5 * fan_in)
    readout = Linear(1, 16, 10).at(readout=True)
    assert {variance(s, readout, 5) for s in ("he", "residual-aware")} == {1 / 16}
    assert variance("he+mean-field", readout, 5) == 1 / 16**2
    assert variance("he+mean-field", layer, 5) == variance("he", layer, 5)
    with pytest.raises(InvalidInput, match="unknown initialization 'xavier'"):
        variance("xavier", layer, 5)


def test_a_replica_draws_the_same_weights_in_any_company() -> None:
    space = create("resnet", width=4)
    several = [replica(0.1, 0), replica(0.1, 1, "residual-aware"), replica(0.5, 0)]
    together, alone = (space.build("resnet-3", n, (1, 8, 8), 10) for n in (3, 1))
    initialize(together, several, 3)
    initialize(alone, [several[1]], 3)
    for one, other in zip(together.parameters(), alone.parameters(), strict=True):
        assert torch.equal(one[1], other[0])
    first = next(together.parameters())
    assert torch.equal(first[0], first[2])
    assert not torch.equal(first[0], first[1])


@pytest.mark.parametrize(
    ("scheme", "keeps"), [("residual-aware", True), ("in-degree-target", False), ("he", False)]
)
def test_residual_aware_keeps_the_second_moment_of_deep_residual_nets(
    scheme: str, keeps: bool
) -> None:
    """He doubles it in every block, residual-aware multiplies it by (1 + 1/K)^K < e in all."""
    blocks, seeds = 24, 16
    space = create("resnet", width=32)
    module = space.build(f"resnet-{blocks}", seeds, (1, 8, 8), 10)
    initialize(module, [replica(0.1, seed, scheme) for seed in range(seeds)], blocks)
    moments: list[float] = []
    for node in module.modules():
        if isinstance(node, Node):
            node.register_forward_hook(lambda _m, _i, z: moments.append(float(z.square().mean())))
    with torch.no_grad():
        module(torch.randn(8, seeds, 8, 8, generator=torch.Generator().manual_seed(0)))
    growth = moments[blocks] / moments[0]
    if scheme == "he":
        assert growth > 1e4
    elif keeps:
        assert 1 < growth < 4
    else:
        assert 1 < growth < 1e4


def test_torch_default_is_what_torchs_layers_draw() -> None:
    """Uniform weights and biases of torch.nn.Conv2d and torch.nn.Linear, by their moments."""
    space = create("resnet", width=32)
    module = space.build("resnet-2", 1, (3, 8, 8), 10)
    initialize(module, [replica(0.1, 0, "torch-default")], 2)
    for layer in module.modules():
        if not isinstance(layer, Conv2d | Linear):
            continue
        _, outputs, inputs, *kernel = layer.weight.shape
        peer = (
            torch.nn.Conv2d(inputs, outputs, kernel[0]) if kernel else torch.nn.Linear(inputs, 10)
        )
        bound = layer.fan_in**-0.5
        pairs = [(layer.weight.data, peer.weight.data)]
        if layer.bias is not None:  # convolutions have none here
            assert peer.bias is not None
            pairs.append((layer.bias.data, peer.bias.data))
        for own, theirs in pairs:
            assert own.abs().max() <= bound
            assert theirs.abs().max() <= bound
            if own.numel() > 500:
                assert own.abs().max() > 0.98 * bound
                assert float(own.var()) == pytest.approx(bound**2 / 3, rel=0.1)
                assert float(own.var()) == pytest.approx(float(theirs.var()), rel=0.15)
                quartiles = torch.quantile(own.flatten(), torch.tensor([0.25, 0.5, 0.75])) / bound
                torch.testing.assert_close(
                    quartiles, torch.tensor([-0.5, 0, 0.5]), atol=0.08, rtol=0
                )
    readout = next(m for m in module.modules() if isinstance(m, Linear))
    assert readout.bias is not None
    assert readout.bias.abs().min() > 0


def test_a_scheme_that_draws_biases_leaves_the_others_numbers_alone() -> None:
    space = create("mlp", width=4)
    both = [replica(0.1, 0), replica(0.1, 0, "torch-default")]
    together, alone = (space.build("mlp-2", n, (1, 8, 8), 10) for n in (2, 1))
    initialize(together, both, 0)
    initialize(alone, both[:1], 0)
    for one, other in zip(together.parameters(), alone.parameters(), strict=True):
        assert torch.equal(one[0], other[0])
    weight, *_ = together.parameters()
    assert torch.equal(weight[0].sign(), weight[1].sign())  # one seed, one draw


def test_the_two_scales_of_the_released_branches() -> None:
    space = create("resnet", width=8, block="post-activation", padding="circular")
    module = space.build("resnet-5", 1, (1, 8, 8), 10)
    branches = [m for m in module.modules() if isinstance(m, Conv2d) and m.branch]
    assert len(branches) == 5
    for layer in branches:
        he = variance("he", layer, 5)
        assert variance("residual-aware", layer, 5) == pytest.approx(he / 5)  # W / sqrt(K)
        assert variance("residual-inverse", layer, 5) == pytest.approx(he / 25)  # W / K


def test_a_float64_network_has_branch_multipliers_in_float64() -> None:
    space = create("resnet", width=4)
    module = space.build("resnet-2", 1, (1, 8, 8), 10).double()
    initialize(module, [replace(replica(0.1, 0), branch_multiplier=1 / 3)], 2)
    scales = [m.multiplier_R for m in module.modules() if isinstance(m, BranchScale)]
    assert [float(each) for each in scales] == [1 / 3, 1 / 3]
