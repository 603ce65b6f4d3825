"""Networks of torchvision against counts done by hand."""

from math import comb

import pytest
import torch
import torchvision

from search_spaces.conventions import CONVENTIONS
from search_spaces.paths import PathStatistics
from search_spaces.traced import TracedNetwork, graph_of


@pytest.fixture(scope="module")
def traced() -> dict[str, TracedNetwork]:
    names = ("resnet18", "resnet50", "vit_b_16", "densenet121")
    found = {}
    for name in names:
        with torch.device("meta"):
            module = torchvision.models.get_model(name, weights=None)
        found[name] = graph_of(module, (torch.zeros(2, 3, 224, 224, device="meta"),))
    return found


def depth(network: TracedNetwork, convention: str) -> PathStatistics:
    return CONVENTIONS[convention].statistics(network.topology)


def ends(network: TracedNetwork, convention: str) -> tuple[int | None, int | None]:
    paths = depth(network, convention)
    return paths.min, paths.max


def test_all_trace_in_training_mode(traced: dict[str, TracedNetwork]) -> None:
    assert {network.mode for network in traced.values()} == {"train"}
    assert all(not network.unused for network in traced.values())


def test_resnet18(traced: dict[str, TracedNetwork]) -> None:
    """A stem, 8 blocks of two convolutions, a classifier: 2^8 paths.

    The first blocks of stages 2 to 4 have a 1x1 convolution as shortcut, so the shortest path has
    the stem, 3 projections, 8 additions and the classifier; the longest has all 16 convolutions.
    Under am-mup a shortcut of any kind counts 1 and a branch 2: C(8, k) paths have length 8 + k.
    """
    network = traced["resnet18"]
    assert depth(network, "am-mup-blocks").count == 2**8
    assert ends(network, "wu2026-layers-and-additions") == (1 + 3 + 8 + 1, 1 + 16 + 8 + 1)
    assert ends(network, "chen2024-dag-paper") == (3 + 1, 16 + 1)
    assert ends(network, "wu2026-update-units") == (8, 8)
    cubes = sum(comb(8, k) * (8 + k) ** 3 for k in range(9))
    assert depth(network, "am-mup-blocks").sum_cubes == cubes
    assert (network.residual_blocks, network.width, network.topology.kernel) == (8, 64, 3)
    assert len(network.layers) == 1 + 16 + 3 + 1
    table = {layer.module: layer for layer in network.layers}
    assert table["conv1"].role == "stem"
    assert table["fc"].readout
    assert table["layer2.0.downsample.0"].role == "reduction"
    last = [f"layer{s}.{b}.conv2" for s in (1, 2, 3, 4) for b in (0, 1)]
    assert [layer.module for layer in network.layers if layer.branch] == last
    assert [table[name].uses[0].branch_end for name in last] == [
        name.replace("conv", "bn") for name in last
    ]
    # An addition (2 terms) stands before every layer but the first block's, and before fc.
    first = [f"layer{s}.{b}.conv1" for s in (1, 2, 3, 4) for b in (0, 1)]
    assert [table[name].source_in_degree for name in first] == [1, 2, 2, 2, 2, 2, 2, 2]
    assert all(table[name].target_in_degree == 2 for name in last)
    assert table["fc"].source_in_degree == 2


def test_resnet50(traced: dict[str, TracedNetwork]) -> None:
    """16 blocks of three convolutions; the first of all four stages has a projection."""
    network = traced["resnet50"]
    assert depth(network, "am-mup-blocks").count == 2**16
    assert ends(network, "wu2026-layers-and-additions") == (1 + 4 + 16 + 1, 1 + 48 + 16 + 1)
    assert ends(network, "chen2024-dag-paper") == (4 + 1, 48 + 1)
    assert ends(network, "am-mup-blocks") == (16, 48)
    assert sum(layer.role == "reduction" for layer in network.layers) == 4
    assert sum(layer.branch for layer in network.layers) == 16
    assert len(network.layers) == 1 + 48 + 4 + 1


def test_vit_b_16(traced: dict[str, TracedNetwork]) -> None:
    """12 blocks of attention and of a two-layer net, each beside a shortcut: 4 paths a block.

    Queries, keys and values are one edge (apart they would give 8^12 paths). The class token and
    the positions are added without being merges. Nonlinearities stand before the attention's
    output (its softmax) and the second layer (gelu): 24, and none before the head.
    """
    network = traced["vit_b_16"]
    assert depth(network, "am-mup-blocks").count == 4**12
    assert ends(network, "wu2026-layers-and-additions") == (1 + 24 + 1, 1 + 48 + 24 + 1)
    assert ends(network, "chen2024-dag-paper") == (0, 24)
    assert network.residual_blocks == 24
    assert (network.width, network.topology.kernel) == (768, 1)
    attention = [edge for edge in network.graph if edge.operation.kind == "attention"]
    assert len(attention) == 12
    first = network.layer("encoder.layers.encoder_layer_0.self_attention.in_proj_weight")
    assert (first.kind, first.fan_in, first.fan_out) == ("attention", 768, 3 * 768)


def test_densenet121(traced: dict[str, TracedNetwork]) -> None:
    """Dense blocks of 6, 12, 24 and 16 layers of two convolutions, 3 transitions between.

    A layer reads the concatenation of all before it, so a block of n layers has 2^n paths and n
    concatenations (the first layer reads one value). The shortest path takes each block's last
    concatenation alone; the longest all layers, each behind a concatenation.
    """
    network = traced["densenet121"]
    blocks = (6, 12, 24, 16)
    assert depth(network, "am-mup-blocks").count == 2 ** sum(blocks)
    assert network.graph.additions == sum(blocks)
    assert ends(network, "wu2026-layers-and-additions") == (
        1 + 4 + 3 + 1,
        1 + 3 * sum(blocks) + 3 + 1,
    )
    assert [max(network.graph.in_degrees)] == [24 + 1]
    # Concatenations add nothing up: no residual blocks, and d_in is 1 everywhere.
    assert network.residual_blocks == 0
    assert {layer.target_in_degree for layer in network.layers} == {1}
    assert [layer.module for layer in network.layers if layer.role == "reduction"] == [
        f"features.transition{number}.conv" for number in (1, 2, 3)
    ]
    assert len(network.layers) == 1 + 2 * sum(blocks) + 3 + 1
