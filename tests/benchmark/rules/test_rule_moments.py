"""The forward second moment under path-cubed's weights: with and without scaled skips."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch

from benchmark import rules
from benchmark.datasets.streams import create_stream
from benchmark.study.unit import Replica
from benchmark.training.weights.initialization import initialize
from benchmark.training.weights.variances import SCHEMES, variance
from search_spaces.layers import Conv2d, Linear, Node, SkipScale
from search_spaces.registry import create

SEEDS = 12
OPEN = "2_22_222_2222"
"""A DAG whose edges all have weights: the paper's eq. 1."""
ONE_SKIP = "2_12_212_2122"
"""At most one skip into every node, as in residual nets."""
MANY_SKIPS = "1_21_121_2111"


def moments(space_name: str, width: int, architecture: str, name: str, side: int) -> list[float]:
    """E[z^2] of every node but the logits over that of the first, away from the border."""
    space = create(space_name, width=width)
    (given,) = rules.bundles(name, space, [architecture])
    assert given is not None
    replicas = [
        replace(Replica.plain(1.0, seed), initialization=given.initialization)
        for seed in range(SEEDS)
    ]
    module = space.build(architecture, SEEDS, (1, side, side), 10).double()
    initialize(module, replicas, space.topology(architecture).residual_blocks)
    found: list[float] = []

    def keep(_module: torch.nn.Module, _inputs: object, z: torch.Tensor) -> None:
        inner = z[..., side // 2 - 1 : side // 2 + 1, side // 2 - 1 : side // 2 + 1]
        found.append(float((inner if z.dim() == 4 else z).square().mean()))

    for node in module.modules():
        if isinstance(node, Node):
            node.register_forward_hook(keep)
    x_BKHW = torch.randn(16, 1, side, side, generator=create_stream(1, "x"), dtype=torch.float64)
    with torch.no_grad():
        module(x_BKHW.repeat(1, SEEDS, 1, 1))
    return [value / found[0] for value in found[:-1]]


def test_in_degree_weights_do_not_keep_the_moment_across_identity_skips() -> None:
    """z + W phi(z) with Var[W] = 2 / (2 fan_in) multiplies it by 1 + 1/2 in every block."""
    by_block = moments("resnet", 32, "resnet-8", "path-cubed", side=20)
    for blocks, value in enumerate(by_block):
        assert value == pytest.approx(1.5**blocks, rel=0.3)
    assert by_block[-1] > 15


def test_all_edges_keeps_it() -> None:
    by_block = moments("resnet", 32, "resnet-8", "path-cubed:all-edges", side=20)
    assert by_block == pytest.approx([1.0] * 9, rel=0.2)


def expected_moment(dag: str, skip: Callable[[int], float]) -> float:
    """E[z_4^2] / E[z_0^2] in expectation, with ``skip(d_in)`` the multiplier of a skip.

    A weighted edge adds E[z_s^2] / d_in, and is independent of all that came before; skips add
    coherently, by the covariances of their sources.
    """
    covariance = np.zeros((5, 5))
    covariance[0, 0] = 1
    for target, digits in enumerate(dag.split("_"), start=1):
        degree = sum(digit != "0" for digit in digits)
        scaled_S = np.array([skip(degree) * (digit == "1") for digit in digits])
        weighted_S = np.array([digit == "2" for digit in digits]) / degree
        before = covariance[:target, :target]
        covariance[target, :target] = covariance[:target, target] = scaled_S @ before
        covariance[target, target] = scaled_S @ before @ scaled_S + weighted_S @ np.diag(before)
    return float(covariance[4, 4])


@pytest.mark.parametrize("dag", [OPEN, ONE_SKIP, MANY_SKIPS])
def test_on_dags_the_moments_are_the_expected_ones(dag: str) -> None:
    """Kept by path-cubed's weights without skips, by all-edges with one skip into a node; several
    skips into one node carry the same signal and add coherently: 2.4 in place of 18.6."""
    unscaled, scaled = (
        expected_moment(dag, skip) for skip in (lambda degree: 1.0, lambda degree: degree**-0.5)
    )
    assert (unscaled == pytest.approx(1)) == (dag == OPEN)
    assert (scaled == pytest.approx(1)) == (dag != MANY_SKIPS)
    for name, expected in (("path-cubed", unscaled), ("path-cubed:all-edges", scaled)):
        found = moments("dag-mlp", 256, dag, name, side=8)[-1]
        assert found == pytest.approx(expected, rel=0.12)


@pytest.mark.parametrize(
    ("name", "rung"),
    [
        (
            "nasbench201",
            "|nor_conv_3x3~0|+|skip_connect~0|nor_conv_3x3~1|+|avg_pool_3x3~0|none~1|"
            "nor_conv_3x3~2|",
        ),
        ("vit", "vit-2"),
        ("resnet", "resnet-3"),
        ("dag-cnn", MANY_SKIPS),
    ],
)
def test_every_edge_without_weights_is_scaled_in_its_own_replica_alone(
    name: str, rung: str
) -> None:
    space = create(name)
    schemes = ["in-degree-target", "in-degree-all-edges"]
    replicas = [replace(Replica.plain(1.0), initialization=scheme) for scheme in schemes]
    module = space.build(rung, 2, (3, 8, 8), 10)
    blocks = space.topology(rung).residual_blocks
    initialize(module, replicas, blocks)
    scales = [layer for layer in module.modules() if isinstance(layer, SkipScale)]
    live = space.topology(rung).network.live_edges
    degrees = space.topology(rung).network.in_degrees
    shortcuts = [edge for edge in live if not edge.operation.weighted]
    assert len(scales) == len(shortcuts)
    expected = sorted(degrees[edge.target] ** -0.5 for edge in shortcuts)
    found = sorted(float(scale.multiplier_R[1]) for scale in scales)
    assert found == pytest.approx(expected)
    assert all(float(scale.multiplier_R[0]) == 1 for scale in scales)
    x_BKHW = torch.randn(2, 3, 8, 8, generator=create_stream(0, "x"))
    both = module(x_BKHW.repeat(1, 2, 1, 1))
    alone = space.build(rung, 1, (3, 8, 8), 10)
    initialize(alone, replicas[:1], blocks)
    torch.testing.assert_close(both[:1], alone(x_BKHW))
    assert not torch.allclose(both[0], both[1])


def test_the_released_codes_variances_on_cells() -> None:
    """models/cells.py, tiny_network.py and cell_operations.py, at width 4 and 8."""
    cell = "3_13_021"  # node 1: 3x3; node 2: skip and 3x3; node 3: none, 1x1 of node 1, skip of 2
    space = create("nasbench201", channels=4, cells=1)
    (given,) = rules.bundles("path-cubed:released-cell-weights", space, [cell])
    assert given is not None
    (paper,) = rules.bundles("path-cubed", space, [cell])
    assert paper is not None
    assert (given.initialization, given.rate) == ("in-degree-cell", paper.rate)
    module = space.build(cell, 1, (3, 8, 8), 10)
    found = {
        name: variance("in-degree-cell", layer, 4)
        for name, layer in module.named_modules()
        if isinstance(layer, Conv2d | Linear)
    }
    assert found["stem.0"] == pytest.approx(2 / 27)
    assert found["body.0.edges.0_1.conv"] == pytest.approx(2 / (9 * 4))  # the cell's input counts 1
    assert found["body.2.edges.0_1.conv"] == pytest.approx(2 / (9 * 8))
    assert found["body.2.edges.1_2.conv"] == pytest.approx(2 / (9 * 8))
    assert found["body.1.halve.conv"] == pytest.approx(2 / (9 * 4 * 2))
    assert found["body.1.refine.conv"] == pytest.approx(2 / (9 * 8))
    assert found["body.1.shortcut"] == pytest.approx(2 / (4 * 2))
    assert found["readout"] == pytest.approx(4 / 16**2)
    fed_twice = space.build("3_13_303", 1, (3, 8, 8), 10)
    layer = fed_twice.get_submodule("body.0.edges.2_3.conv")
    assert isinstance(layer, Conv2d)
    assert variance("in-degree-cell", layer, 4) == pytest.approx(2 / (9 * 4 * 2))


def test_the_released_path_count_gives_the_codes_rates() -> None:
    """main.py: rates as (sum of (3 + linears)^3)^(-1/2), weights and other spaces as they are."""
    space = create("dag-mlp", width=8)
    base, chain = space.base_architecture, "2_02_002_0002"
    names = ("path-cubed", "path-cubed:released-path-count")
    paper, code = (rules.bundles(name, space, [base, chain]) for name in names)
    assert [b and b.initialization for b in paper] == [b and b.initialization for b in code]
    assert code[0] is not None
    assert code[1] is not None
    assert paper[1] is not None
    assert code[0].lr_multiplier == 1
    assert code[1].lr_multiplier == pytest.approx((7 / 3) ** -1.5)
    assert paper[1].lr_multiplier == pytest.approx(5**-1.5)
    assert rules.rule(names[1]).convention("dag-cnn") == "chen2024-dag-code"
    assert rules.rule(f"shuffled:{names[1]}").convention("dag-mlp") == "chen2024-dag-code"
    assert rules.rule(names[1]).convention("nasbench201") == "chen2024-cell"


def test_the_released_codes_variances() -> None:
    """models/mlp_dags.py and cnn_dags.py: fan-out, the source's in-degree, readout std 2/classes;
    with 3 channels and width 64 the stem is 2 / (9 x 64) against He's 2 / 27."""
    scheme = SCHEMES["in-degree-fan-out"]
    stem = Conv2d(1, 3, 64, kernel=3)
    assert scheme(stem, 0) == pytest.approx(2 / (9 * 64))
    assert SCHEMES["he"](stem, 0) == pytest.approx(2 / 27)
    edge = Conv2d(1, 64, 64, kernel=5).at(source_in_degree=3, target_in_degree=2)
    assert scheme(edge, 4) == pytest.approx(2 / (25 * 64 * 3))
    assert scheme(Linear(1, 192, 128), 4) == pytest.approx(2 / 128)
    readout = Linear(1, 64, 10).at(source_in_degree=4, readout=True)
    assert scheme(readout, 4) == pytest.approx(0.04)
    space = create("dag-mlp", width=64)
    for dag in (MANY_SKIPS, "2_02_002_0002"):
        (given,) = rules.bundles("path-cubed:released-code", space, [dag])
        assert given is not None
        assert given.initialization == "in-degree-fan-out"
        module = space.build(dag, 1, (1, 8, 8), 10).double()
        initialize(module, [replace(Replica.plain(1.0), initialization=given.initialization)], 3)
        (drawn,) = [m.weight for m in module.modules() if isinstance(m, Linear) and m.readout]
        assert float(drawn.detach().square().mean()) == pytest.approx(0.04, rel=0.15)
