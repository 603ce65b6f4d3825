"""The one-step moments against a real step, and against closed forms."""

from typing import Any

import pytest
import torch
from support.replicas import replica

from benchmark.datasets import catalogue
from benchmark.study.recipe import Recipe
from benchmark.training.batches import Batches
from benchmark.training.initialization import initialize
from benchmark.training.one_step import measure_one_step
from benchmark.training.step import compute_losses
from search_spaces.layers import Node
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
    batches = Batches(catalogue.load("digits"), Recipe(batch=16), [0, 1], torch.float64)
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
    batches = Batches(catalogue.load("digits"), Recipe(batch=8), [0, 0], torch.float64)
    one, tenth = measure_one_step(
        module, *next(batches.epoch()), torch.tensor([1.0, 0.1], dtype=torch.float64)
    )
    assert len(one["update_moments"]) == 6  # the stem's node and one per block; logits left out
    for whole, part in zip(one["update_moments"], tenth["update_moments"], strict=True):
        assert part == pytest.approx(whole / 100, rel=1e-9)
