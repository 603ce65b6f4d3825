"""What sentences say of a part's networks: their name, and what their depths count."""

from typing import Any

import pytest

from benchmark.findings.answers.headline import describe_part
from benchmark.findings.answers.networks import count_rungs, list_rungs
from search_spaces.graph import ArchGraph
from search_spaces.registry import create, find_unit

FACTORY = {"factory": "search_spaces.modules.example:build_residual"}


def make_part(space: str, depths: tuple[int, ...], **options: object) -> dict[str, Any]:
    return {"name": "one", "space": space, "options": options, "depths": depths}


def count_longest(graph: ArchGraph) -> int:
    """Weighted layers on the longest path."""
    longest = [0] * graph.n_nodes
    for edge in sorted(graph.live_edges, key=lambda edge: edge.source):
        longest[edge.target] = max(
            longest[edge.target], longest[edge.source] + edge.operation.weighted
        )
    return longest[-1]


@pytest.mark.parametrize(
    ("space", "options"),
    [("mlp", {}), ("cnn", {}), ("resnet", {}), ("vit", {}), ("torchvision", {"family": "resnet"})],
)
def test_the_unit_of_a_ladder_is_what_its_graph_has_so_many_of(
    space: str, options: dict[str, object]
) -> None:
    found = create(space, **options)
    architecture = found.architectures()[0]
    depth = 18 if space == "torchvision" else int(architecture.rpartition("-")[2])
    topology = found.topology(architecture)
    layers = count_longest(topology.network)
    counted = {
        "blocks": topology.residual_blocks // (2 if space == "vit" else 1),
        "hidden layers": layers - 1,
        "convolutions": layers - 1,
        "layers": layers,
    }
    assert counted[find_unit(space, options)] == depth


@pytest.mark.parametrize(
    ("part", "told"),
    [
        (make_part("mlp", (1, 16)), "MLPs of 1 to 16 hidden layers"),
        (make_part("resnet", (1, 16)), "residual nets of 1 to 16 blocks"),
        (
            make_part("torchvision", (18, 34), family="resnet"),
            "torchvision's ResNets of 18 to 34 layers",
        ),
        (
            make_part("torchvision", (12, 24), family="vit"),
            "torchvision's vision transformers of 12 to 24 blocks",
        ),
        (
            make_part("module", (2, 4), **FACTORY),
            f"networks of {FACTORY['factory']} of depth 2 to 4",
        ),
        (make_part("of-elsewhere", (2, 4)), "of-elsewhere networks of depth 2 to 4"),
    ],
)
def test_sentences_name_networks_and_count_what_their_depths_count(
    part: dict[str, Any], told: str
) -> None:
    assert describe_part(part) == f"On {told} (One)"


def test_all_rungs_or_the_ends() -> None:
    part = make_part("cnn", (4, 1, 2))
    assert count_rungs(part) == "1 to 4 convolutions"
    assert list_rungs(part) == "4, 1, 2 convolutions"
