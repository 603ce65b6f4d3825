"""What a unit names by hash or version is compared with what is there, before it trains."""

from dataclasses import replace
from typing import Any

import pytest
from support.replicas import replica

from benchmark.datasets import catalog
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
