"""The replicated optimiser equals torch.optim.SGD run on each replica alone."""

import pytest
import torch
from torch import nn

from benchmark.optimizer import ReplicatedSGD
from benchmark.recipes import Recipe
from search_spaces.layers import Linear

RECIPES = [
    Recipe(),
    Recipe(momentum=0.9),
    Recipe(momentum=0.9, nesterov=True, weight_decay=5e-4),
    Recipe(weight_decay=0.1),
]


@pytest.mark.parametrize("recipe", RECIPES, ids=["sgd", "momentum", "nesterov", "decay"])
def test_equals_torch_sgd_per_replica(recipe: Recipe) -> None:
    rates = torch.tensor([0.1, 0.01, 1.0], dtype=torch.float64)
    module = Linear(3, 4, 2).double()
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.normal_(generator=torch.Generator().manual_seed(1))
    alone = [
        [nn.Parameter(p[r].detach().clone()) for p in module.parameters()]
        for r in range(len(rates))
    ]
    peers = [
        torch.optim.SGD(
            parameters,
            lr=float(rate),
            momentum=recipe.momentum,
            nesterov=recipe.nesterov,
            weight_decay=recipe.weight_decay,
        )
        for parameters, rate in zip(alone, rates, strict=True)
    ]
    ours = ReplicatedSGD(module, rates, recipe)
    generator = torch.Generator().manual_seed(2)
    for _ in range(5):
        ours.zero_grad()
        for parameter in module.parameters():
            assert parameter.grad is not None
            parameter.grad += torch.randn(parameter.shape, generator=generator, dtype=torch.float64)
        for replica, peer in enumerate(peers):
            for mine, parameter in zip(alone[replica], module.parameters(), strict=True):
                assert parameter.grad is not None
                mine.grad = parameter.grad[replica].clone()
            peer.step()
        ours.step(1.0)
    for replica, parameters in enumerate(alone):
        for mine, parameter in zip(parameters, module.parameters(), strict=True):
            torch.testing.assert_close(parameter[replica], mine.detach(), rtol=0, atol=1e-14)


def test_frozen_parameters_stay() -> None:
    module = Linear(2, 3, 3)
    module.weight.requires_grad_(False)
    before = module.weight.detach().clone()
    optimizer = ReplicatedSGD(module, torch.tensor([1.0, 1.0]), Recipe(weight_decay=0.5))
    optimizer.gradient.fill_(1.0)
    optimizer.step(1.0)
    assert torch.equal(module.weight, before)
    assert module.bias is not None
    assert (module.bias != 0).all()
