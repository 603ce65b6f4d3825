"""The options that repeat released code, against networks written by hand with torch's layers."""

import pytest
import torch
from support.networks import network
from torch import Tensor, nn
from torch.nn import functional as F

from search_spaces.errors import InvalidInput
from search_spaces.registry import create, identify_options


def replica_of(x_BKHW: Tensor, index: int, replicas: int) -> Tensor:
    channels = x_BKHW.shape[1] // replicas
    return x_BKHW[:, index * channels : (index + 1) * channels]


class Released(nn.Module):
    """The residual network of arXiv 2510.04327's code: x = relu(conv(x)) + x, K times."""

    def __init__(self, blocks: int, inputs: int, width: int, classes: int) -> None:
        super().__init__()
        channels = [inputs, *[width] * blocks]
        self.shortcut = nn.Conv2d(inputs, width, 1, bias=False)
        self.convolutions = nn.ModuleList(
            nn.Conv2d(a, width, 3, padding=1, padding_mode="circular", bias=False)
            for a in channels[:-1]
        )
        self.readout = nn.Linear(width, classes, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        for number, convolution in enumerate(self.convolutions):
            x = F.relu(convolution(x)) + (x if number else self.shortcut(x))
        return torch.as_tensor(self.readout(x.mean((2, 3))))


@pytest.mark.parametrize("blocks", [1, 4])
def test_the_post_activation_block_is_the_released_one(blocks: int) -> None:
    space = create("resnet", width=6, block="post-activation", padding="circular")
    ours = network(space, f"resnet-{blocks}", replicas=2)
    x = torch.randn(5, 2, 8, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    logits = ours(x)
    for index in range(2):
        theirs = Released(blocks, 1, 6, 3).double()
        own = [parameter.detach()[index] for parameter in ours.parameters()]
        theirs_parameters = list(theirs.parameters())
        assert [p.shape for p in own] == [p.shape for p in theirs_parameters]
        with torch.no_grad():
            for mine, peer in zip(own, theirs_parameters, strict=True):
                peer.copy_(mine)
        expected = theirs(replica_of(x, index, 2))
        torch.testing.assert_close(logits[index], expected, rtol=0, atol=1e-12)
    assert space.topology(f"resnet-{blocks}").residual_blocks == blocks


@pytest.mark.parametrize(("dimensions", "kernel"), [(1, 3), (1, 5), (2, 3), (2, 5)])
def test_circular_padding_is_torchs(dimensions: int, kernel: int) -> None:
    space = create("cnn", width=4, dimensions=dimensions, kernel=kernel, padding="circular")
    ours = network(space, "cnn-2", replicas=1)
    x = torch.randn(3, 1, 8, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    first, second, weight, bias = (parameter.detach()[0] for parameter in ours.parameters())
    conv, z = (F.conv2d, x) if dimensions == 2 else (F.conv1d, x.flatten(2))
    pad = (kernel // 2,) * 2 * dimensions
    for number, filters in enumerate((first, second)):
        z = conv(F.pad(F.relu(z) if number else z, pad, mode="circular"), filters)
    expected = F.relu(z).flatten(2).mean(2) @ weight.T + bias
    torch.testing.assert_close(ours(x)[0], expected, rtol=0, atol=1e-12)


def test_without_borders_all_positions_are_alike() -> None:
    """A shifted image gives the same logits with circular padding, and others with zeros."""
    x = torch.randn(2, 1, 8, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    shifted = x.roll((3, 2), (2, 3))
    for padding, alike in (("circular", True), ("zeros", False)):
        ours = network(create("cnn", width=4, padding=padding), "cnn-3", replicas=1)
        assert torch.allclose(ours(x), ours(shifted), rtol=0, atol=1e-12) == alike


def test_an_option_that_came_later_identifies_results_only_where_it_is_set() -> None:
    known = ("block", "stages", "width", "activation", "normalization", "dropout")
    plain = identify_options("resnet", create("resnet", width=8))
    assert {name for name, _ in plain} == set(known)
    circular = identify_options("resnet", create("resnet", width=8, padding="circular"))
    assert set(circular) == {*plain, ("padding", "circular")}


@pytest.mark.parametrize(
    ("name", "options", "sentence"),
    [
        ("cnn", {"padding": "reflect"}, "padding='reflect' is not an option; choose one of"),
        ("resnet", {"padding": ""}, "padding='' is not an option"),
        (
            "resnet",
            {"block": "post-activation", "stages": "cifar"},
            "block='post-activation' has one width and image size, not stages='cifar'",
        ),
    ],
)
def test_a_wrong_value_is_one_sentence(
    name: str, options: dict[str, object], sentence: str
) -> None:
    with pytest.raises(InvalidInput, match=sentence):
        create(name, **options)
