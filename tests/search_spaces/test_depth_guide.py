"""docs/depth.md: every drawing and every number on it is what the code says."""

import re
from pathlib import Path

import pytest

from search_spaces.conventions import CONVENTIONS
from search_spaces.registry import create
from search_spaces.show.describe import format_integer
from search_spaces.show.text_drawing import draw_graph

GUIDE = (Path(__file__).parents[2] / "docs" / "depth.md").read_text()
EXAMPLES = [
    ("A chain", "cnn", "cnn-3", "cnn-1"),
    ("Residual blocks", "resnet", "resnet-2", "resnet-1"),
    ("A cell with four paths", "nasbench201", "6111", "1_01_001"),
]


@pytest.mark.parametrize(("title", "name", "architecture", "base"), EXAMPLES)
def test_an_example(title: str, name: str, architecture: str, base: str) -> None:
    section = re.split(r"^## ", GUIDE.partition(f"## {title}")[2], flags=re.MULTILINE)[0]
    space = create(name)
    graph = space.graph(space.parse(architecture))
    assert "\n".join(draw_graph(graph, most_nodes=10)) in section
    assert f"`{base}`" in section
    written = dict(re.findall(r"^\| `([^`]+)` \| (.+) \|$", section, flags=re.MULTILINE))
    assert list(written) == list(CONVENTIONS)
    for convention in CONVENTIONS.values():
        paths = convention.statistics(space.topology(space.parse(architecture)))
        start = convention.statistics(space.topology(space.parse(base)))
        assert paths.min is not None
        assert start.min is not None
        expected = (
            format_integer(paths.count).removesuffix(".0"),
            str(paths.min),
            str(paths.max),
            format_integer(paths.sum_cubes),
            f"{(paths.sum_cubes / start.sum_cubes) ** -0.5:.4g}",
            f"{(paths.min / start.min) ** -1.5:.4g}",
        )
        assert tuple(written[convention.name].split(" | ")) == expected


def test_every_convention_is_listed_with_its_scope() -> None:
    table = GUIDE.partition("## The conventions")[2].partition("\n## ")[0]
    listed = re.findall(r"^\| `([^`]+)` \| (\w+) \|", table, flags=re.MULTILINE)
    assert listed == [(c.name, c.scope) for c in CONVENTIONS.values()]
