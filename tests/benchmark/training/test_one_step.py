"""The one-step moments against a real step, and against closed forms."""

from typing import Any

import pytest
import torch
from support.replicas import replica

from benchmark.datasets import catalog
from benchmark.study.recipe import Recipe
from benchmark.training.batches import Batches
from benchmark.training.optimizers.create import create_optimizer
from benchmark.training.step import compute_losses
from benchmark.training.updates.nodes import flatten_node, record_nodes
from benchmark.training.updates.one_step import measure_one_step
from benchmark.training.weights.initialization import initialize
from benchmark.training.weights.pinning import pin_forward_moments
from benchmark.training.weights.variances import variance
from search_spaces.layers import Node, Weighted
from search_spaces.registry import create


@pytest.mark.parametrize(
    ("space", "options", "architecture"),
    [
        ("cnn", {"width": 5}, "cnn-3"),
        ("resnet", {"width": 5}, "resnet-3"),
        ("resnet", {"width": 5, "normalization": "bn"}, "resnet-2"),
    ],
)
def test_equals_a_real_small_step(space: str, options: dict[str, Any], architecture: str) -> None:
    lr = 1e-6
    replicas = [replica(lr, 0), replica(3 * lr, 1)]
    built = create(space, **options)
    module = built.build(architecture, 2, (1, 8, 8), 10).double()
    initialize(module, replicas, built.topology(architecture).residual_blocks)
    batches = Batches(catalog.load("digits"), Recipe(batch=16), [0, 1], torch.float64)
    x, y = next(batches.epoch())
    rates = torch.tensor([r.lr for r in replicas], dtype=torch.float64)
    measured = measure_one_step(module, x, y, rates)

    values: list[torch.Tensor] = []
    for node in module.modules():
        if isinstance(node, Node):
            node.register_forward_hook(lambda _m, _i, z: values.append(z.detach().clone()))
    compute_losses(module(x), y).sum().backward()
    before, count = values[:], len(values)
    with torch.no_grad():
        for parameter in module.parameters():
            assert parameter.grad is not None
            shape = (-1, *(1,) * (parameter.dim() - 1))
            parameter.sub_(rates.view(shape) * parameter.grad)
        module(x)
    for layer, (z0, z1) in enumerate(zip(before[:-1], values[count:-1], strict=True)):
        change_BRN = (z1 - z0).unflatten(1, (2, -1)).flatten(2)
        for index in range(2):
            expected = float(change_BRN[:, index].square().mean())
            assert measured[index]["update_moments"][layer] == pytest.approx(expected, rel=1e-3)


def test_moments_scale_as_the_square_of_the_rate() -> None:
    replicas = [replica(1.0, 0), replica(0.1, 0)]
    built = create("resnet", width=4)
    module = built.build("resnet-5", 2, (1, 8, 8), 10).double()
    initialize(module, replicas, 5)
    batches = Batches(catalog.load("digits"), Recipe(batch=8), [0, 0], torch.float64)
    one, tenth = measure_one_step(
        module, *next(batches.epoch()), torch.tensor([1.0, 0.1], dtype=torch.float64)
    )
    assert len(one["update_moments"]) == 6  # the stem's node and one per block; logits left out
    for whole, part in zip(one["update_moments"], tenth["update_moments"], strict=True):
        assert part == pytest.approx(whole / 100, rel=1e-9)


FACTORS = [{"input": 2.0, "hidden": 0.5}, {"readout": 3.0, "vector": 0.1, "epsilon": 4.0}]


@pytest.mark.parametrize("optimizer", ["sgd", "adamw"])
def test_equals_the_first_step_of_the_optimizer_with_factors(optimizer: Any) -> None:
    """Nodes before and after a real step of the engine's own optimizer, at a small rate."""
    lr = 1e-6
    recipe = Recipe(batch=16, optimizer=optimizer)
    replicas = [replica(lr, 0), replica(3 * lr, 1)]
    built = create("mlp", width=6)
    module = built.build("mlp-3", 2, (1, 8, 8), 10).double()
    initialize(module, replicas, 0)
    batches = Batches(catalog.load("digits"), recipe, [0, 1], torch.float64)
    x, y = next(batches.epoch())
    rates = torch.tensor([r.lr for r in replicas], dtype=torch.float64)
    measured = measure_one_step(module, x, y, rates, recipe, FACTORS)
    plain = measure_one_step(module, x, y, rates, Recipe(batch=16))

    with record_nodes(module) as nodes, torch.no_grad():
        module(x)
        before = [flatten_node(node, z, 2) for node, z in nodes[:-1]]
    step = create_optimizer(module, rates, recipe, FACTORS)
    compute_losses(module(x), y).sum().backward()
    step.step(1.0)
    with record_nodes(module) as nodes, torch.no_grad():
        module(x)
        after = [flatten_node(node, z, 2) for node, z in nodes[:-1]]
    for layer, (z0, z1) in enumerate(zip(before, after, strict=True)):
        for index in range(2):
            expected = float((z1 - z0)[index].square().mean())
            assert measured[index]["update_moments"][layer] == pytest.approx(
                expected, rel=1e-3, abs=0.0
            )
            without = plain[index]["update_moments"][layer]
            factors_count = optimizer == "adamw" or index == 0  # the readout's leave nodes alone
            assert factors_count == (abs(expected / without - 1) > 0.1)
            forward = float(z0[index].square().mean())
            assert measured[index]["forward_moments"][layer] == pytest.approx(forward, rel=1e-9)


