"""What a unit names by hash or version is compared with what is there, before it trains."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.replicas import replica

from benchmark.datasets import catalog
from benchmark.datasets.names import parse_name
from benchmark.engine import engine
from benchmark.study.recipe import Recipe
from benchmark.study.unit import Unit
from search_spaces.errors import InvalidInput

UNIT = Unit(
    measure="training",
    space="mlp",
    space_version=1,
    space_options=(("width", 4),),
    architecture="mlp-1",
    replicas=(replica(0.1, 0), replace(replica(0.1, 1), rule="path-cubed", convention="")),
    recipe=Recipe(batch=512),
    dataset="digits",
    dataset_checksum=catalog.load("digits").checksum,
)


def test_the_unit_itself_trains() -> None:
    assert [row["status"] for row in engine.run(UNIT)] == ["done", "done"]


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"dataset_checksum": "0" * 64}, "dataset digits: this node's images have checksum"),
        ({"dataset_checksum": ""}, "dataset digits: this node's images have checksum"),
        ({"space_version": 2}, "version 2 of search space mlp, but this node's code has version 1"),
        ({"recipe_version": 9}, "version 9 of the engine, but this node's code has version"),
        (
            {"replicas": (UNIT.replicas[0], replace(UNIT.replicas[1], rule_version=7))},
            "version 7 of rule path-cubed, but this node's code has version 1; install",
        ),
    ],
)
def test_another_input_than_the_units_is_one_sentence(
    changes: dict[str, Any], sentence: str
) -> None:
    other = replace(UNIT, **changes)
    with pytest.raises(InvalidInput, match=sentence) as raised:
        engine.run(other)
    assert other.id[:12] in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_rule_that_this_code_does_not_have_is_no_obstacle() -> None:
    own = replace(UNIT, replicas=(replace(UNIT.replicas[0], rule="my-rule", rule_version=3),))
    assert engine.run(own)[0]["rule"] == "my-rule"


def images(seed: int) -> dict[str, Any]:
    drawn = np.random.default_rng(seed)
    shape = {"x_train": 64, "x_test": 32}
    pixels = {name: drawn.integers(0, 256, (n, 4, 4, 1), np.uint8) for name, n in shape.items()}
    labels = {name.replace("x", "y"): np.arange(n) % 2 for name, n in shape.items()}
    return pixels | labels


@pytest.mark.parametrize("change", ["other images", "cut off", "deleted", "a folder"])
def test_a_file_of_images_that_changes_while_a_study_runs(change: str, tmp_path: Path) -> None:
    """Who has read it goes on with what was planned; who reads it now has one sentence."""
    file = tmp_path / "private" / "x.npz"
    file.parent.mkdir()
    np.savez(file, **images(0))
    whole, name = file.read_bytes(), f"npz:{file}"
    checksum = catalog.load(name).checksum
    unit = replace(UNIT, dataset_checksum=checksum, dataset_place=name, recipe=Recipe(batch=16))
    unit = replace(unit, dataset=parse_name(name).label(checksum))
    rows = engine.run(unit)
    file.unlink()
    if change == "other images":
        np.savez(file, **images(1))
    elif change == "cut off":
        file.write_bytes(whole[:-50])
    elif change == "a folder":
        file.mkdir()
    assert engine.run(unit) == rows
    catalog.load_named.cache_clear()  # as another worker, or the next command
    with pytest.raises(InvalidInput) as raised:
        engine.run(unit)
    assert "\n" not in str(raised.value)
    assert "private" not in str(raised.value)
    if file.is_dir():
        file.rmdir()
    file.write_bytes(whole)
    assert engine.run(unit) == rows
