"""The replicated optimizers equal torch.optim's, run on each replica alone."""

import pytest
import torch
from torch import nn

from benchmark.study.recipe import Recipe
from benchmark.training.optimizers.create import create_optimizer
from benchmark.training.optimizers.sgd import ReplicatedSGD
from benchmark.training.rate_groups import branch_ends, group_parameters
from search_spaces.layers import Linear
from search_spaces.registry import create

RECIPES = [
    Recipe(),
    Recipe(momentum=0.9),
    Recipe(momentum=0.9, nesterov=True, weight_decay=5e-4),
    Recipe(weight_decay=0.1),
    Recipe(optimizer="adamw"),
    Recipe(optimizer="adamw", weight_decay=0.1),
]
NAMES = ["sgd", "momentum", "nesterov", "decay", "adamw", "adamw-decay"]


def torch_optimizer(
    parameters: list[nn.Parameter], lr: float, recipe: Recipe
) -> torch.optim.Optimizer:
    if recipe.optimizer == "adamw":
        return torch.optim.AdamW(parameters, lr=lr, weight_decay=recipe.weight_decay)
    return torch.optim.SGD(
        parameters,
        lr=lr,
        momentum=recipe.momentum,
        nesterov=recipe.nesterov,
        weight_decay=recipe.weight_decay,
    )


@pytest.mark.parametrize("recipe", RECIPES, ids=NAMES)
def test_equals_torch_per_replica(recipe: Recipe) -> None:
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
        torch_optimizer(parameters, float(rate), recipe)
        for parameters, rate in zip(alone, rates, strict=True)
    ]
    ours = create_optimizer(module, rates, recipe)
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


def test_groups_take_rates_of_their_own() -> None:
    """Each group moves by its own factor, each replica by its own."""
    space = create("resnet", width=4, normalization="bn")
    module = space.build("resnet-2", 2, (1, 8, 8), 10)
    kinds = group_parameters(module)
    vectors = {"vector", "outer-vector", "readout-bias"}
    assert set(kinds.values()) == {"input", "hidden", "readout", *vectors}
    before = {p: p.detach().clone() for p in module.parameters()}
    factors = [{"input": 2.0, "vector": 0.0}, {"readout": 3.0, "hidden": 0.5}]
    ours = ReplicatedSGD(module, torch.tensor([1.0, 0.1]), Recipe(), factors)
    ours.gradient.fill_(1.0)
    ours.step(0.5)
    for parameter, start in before.items():
        for replica, rate in enumerate((1.0, 0.1)):
            moved = 0.5 * rate * factors[replica].get(kinds[parameter], 1.0)
            torch.testing.assert_close(parameter[replica].detach(), start[replica] - moved)


def test_a_factor_scales_the_epsilon_of_adamw() -> None:
    """With a gradient far below epsilon the step is gradient / epsilon."""
    module = Linear(2, 1, 1, bias=False)
    ours = create_optimizer(
        module, torch.tensor([1.0, 1.0]), Recipe(optimizer="adamw"), [{}, {"epsilon": 10.0}]
    )
    assert module.weight.grad is not None
    module.weight.grad.fill_(1e-12)
    ours.step(1.0)
    first, second = module.weight.detach().flatten().tolist()
    assert first == pytest.approx(-1e-4, rel=1e-3)
    assert second == pytest.approx(-1e-5, rel=1e-3)


@pytest.mark.parametrize("recipe", [RECIPES[2], RECIPES[5]], ids=["sgd", "adamw"])
def test_a_factor_scales_the_weight_decay_of_a_group(recipe: Recipe) -> None:
    """With no gradient a step is the decay alone; 0 leaves a group as it is."""
    space = create("resnet", width=4, normalization="bn")
    module = space.build("resnet-2", 2, (1, 8, 8), 10)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.fill_(1.0)
    kinds, ends = group_parameters(module), branch_ends(module)
    factors = [{}, {"hidden-decay": 3.0, "branch-decay": 2.0, "vector-decay": 0.0, "hidden": 0.5}]
    ours = create_optimizer(module, torch.tensor([0.1, 0.1]), recipe, factors)
    ours.step(1.0)
    momentum = 1 + recipe.momentum if recipe.nesterov else 1.0
    for parameter, kind in kinds.items():
        decay = {"hidden": 3.0, "vector": 0.0}.get(kind, 1.0) * (2.0 if parameter in ends else 1.0)
        rate = 0.1 * (0.5 if kind == "hidden" else 1.0)
        moved = (1 - parameter.detach()).flatten(1)
        step = momentum * recipe.weight_decay
        torch.testing.assert_close(moved[0], torch.full_like(moved[0], 0.1 * step))
        torch.testing.assert_close(moved[1], torch.full_like(moved[1], rate * decay * step))


def test_a_factor_scales_the_epsilon_of_one_group() -> None:
    module = create("mlp", width=2).build("mlp-2", 1, (1, 2, 2), 10)
    ours = create_optimizer(
        module, torch.tensor([1.0]), Recipe(optimizer="adamw"), [{"hidden-epsilon": 10.0}]
    )
    before = {p: p.detach().clone() for p in module.parameters()}
    ours.gradient.fill_(1e-12)
    ours.step(1.0)
    for parameter, kind in group_parameters(module).items():
        moved = (before[parameter] - parameter.detach()).flatten()
        expected = 1e-5 if kind == "hidden" else 1e-4
        torch.testing.assert_close(moved, torch.full_like(moved, expected), rtol=1e-3, atol=0)


@pytest.mark.parametrize("placement", ["pre", "post"])
def test_vectors_inside_blocks_are_told_from_those_outside(placement: str) -> None:
    module = create("vit", width=8, heads=2, placement=placement).build("vit-1", 1, (1, 8, 8), 10)
    kinds = {name: group_parameters(module)[p] for name, p in module.named_parameters()}
    assert kinds["embed.weight"] == kinds["positions"] == "input"
    assert kinds["embed.bias"] == "outer-vector"
    assert (kinds["readout.weight"], kinds["readout.bias"]) == ("readout", "readout-bias")
    inside = {kind for name, kind in kinds.items() if name.startswith("blocks")}
    assert inside == {"hidden", "vector"}
    if placement == "pre":
        assert kinds["norm.weight"] == kinds["norm.bias"] == "outer-vector"
