"""Laws in float64: two prescriptions that are one training, step by step."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from benchmark import rules
from benchmark.datasets.streams import create_stream
from benchmark.rules import Bundle
from benchmark.study.recipe import Recipe
from benchmark.study.unit import Replica, Scalar
from benchmark.training.optimizers.create import create_optimizer
from benchmark.training.step import compute_losses
from benchmark.training.updates.one_step import measure_one_step
from benchmark.training.weights.initialization import initialize
from search_spaces.registry import create
from search_spaces.space import SearchSpace

STEPS = 30
TOLERANCE = 1e-10
RECIPES = {
    "sgd": (0.1, Recipe()),
    "momentum and decay": (0.03, Recipe(momentum=0.9, nesterov=True, weight_decay=0.01)),
    "adamw": (0.003, Recipe(optimizer="adamw")),
    "adamw and decay": (0.003, Recipe(optimizer="adamw", weight_decay=0.1)),
}
NETWORKS: dict[str, tuple[str, dict[str, Scalar], str]] = {
    "one-conv": ("resnet", {"width": 6}, "resnet-7"),
    "basic": ("resnet", {"width": 4, "block": "basic"}, "resnet-5"),
    "bottleneck": ("resnet", {"width": 8, "block": "bottleneck", "stages": "cifar"}, "resnet-4"),
    "pre-LN": ("vit", {"width": 8, "heads": 2}, "vit-2"),
    "post-LN": ("vit", {"width": 8, "heads": 2, "placement": "post"}, "vit-2"),
    "LayerScale": ("vit", {"width": 8, "heads": 2, "layer_scale": True}, "vit-3"),
    "DAG": ("dag-mlp", {"width": 16}, "2_12_112_1212"),
}


def logits_by_step(
    space: SearchSpace, rung: str, bundles: list[Bundle], lr: float, recipe: Recipe
) -> torch.Tensor:
    """logits_SRBC before every step of replicas that share seed, images and constant."""
    replicas = [
        replace(
            Replica.plain(lr * bundle.lr_multiplier),
            initialization=bundle.initialization,
            branch_multiplier=bundle.branch_multiplier,
            factors=bundle.factors,
        )
        for bundle in bundles
    ]
    R, images = len(replicas), create_stream(0, "images")
    module = space.build(rung, R, (1, 8, 8), 10).double()
    initialize(module, replicas, space.topology(rung).residual_blocks)
    lr_R = torch.tensor([replica.lr for replica in replicas], dtype=torch.float64)
    steps = create_optimizer(module, lr_R, recipe, [dict(replica.factors) for replica in replicas])
    logits = []
    for _ in range(STEPS):
        x_BKHW = torch.randn(8, 1, 8, 8, generator=images, dtype=torch.float64).repeat(1, R, 1, 1)
        y_RB = torch.randint(10, (8,), generator=images).repeat(R, 1)
        steps.zero_grad()
        logits_RBC = module(x_BKHW)
        compute_losses(logits_RBC, y_RB).sum().backward()
        steps.step(1.0)
        logits.append(logits_RBC.detach())
    return torch.stack(logits)


def test_hidden_rates_by_k_turn_residual_aware_weights_into_depth_mup() -> None:
    """Weights of variance 1/K with hidden rates / K are depth-mup's branches: the constant rate of
    arXiv 2310.02244 is the rate K^-1 of the branches in the form of arXiv 2510.04327."""
    blocks = 8
    space = create("resnet", width=8)
    branches = Bundle("he", blocks**-0.5, 1.0)
    slowed = Bundle("residual-aware", 1.0, 1.0, (("hidden", 1 / blocks),))
    all_slowed = Bundle("residual-aware", 1.0, 1 / blocks)
    logits_SRBC = logits_by_step(
        space, f"resnet-{blocks}", [branches, slowed, all_slowed], 0.2, Recipe()
    )
    one, other, wrong = logits_SRBC.unbind(1)
    torch.testing.assert_close(one, other, rtol=TOLERANCE, atol=TOLERANCE)
    assert (one[1] - one[0]).abs().max() > 1e-3  # the networks do move
    assert (one[-1] - wrong[-1]).abs().max() > 1e-2
    torch.testing.assert_close(one[0], wrong[0], rtol=TOLERANCE, atol=TOLERANCE)


@pytest.mark.parametrize("recipe_name", RECIPES)
@pytest.mark.parametrize("network", NETWORKS)
def test_weight_variance_is_depth_mup_exactly(network: str, recipe_name: str) -> None:
    """On every block and optimizer: branches of several layers, biases, weight decay, epsilon."""
    space_name, options, rung = NETWORKS[network]
    lr, recipe = RECIPES[recipe_name]
    space = create(space_name, **options)
    bundles = []
    for name in ("depth-mup", "depth-mup:weight-variance", "depth-mup:weight-variance:init-only"):
        (given,) = rules.bundles(name, space, [rung], rung, recipe.optimizer)
        assert given is not None
        bundles.append(given)
    assert bundles[1].branch_multiplier == 1
    one, other, wrong = logits_by_step(space, rung, bundles, lr, recipe).unbind(1)
    torch.testing.assert_close(one, other, rtol=1e-8, atol=1e-8)
    assert (one[-1] - wrong[-1]).abs().max() > 1e-4


def test_branch_multipliers_are_float64_where_the_network_is() -> None:
    space = create("resnet", width=4)
    module = space.build("resnet-3", 1, (1, 8, 8), 10).double()
    initialize(module, [replace(Replica.plain(0.1), branch_multiplier=3**-0.5)], 3)
    held = [value for name, value in module.named_buffers() if name.endswith("multiplier_R")]
    branches = [float(value) for value in held if float(value) != 1]
    assert branches == [3**-0.5] * 3


@pytest.mark.parametrize("network", NETWORKS)
def test_one_step_moves_both_forms_of_depth_mup_alike(network: str) -> None:
    """Rates by group count in the first step too; with one rate for
    all the stem, which no branch precedes, moves K times less."""
    space_name, options, rung = NETWORKS[network]
    space = create(space_name, **options)
    names = ("depth-mup", "depth-mup:weight-variance", "depth-mup:weight-variance-all-rates")
    given = [rules.bundles(name, space, [rung])[0] for name in names]
    replicas = [
        replace(
            Replica.plain(bundle.lr_multiplier),
            initialization=bundle.initialization,
            branch_multiplier=bundle.branch_multiplier,
            factors=bundle.factors,
        )
        for bundle in given
        if bundle
    ]
    module = space.build(rung, 3, (1, 8, 8), 10).double()
    initialize(module, replicas, space.topology(rung).residual_blocks)
    images = create_stream(0, "images")
    x_BKHW = torch.randn(4, 1, 8, 8, generator=images, dtype=torch.float64).repeat(1, 3, 1, 1)
    y_RB = torch.randint(10, (4,), generator=images).repeat(3, 1)
    lr_R = torch.tensor([replica.lr for replica in replicas], dtype=torch.float64)
    factors = [dict(replica.factors) for replica in replicas]
    found = measure_one_step(module, x_BKHW, y_RB, lr_R, factors=factors)
    one, other, slow = (np.array(outcome["update_moments"]) for outcome in found)
    np.testing.assert_allclose(other, one, rtol=1e-10)
    blocks = space.topology(rung).residual_blocks
    assert slow[0] == pytest.approx(one[0] / blocks**2)
