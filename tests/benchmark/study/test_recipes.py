"""A recipe is one value with one id, of the declared types, or one sentence."""

from dataclasses import fields, replace
from typing import Any, get_type_hints

import pytest

from benchmark.study.recipe import NAS_BENCH_201, PLAIN_SGD, Recipe
from benchmark.study.unit import canonical_json
from search_spaces.errors import InvalidInput

HINTS = get_type_hints(Recipe)
FLOATS = [name for name, hint in HINTS.items() if hint is float]
WHOLE = {  # a value that is allowed, where 1 is not
    "momentum": 0,
    "label_smoothing": 0,
    "validation": 0.5,
    "decay_factor": 0,
}
WRONG: dict[Any, list[Any]] = {
    float: ["0.5", True, None, float("nan"), float("inf"), -1],
    int: [2.5, 2.0, True, "2", None, -1],
    bool: ["no", 1, 0.0, None],
    tuple[int, ...]: [3, "12", (1.0,), (True,)],
}


def wrong_values() -> list[tuple[str, Any]]:
    """Every field with values of other types, or out of range."""
    words = ["nosuch", 1, None]
    return [(name, value) for name, hint in HINTS.items() for value in WRONG.get(hint, words)]


@pytest.mark.parametrize("name", FLOATS)
def test_equal_recipes_have_equal_ids(name: str) -> None:
    given: list[Any] = [WHOLE.get(name, 1), float(WHOLE.get(name, 1))]
    recipes = [replace(PLAIN_SGD, **{name: value}) for value in given]
    assert recipes[0] == recipes[1]
    assert len({canonical_json(recipe.identity) for recipe in recipes}) == 1
    assert type(getattr(recipes[0], name)) is float


@pytest.mark.parametrize("name", [name for name in FLOATS if name != "validation"])
def test_a_zero_has_no_sign(name: str) -> None:
    zero: Any = -0.0
    recipe = replace(PLAIN_SGD, **{name: zero})
    assert canonical_json(recipe.identity) == canonical_json(PLAIN_SGD.identity)


@pytest.mark.parametrize(("name", "value"), wrong_values())
def test_a_wrong_value_is_one_sentence_that_names_its_field(name: str, value: Any) -> None:
    with pytest.raises(InvalidInput, match=rf"^recipe field {name}\b.* should be ") as caught:
        Recipe(**{name: value})
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"epochs": 2.5}, "recipe field epochs=2.5 should be a whole number"),
        ({"epochs": 0}, "recipe field epochs=0 should be greater than or equal to 1"),
        ({"momentum": 1}, "recipe field momentum=1 should be less than 1"),
        ({"optimizer": "lion"}, "recipe field optimizer='lion' should be 'sgd' or 'adamw'"),
        ({"warmup_epochs": 3}, "recipe field warmup_epochs=3.0 should be at most epochs=1"),
        ({"nesterov": True}, "recipe field nesterov needs momentum above 0; set one"),
        ({"epoch": 2}, "recipe field epoch does not exist; leave it out or correct its name"),
        ({"milestones": (1, 2.5)}, "recipe field milestones[1]=2.5 should be a whole number"),
    ],
)
def test_the_sentence(values: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        Recipe(**values)
    assert str(caught.value) == sentence


def test_milestones_may_be_a_list() -> None:
    listed: Any = [1, 2]
    recipe = Recipe(schedule="step", epochs=3, milestones=listed, decay_factor=0.5)
    assert recipe.milestones == (1, 2)
    assert hash(recipe) == hash(replace(recipe, milestones=(1, 2)))


def test_recipes_are_frozen_values() -> None:
    assert {field.name for field in fields(Recipe)} == HINTS.keys()
    assert len({NAS_BENCH_201, replace(NAS_BENCH_201), PLAIN_SGD}) == 2
    with pytest.raises(AttributeError):
        PLAIN_SGD.epochs = 3  # type: ignore[misc]
