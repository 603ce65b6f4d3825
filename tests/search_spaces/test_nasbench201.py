"""NAS-Bench-201: names, costs, classes and samples equal the published ones."""

import bz2
import os
import pickle
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from search_spaces.conventions import convention
from search_spaces.errors import InvalidInput
from search_spaces.nasbench201.cell import official_order, read, write, write_code
from search_spaces.nasbench201.cost import Cost
from search_spaces.nasbench201.space import NasBench201

SPACE = NasBench201()


def records() -> Path:
    folder = os.environ.get("NATS_BENCH_DIR")
    if folder is None:
        pytest.skip("NATS_BENCH_DIR does not point to a folder of NATS-Bench records")
    return Path(folder)


def unpickle(file: Path) -> Any:
    return pickle.loads(bz2.decompress(file.read_bytes()))


def test_strings_codes_and_indices_name_each_cell_once() -> None:
    names = SPACE.architectures()
    assert len(set(names)) == len(names) == 15_625
    for index, cell in enumerate(official_order()):
        assert (
            names[index] == write(cell) == SPACE.parse(str(index)) == SPACE.parse(write_code(cell))
        )
        assert SPACE.index(names[index]) == index


def test_the_order_is_the_published_one() -> None:
    assert SPACE.architectures() == unpickle(records() / "meta.pickle.pbz2")["meta_archs"]


# Index: parameters and FLOPs as the 12-epoch records of NATS-Bench give them, in millions.
PUBLISHED = {
    0: {"cifar10": (0.129306, 15.64737), "ImageNet16-120": (0.136456, 3.91948)},
    6111: {"cifar10": (1.073466, 153.27297)},
}
SHAPES = {
    "cifar10": ((3, 32, 32), 10),
    "cifar100": ((3, 32, 32), 100),
    "ImageNet16-120": ((3, 16, 16), 120),
}


def in_millions(cost: Cost) -> tuple[float, float]:
    return cost.parameters / 1e6, cost.flops / 1e6


@pytest.mark.parametrize("index", PUBLISHED)
def test_cost_equals_the_published_one(index: int) -> None:
    for dataset, published in PUBLISHED[index].items():
        shape, classes = SHAPES[dataset]
        assert in_millions(SPACE.cost(str(index), shape, classes)) == pytest.approx(published)


@pytest.mark.parametrize("index", [0, 11, 284])
def test_cost_equals_the_record(index: int) -> None:
    record = unpickle(records() / f"{index:06d}.pickle.pbz2")["12"]["all_results"]
    for dataset, (shape, classes) in SHAPES.items():
        published = record[dataset, 111]
        found = in_millions(SPACE.cost(str(index), shape, classes))
        assert found == pytest.approx((published["params"], published["flop"]), rel=1e-9)


@pytest.mark.parametrize("architecture", SPACE.architectures(sample=12, seed=3))
def test_the_network_has_the_parameters_that_are_counted(architecture: str) -> None:
    network = SPACE.build(architecture, replicas=1, classes=100)
    counted = SPACE.cost(architecture, classes=100).parameters
    assert sum(parameter.numel() for parameter in network.parameters()) == counted


def test_cells_without_a_path_are_untrainable() -> None:
    pathless = [name for name in SPACE.architectures() if not SPACE.topology(name).trainable]
    assert len(pathless) == 341
    for name in pathless:
        assert convention("chen2024-cell").statistics(SPACE.topology(name)).count == 0


def test_equal_live_patterns_share_one_topology() -> None:
    """Absent, free and weighted edges make 3^6 patterns; fewer once dead edges are left out."""
    topologies = {id(SPACE.topology(name)): SPACE.topology(name) for name in SPACE.architectures()}
    patterns = {
        tuple((e.source, e.target, e.operation.weighted) for e in SPACE.graph(name).live_edges)
        for name in SPACE.architectures()
    }
    assert len(topologies) == len(patterns) < 3**6
    for name in SPACE.architectures(sample=50):
        graph, cell = SPACE.graph(name), SPACE.topology(name).cell
        assert graph.in_degrees == cell.in_degrees
        assert len(cell.edges) == len(graph.live_edges)


def test_a_uniform_sample_is_seeded_and_in_official_order() -> None:
    sample = SPACE.architectures(sample=100, seed=1)
    assert sample == SPACE.architectures(sample=100, seed=1) != SPACE.architectures(100, seed=2)
    indices = [SPACE.index(name) for name in sample]
    assert indices == sorted(set(indices))


def rate_class(name: str) -> int:
    return convention("chen2024-cell").statistics(SPACE.topology(name)).sum_cubes


@pytest.mark.parametrize("sample", [24, 46, 92, 500])
def test_a_stratified_sample_spreads_over_the_rate_classes(sample: int) -> None:
    names = SPACE.stratified(sample, seed=5)
    assert len(set(names)) == sample
    assert all(SPACE.topology(name).trainable for name in names)
    members = Counter(rate_class(name) for name in names)
    assert len(members) == min(sample, 46)
    everyone = Counter(rate_class(name) for name in SPACE.architectures())
    most = max(members.values())
    for label, count in members.items():
        assert count >= most - 1 or count == everyone[label]


def test_stratified_samples_are_the_same_on_every_machine() -> None:
    # Python's generator is specified to the bit, so these five are drawn everywhere.
    assert [SPACE.index(name) for name in SPACE.stratified(5, seed=0)] == [
        2770,
        10435,
        11289,
        11599,
        13325,
    ]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("15625", "index 15625 is out of range; indices run from 0 to 15624"),
        ("1_01_005", "digit 5 of code '1_01_005'"),
        ("|skip_connect~0|", "has 1 node"),
        ("|conv~0|+|none~0|none~1|+|none~0|none~1|none~2|", "unknown operation 'conv' in 'conv~0'"),
        ("|none~0|+|none~0|none~0|+|none~0|none~1|none~2|", "'none~0' must read 'none~1'"),
        ("|none~0|+|none~0|+|none~0|none~1|none~2|", r"node '\|none~0\|' .* must hold 2 edge"),
        ("none~0+|none~0|none~1|+|none~0|none~1|none~2|", "node 'none~0' of the cell must hold 1"),
        ("", "has 1 node"),
    ],
)
def test_a_malformed_cell_shows_the_piece(text: str, sentence: str) -> None:
    with pytest.raises(InvalidInput, match=sentence):
        SPACE.parse(text)


def test_wrong_samples_and_options_are_refused() -> None:
    with pytest.raises(InvalidInput, match="sample=20000 is more than the 15625"):
        SPACE.architectures(sample=20_000)
    with pytest.raises(InvalidInput, match="sample=15285 is more than the 15284"):
        SPACE.stratified(15_285)
    with pytest.raises(InvalidInput, match="cells=0 is not a whole number of 1 or more"):
        NasBench201(cells=0)


def test_read_undoes_write() -> None:
    for cell in official_order()[::97]:
        assert read(write(cell)) == cell