def moments(pinned: bool, seeds: int = 24) -> tuple[torch.Tensor, torch.Tensor]:
    """Forward moments of every layer, and the mean update, of a deep narrow chain."""
    replicas = [replica(1.0, seed) for seed in range(seeds)]
    module = create("mlp", width=16).build("mlp-16", seeds, (1, 8, 8), 10).double()
    initialize(module, replicas, 0)
    batches = Batches(catalog.load("digits"), Recipe(batch=8), [0] * seeds, torch.float64)
    x, y = next(batches.epoch())
    if pinned:
        pin_forward_moments(module, replicas, 0, x)
    rows = measure_one_step(module, x, y, torch.ones(seeds, dtype=torch.float64))
    return (
        torch.tensor([row["forward_moments"] for row in rows]),
        torch.tensor([row["update_moments"] for row in rows]).mean(1).log(),
    )


def test_pinned_layers_pass_on_the_moment_that_he_intends() -> None:
    """The first layer's for every layer and seed; the update's heavy tail is shorter by then."""
    forward, update = moments(pinned=True)
    free, free_update = moments(pinned=False)
    first = forward[:, :1].expand_as(forward)
    torch.testing.assert_close(forward, first, rtol=1e-9, atol=0)
    assert free.log().std(0)[-1] > 1
    assert update.std() < 0.8 * free_update.std()


@pytest.mark.parametrize(
    ("space", "options", "architecture"),
    [
        ("cnn", {"width": 5}, "cnn-3"),
        ("cnn", {"width": 5, "dimensions": 1}, "cnn-3"),
        ("resnet", {"width": 5, "stages": "cifar"}, "resnet-3"),
        ("vit", {"width": 8, "heads": 2}, "vit-1"),
    ],
)
def test_pinning_rescales_whole_layers_to_their_expectation(
    space: str, options: dict[str, Any], architecture: str
) -> None:
    """Over many draws of one layer's weights the mean is what pinning gives to each."""
    built = create(space, **options)
    replicas = [replica(1.0, 0), replica(1.0, 1, "residual-aware")]
    module = built.build(architecture, 2, (1, 8, 8), 10).double()
    blocks = built.topology(architecture).residual_blocks
    initialize(module, replicas, blocks)
    before = {n: p.detach().clone() for n, p in module.named_parameters()}
    x, _ = next(Batches(catalog.load("digits"), Recipe(batch=8), [0, 0], torch.float64).epoch())
    pin_forward_moments(module, replicas, blocks, x)
    layers = {n: m for n, m in module.named_modules() if isinstance(m, Weighted)}
    for name, layer in layers.items():
        ratio = (layer.weight / before[f"{name}.weight"]).detach().flatten(1)
        torch.testing.assert_close(ratio, ratio[:, :1].expand_as(ratio))
        assert bool((ratio == 1).all()) == layer.readout
    first, *_ = layers.values()
    scheme_variance = variance("he", first, blocks)
    seen: list[torch.Tensor] = []
    handle = first.register_forward_hook(lambda _m, _i, z: seen.append(z))
    with torch.no_grad():
        module(x)
        pinned = float(seen[0].square().mean())
        drawn = []
        for seed in range(400):
            generator = torch.Generator().manual_seed(seed)
            normal = torch.randn(first.weight.shape, generator=generator, dtype=torch.float64)
            first.weight.copy_(normal * scheme_variance**0.5)
            module(x)
            drawn.append(float(seen[-1].square().mean()))
    handle.remove()
    mean, error = torch.tensor(drawn).mean(), torch.tensor(drawn).std() / 20
    assert abs(float(mean) - pinned) < 4 * float(error)
