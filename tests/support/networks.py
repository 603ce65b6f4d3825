"""Networks for tests: every space with its options, filled with numbers, at small sizes."""

import pytest
import torch
from torch import Tensor, nn

from search_spaces.layers import Dropout, Weighted
from search_spaces.modules.source import hash_source
from search_spaces.registry import create
from search_spaces.space import SearchSpace

EVERY_OPERATION = "3_33_142"
NORM_BIAS = "0_33_421"
"""No input reaches node 1, so its convolutions only give their norms' biases."""

CASES: list[tuple[str, dict[str, object], str]] = [
    ("nasbench201", {"channels": 4, "cells": 1}, EVERY_OPERATION),
    ("nasbench201", {"channels": 2, "cells": 2}, NORM_BIAS),
    ("nasbench201", {"channels": 2, "cells": 1}, "1_01_001"),
    ("dag-mlp", {"width": 8}, "2_22_222_2222"),
    ("dag-mlp", {"width": 8, "normalization": "bn", "dropout": 0.2}, "2_12_001_0212"),
    ("dag-mlp", {"width": 8, "normalization": "ln", "activation": "gelu"}, "1_02_201_1002"),
    ("dag-cnn", {"width": 4, "kernel": 5, "dropout": 0.2}, "2_02_012_1002"),
    ("dag-cnn", {"width": 4, "kernel": 7, "normalization": "ln"}, "2_10_012_1202"),
    ("dag-cnn", {"width": 4, "normalization": "bn", "activation": "gelu"}, "2_22_111_0212"),
    ("dag-mlp", {"width": 8, "form": "released-code"}, "2_12_021_0212"),
    ("dag-cnn", {"width": 4, "form": "released-code", "normalization": "bn"}, "2_12_001_1202"),
    ("mlp", {"width": 8}, "mlp-3"),
    ("mlp", {"width": 8, "normalization": "bn", "dropout": 0.3}, "mlp-2"),
    ("mlp", {"width": 8, "normalization": "ln", "activation": "gelu"}, "mlp-4"),
    ("cnn", {"width": 4}, "cnn-3"),
    ("cnn", {"width": 4, "kernel": 5, "dimensions": 1, "dropout": 0.3}, "cnn-3"),
    ("cnn", {"width": 4, "normalization": "bn", "dimensions": 1}, "cnn-2"),
    ("cnn", {"width": 4, "normalization": "ln", "activation": "gelu"}, "cnn-2"),
    ("cnn", {"width": 4, "kernel": 5, "padding": "circular"}, "cnn-2"),
    ("cnn", {"width": 4, "dimensions": 1, "padding": "circular"}, "cnn-2"),
    ("resnet", {"width": 4}, "resnet-3"),
    ("resnet", {"width": 4, "block": "basic", "normalization": "bn"}, "resnet-2"),
    ("resnet", {"width": 4, "block": "bottleneck", "stages": "cifar"}, "resnet-4"),
    ("resnet", {"width": 4, "stages": "cifar", "normalization": "ln", "dropout": 0.2}, "resnet-3"),
    ("resnet", {"width": 4, "activation": "gelu", "block": "basic", "stages": "cifar"}, "resnet-5"),
    ("resnet", {"width": 4, "block": "post-activation", "padding": "circular"}, "resnet-3"),
    ("resnet", {"width": 4, "block": "post-activation", "normalization": "bn"}, "resnet-1"),
    ("resnet", {"width": 4, "padding": "circular", "block": "bottleneck"}, "resnet-2"),
    ("vit", {"width": 8, "heads": 2}, "vit-2"),
    ("vit", {"width": 8, "heads": 2, "placement": "post", "dropout": 0.2}, "vit-2"),
    ("vit", {"width": 8, "heads": 2, "layer_scale": True, "normalization": "bn"}, "vit-1"),
    ("vit", {"width": 8, "heads": 4, "normalization": "none", "activation": "relu"}, "vit-1"),
]
"""(space, options, architecture): every space written here and every value of every option."""

TRANSFORMER = "support.factories:build_transformer"
MODULE_CASES: list[tuple[str, dict[str, object], str]] = [
    ("module", {"width": 4}, "module-2"),
    (
        "module",
        {"width": 8, "factory": TRANSFORMER, "source": hash_source(TRANSFORMER)},
        "module-1",
    ),
    ("module", {"width": 4, "factory": "support.factories:build_awkward"}, "module-2"),
]
"""The same for spaces of plain torch modules, whose graphs are traced."""

LARGE = {"torchvision"}
"""Spaces whose smallest network has 11 million weights: too large for laws of 30 steps. They train
as the networks of ``module`` do (``search_spaces.modules.replicated``), and
``tests/benchmark/engine/test_plain_modules.py`` holds the same laws on resnet18 for fewer steps."""


cases = pytest.mark.parametrize(("name", "options", "architecture"), CASES)
Options = dict[str, object]


def space_of(name: str, options: dict[str, object]) -> SearchSpace:
    return create(name, **options)


def fill(module: nn.Module, seed: int = 0) -> nn.Module:
    """He-distributed weights, all else near where it starts, each replica with its own numbers."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for layer in module.modules():
            if isinstance(layer, Weighted):
                scale = (2 / layer.fan_in) ** 0.5 if not layer.readout else layer.fan_in**-0.5
                layer.weight.copy_(torch.randn(layer.weight.shape, generator=generator) * scale)
        for name, parameter in module.named_parameters():
            if not (name.endswith("weight") and parameter.dim() > 2):
                parameter.add_(0.1 * torch.randn(parameter.shape, generator=generator))
    return module


def seed_dropout(module: nn.Module, seeds: list[int]) -> None:
    """One stream per replica."""
    for layer in module.modules():
        if isinstance(layer, Dropout):
            layer.generators = [torch.Generator().manual_seed(seed) for seed in seeds]


SHAPE = (1, 8, 8)


def network(space: SearchSpace, architecture: str, replicas: int, seed: int = 0) -> nn.Module:
    module = fill(space.build(space.parse(architecture), replicas, SHAPE, classes=3).double(), seed)
    seed_dropout(module, list(range(replicas)))
    return module


def images(replicas: int, batch: int = 6) -> Tensor:
    generator = torch.Generator().manual_seed(1)
    return torch.randn(batch, replicas, 8, 8, generator=generator, dtype=torch.float64)
