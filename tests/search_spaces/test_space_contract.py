"""Every registered space keeps its word: names, training, sizes (graphs and replicas apart)."""

import pytest
import torch
from support.networks import CASES, LARGE, MODULE_CASES, SHAPE, Options, fill
from torch.nn import functional as F

from search_spaces.errors import InvalidInput
from search_spaces.registry import SPACES, create, names, option_names

TRAINED = [name for name in names() if name not in LARGE]


def test_the_cases_cover_every_space_and_option() -> None:
    everything = CASES + MODULE_CASES
    assert {name for name, _, _ in everything} == set(names()) - LARGE
    assert set(names()) == set(SPACES)
    for name in TRAINED:
        tried = {option for case, options, _ in everything if case == name for option in options}
        assert tried | {"patch", "expansion"} >= set(option_names(name))  # sizes alone


@pytest.mark.parametrize("name", TRAINED)
def test_the_base_architecture_trains(name: str) -> None:
    """Loss falls on a planted problem: stripes across against stripes down, in noise."""
    space = create(name, **SMALL[name])
    module = space.build(space.base_architecture, replicas=1, in_shape=SHAPE, classes=2)
    fill(module).train()
    generator = torch.Generator().manual_seed(0)
    y = torch.arange(64) % 2
    stripes = torch.tensor([1.0, -1.0]).repeat(4).expand(8, 8)
    x = torch.stack([stripes, stripes.T])[y, None]
    x = x + 0.3 * torch.randn(64, 1, 8, 8, generator=generator)
    trained = [parameter for parameter in module.parameters() if parameter.requires_grad]
    optimizer = torch.optim.SGD(trained, lr=0.05)
    losses = []
    for _ in range(40):
        loss = F.cross_entropy(module(x)[0], y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.6 * losses[0]


SMALL: dict[str, Options] = {
    "nasbench201": {"channels": 4, "cells": 1},
    "dag-mlp": {"width": 16},
    "dag-cnn": {"width": 16},
    "mlp": {"width": 16},
    "cnn": {"width": 16},
    "resnet": {"width": 16},
    "vit": {"width": 16, "heads": 2},
    "module": {"width": 16},
}


@pytest.mark.parametrize("name", TRAINED)
@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 28, 28), (3, 32, 32), (3, 224, 224)], ids=str)
def test_sizes_from_digits_to_photographs(name: str, shape: tuple[int, int, int]) -> None:
    tiny: Options = {"channels": 2, "cells": 1} if name == "nasbench201" else {"width": 4}
    if name == "vit" and shape[1] == 224:
        tiny["patch"] = 16
    space = create(name, **tiny)
    module = fill(space.build(space.base_architecture, 2, shape, classes=5)).eval()
    x = torch.randn(1, 2 * shape[0], *shape[1:])
    logits = module(x)
    assert logits.shape == (2, 1, 5)
    assert logits.isfinite().all()
    logits.sum().backward()


def test_deep_rungs_build() -> None:
    for name in ("mlp", "cnn", "resnet"):
        module = fill(create(name, width=2).build(f"{name}-200", 1, SHAPE))
        assert module(torch.randn(1, 1, 8, 8)).shape == (1, 1, 10)


@pytest.mark.parametrize("name", TRAINED)
def test_names_are_the_spaces_own(name: str) -> None:
    space = create(name)
    assert space.name == name
    assert space.base_architecture in space.architectures()
    assert space.topology(space.base_architecture).trainable
    assert space.published_rate > 0
    for architecture in space.architectures(sample=5, seed=1):
        assert space.parse(architecture) == architecture
        assert space.topology(architecture) is space.topology(architecture)
        assert space.canonical(space.canonical(architecture)) == space.canonical(architecture)
        graph = space.graph(architecture)
        assert graph.connected == space.topology(architecture).trainable
    assert create(name) == space


@pytest.mark.parametrize("name", TRAINED)
def test_only_ascii_digits_are_digits(name: str) -> None:
    """Python takes those of every script for numbers, and refuses very long ones."""
    space = create(name)
    for architecture in (*space.architectures(sample=3, seed=0), "1_01_001", "6111"):
        places = [place for place, letter in enumerate(architecture) if letter.isdigit()]
        for place in places:
            before, after = architecture[:place], architecture[place + 1 :]
            for digit in ("٣", "९", "３", "²", "9" * 5000):
                with pytest.raises(InvalidInput):
                    space.parse(before + digit + after)
