"""Path counts and multipliers equal those of the released code of arXiv 2402.17440."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from search_spaces.conventions import convention
from search_spaces.nasbench201.space import NasBench201
from search_spaces.registry import create

GOLDEN: dict[str, Any] = json.loads(
    (Path(__file__).parents[1] / "golden" / "chen2024_paths.json").read_text()
)
CELL, DAG_CODE = convention("chen2024-cell"), convention("chen2024-dag-code")


def test_cells() -> None:
    space = NasBench201()
    for code, (index, depths, sum_cubes, multiplier) in GOLDEN["cells"].items():
        assert space.index(code) == index
        paths = CELL.statistics(space.topology(space.parse(code)))
        assert paths.count == len(depths)
        assert (paths.min, paths.max) == (min(depths, default=None), max(depths, default=None))
        assert paths.moments == tuple(sum(d**k for d in depths) for k in range(4))
        assert paths.sum_cubes == sum_cubes
        if multiplier is not None:
            assert paths.sum_cubes**-0.5 == pytest.approx(multiplier, rel=1e-14)


def test_dags() -> None:
    space = create("dag-mlp")
    for code, (n_paths, raw_depths, sum_cubes, multiplier) in GOLDEN["dags"].items():
        topology = space.topology(space.parse(code))
        assert CELL.statistics(topology).count == n_paths
        paths = DAG_CODE.statistics(topology)
        assert paths.moments == tuple(sum((d + 3) ** k for d in raw_depths) for k in range(4))
        assert paths.sum_cubes == sum_cubes
        assert (sum_cubes / 27) ** -0.5 == pytest.approx(multiplier, rel=1e-14)


@pytest.mark.parametrize(
    ("name", "counting", "key"),
    [("nasbench201", CELL, "nb201"), ("dag-cnn", DAG_CODE, "n5")],
)
def test_totals(name: str, counting: Any, key: str) -> None:
    space = create(name)
    topologies = [space.topology(architecture) for architecture in space.architectures()]
    counts = Counter(str(CELL.statistics(topology).count) for topology in topologies)
    assert counts == GOLDEN["totals"][key]["paths"]
    total = sum(counting.statistics(topology).sum_cubes for topology in topologies)
    assert total == GOLDEN["totals"][key]["sum_of_sum_cubes"]


def test_the_48_moment_vectors_and_46_rates() -> None:
    space = NasBench201()
    paths = [CELL.statistics(space.topology(name)) for name in space.architectures()]
    members = Counter(found.moments for found in paths)
    expected = {
        tuple(sum(depth**k for depth in depths) for k in range(4)): count
        for depths, count in GOLDEN["classes"]
    }
    assert len(expected) == 48
    assert members == expected
    assert len({found.sum_cubes for found in paths if found.count}) == 46
