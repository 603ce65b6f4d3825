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


class ReleasedDag(nn.Module):
    """The five-node network of arXiv 2402.17440's code: an activation after the stem and after
    every weighted edge, none before the readout, biases everywhere, absent edges as zeros."""

    def __init__(self, dag: str, kernel: int | None, inputs: int, width: int, classes: int) -> None:
        super().__init__()
        self.kernel = kernel
        self.dag = [[int(digit) for digit in node] for node in dag.split("_")]
        self.stem = self.weigh(inputs, width)
        self.edges = nn.ModuleDict(
            {
                f"{source}_{target}": self.weigh(width, width)
                for target, node in enumerate(self.dag, start=1)
                for source, digit in enumerate(node)
                if digit == 2
            }
        )
        self.readout = nn.Linear(width, classes)

    def weigh(self, inputs: int, outputs: int) -> nn.Module:
        if self.kernel is None:
            return nn.Linear(inputs, outputs)
        return nn.Conv2d(inputs, outputs, self.kernel, padding=self.kernel // 2)

    def forward(self, x: Tensor) -> Tensor:
        nodes = [F.relu(self.stem(x if self.kernel else x.flatten(1)))]
        for target, node in enumerate(self.dag, start=1):
            terms = [torch.zeros_like(nodes[0])]
            for source, digit in enumerate(node):
                z = nodes[source]
                terms += [F.relu(self.edges[f"{source}_{target}"](z))] if digit == 2 else []
                terms += [z] if digit == 1 else []
            nodes.append(torch.stack(terms).sum(0))
        features = nodes[-1].mean((2, 3)) if self.kernel else nodes[-1]
        return torch.as_tensor(self.readout(features))


@pytest.mark.parametrize(
    ("name", "options", "dag"),
    [
        ("dag-mlp", {"width": 6}, "2_12_021_1212"),
        ("dag-mlp", {"width": 6}, "2_22_000_0210"),  # node 3 is reached by nothing
        ("dag-cnn", {"width": 4, "kernel": 5}, "2_02_112_0202"),
    ],
)
def test_the_released_dag_is_the_released_one(
    name: str, options: dict[str, object], dag: str
) -> None:
    space = create(name, form="released-code", **options)
    ours = network(space, dag, replicas=2)
    x = torch.randn(5, 2, 8, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    logits = ours(x)
    kernel = getattr(space, "kernel", None)
    paper = network(create(name, **options), dag, replicas=2)(x)
    assert not torch.allclose(logits, paper)
    for index in range(2):
        theirs = ReleasedDag(
            dag, kernel, 64 if kernel is None else 1, int(str(options["width"])), 3
        )
        theirs = theirs.double()
        peers = dict(theirs.named_parameters())
        with torch.no_grad():
            for (
                key,
                own,
            ) in ours.named_parameters():  # nodes are numbered from the image, not the stem
                place, _, kind = key.rpartition(".")
                ends = place.removeprefix("edges.").removesuffix(".0").split("_")
                if place.startswith("edges."):
                    place = "edges." + "_".join(str(int(end) - 1) for end in ends)
                peers[f"{place.removesuffix('.0')}.{kind}"].copy_(own[index])
        expected = theirs(replica_of(x, index, 2))
        torch.testing.assert_close(logits[index], expected, rtol=0, atol=1e-12)


def test_in_degrees_of_the_released_dag_count_dead_edges() -> None:
    """Nothing reaches node 1, whose edge into node 2 the code still counts; the paper's does not.
    Options without the form identify results as before."""
    dag = "0_22_002_1002"
    degrees = {}
    for form in ("paper", "released-code"):
        space = create("dag-mlp", width=4, form=form)
        module = space.build(dag, 1, (1, 8, 8), 3)
        degrees[form] = module.get_submodule("edges.3_4.0" if form != "paper" else "edges.3_4.2")
        named = dict(identify_options("dag-mlp", space))
        assert named.get("form", "paper") == form
        assert ("form" in named) == (form != "paper")
    assert degrees["paper"].source_in_degree == 1
    assert degrees["released-code"].source_in_degree == 2
    paper, code = (create("dag-mlp", form=form) for form in ("paper", "released-code"))
    assert paper.canonical(dag) == paper.canonical("0_20_002_1002")
    assert code.canonical(dag) != code.canonical("0_20_002_1002")
    with pytest.raises(InvalidInput, match="form='code' is not an option; choose one of 'paper'"):
        create("dag-mlp", form="code")
