"""Variances by equation, streams by seed, and the moments they are chosen to preserve."""

import pytest
import torch
from support.replicas import replica

from benchmark.training.initialization import initialize, variance
from search_spaces.errors import InvalidInput
from search_spaces.layers import Conv2d, Linear, Node
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
