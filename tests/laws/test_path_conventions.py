"""What each convention counts, on networks small enough to count by hand."""

import pytest

from search_spaces.conventions import CONVENTIONS, convention
from search_spaces.errors import InvalidInput
from search_spaces.registry import create

# (paths, min, max, sum of cubes)
BY_HAND = {
    # three convolutions in a row and a readout
    ("cnn", "cnn-3"): {
        "chen2024-cell": (1, 4, 4, 64),
        "chen2024-dag-code": (1, 6, 6, 216),
        "chen2024-dag-paper": (1, 3, 3, 27),
        "wu2026-layers-and-additions": (1, 4, 4, 64),
        "wu2026-update-units": (1, 3, 3, 27),
        "am-mup-blocks": (1, 3, 3, 27),
    },
    # stem, two blocks of one convolution, readout: branches taken 0, 1, 1, 2
    ("resnet", "resnet-2"): {
        "chen2024-cell": (4, 1, 3, 1 + 8 + 8 + 27),
        "chen2024-dag-code": (4, 3, 5, 27 + 64 + 64 + 125),
        "chen2024-dag-paper": (4, 1, 3, 1 + 8 + 8 + 27),
        "wu2026-layers-and-additions": (4, 4, 6, 64 + 125 + 125 + 216),
        "wu2026-update-units": (4, 2, 2, 4 * 8),
        "am-mup-blocks": (4, 2, 2, 4 * 8),
    },
    # one block: attention (two layers) and a feed-forward net (two layers), each with a shortcut
    ("vit", "vit-1"): {
        "chen2024-dag-paper": (4, 0, 2, 0 + 1 + 1 + 8),
        "wu2026-layers-and-additions": (4, 4, 8, 64 + 216 + 216 + 512),
        "wu2026-update-units": (4, 2, 2, 4 * 8),
        "am-mup-blocks": (4, 2, 4, 8 + 27 + 27 + 64),
    },
    # linear, linear, then linear-linear beside a skip
    ("dag-mlp", "2_02_002_0012"): {
        "chen2024-cell": (2, 3, 5, 27 + 125),
        "chen2024-dag-code": (2, 5, 7, 125 + 343),
        "chen2024-dag-paper": (2, 3, 5, 27 + 125),
        "wu2026-layers-and-additions": (2, 5, 7, 125 + 343),
        "wu2026-update-units": (2, 3, 3, 27 + 27),
        "am-mup-blocks": (2, 3, 4, 27 + 64),
    },
    # all skips on several paths: the released code collapses them to one path of 3
    ("dag-mlp", "1_01_001_1001"): {
        "chen2024-cell": (2, 1, 1, 2),
        "chen2024-dag-code": (1, 3, 3, 27),
        "chen2024-dag-paper": (2, 1, 1, 2),
        "wu2026-layers-and-additions": (2, 3, 3, 27 + 27),
        "wu2026-update-units": (2, 1, 1, 2),
        "am-mup-blocks": (2, 1, 1, 2),
    },
    # the base cell: one path of skips, so only stem, reductions and head have length
    ("nasbench201", "1_01_001"): {
        "chen2024-cell": (1, 1, 1, 1),
        "chen2024-dag-paper": (4, 1, 5, 1 + 27 + 27 + 125),
        # stem, two shortcuts, two additions, head; or two layers in a reduction for one
        "wu2026-layers-and-additions": (4, 6, 8, 216 + 343 + 343 + 512),
        "wu2026-update-units": (4, 2, 2, 4 * 8),
        "am-mup-blocks": (4, 2, 4, 8 + 27 + 27 + 64),
    },
}


@pytest.mark.parametrize(("space", "architecture"), BY_HAND)
def test_counted_by_hand(space: str, architecture: str) -> None:
    found = create(space)
    topology = found.topology(found.parse(architecture))
    for name, expected in BY_HAND[space, architecture].items():
        paths = convention(name).statistics(topology)
        assert (paths.count, paths.min, paths.max, paths.sum_cubes) == expected, name


@pytest.mark.parametrize("name", CONVENTIONS)
@pytest.mark.parametrize("space", ["mlp", "cnn"])
def test_on_chains_path_cubed_is_effective_depth(name: str, space: str) -> None:
    """(sum L^3)^(-1/2) = L_min^(-3/2) wherever there is one path (arXiv 2402.17440, 2602.07494)."""
    chain = create(space)
    for architecture in chain.architectures():
        paths = convention(name).statistics(chain.topology(architecture))
        assert paths.min is not None
        assert paths.sum_cubes == paths.min**3


@pytest.mark.parametrize("block", ["one-conv", "basic", "bottleneck"])
@pytest.mark.parametrize("stages", ["homogeneous", "cifar"])
def test_residual_blocks_are_blocks_whatever_they_hold(block: str, stages: str) -> None:
    space = create("resnet", block=block, stages=stages)
    for blocks in (3, 8, 17):
        topology = space.topology(f"resnet-{blocks}")
        assert convention("am-mup-blocks").statistics(topology).min == blocks
        assert convention("wu2026-update-units").statistics(topology).min == blocks
        assert convention("wu2026-update-units").statistics(topology).max == blocks
        assert topology.residual_blocks == blocks


def test_whole_nasbench201_sums_pass_int64_and_stay_exact() -> None:
    """Cells in series multiply: the network's moments equal the parts' composed."""
    topology = create("nasbench201", cells=8).topology("3_33_333")
    paths = convention("wu2026-layers-and-additions").statistics(topology)
    assert paths.count == 4 ** (3 * 8) * 4
    assert paths.sum_cubes > 2**63


def test_statistics_are_remembered() -> None:
    topology = create("resnet").topology("resnet-5")
    for found in CONVENTIONS.values():
        assert found.statistics(topology) is found.statistics(topology)


def test_every_convention_says_what_it_counts_and_who_says_so() -> None:
    for name, found in CONVENTIONS.items():
        assert found.name == name
        assert found.scope in ("cell", "network")
        assert found.source.startswith("arXiv 2")
        assert len(found.counts) > 40


def test_an_unknown_convention_lists_the_known() -> None:
    with pytest.raises(InvalidInput, match="unknown convention 'depth'; choose one of chen2024"):
        convention("depth")
