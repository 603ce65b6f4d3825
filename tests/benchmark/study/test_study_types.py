"""Options and rates are of their declared types: equal parts plan units of equal ids."""

from dataclasses import asdict, replace
from typing import Any, get_args

import pytest

from benchmark.plan.units import plan_grid, plan_unit
from benchmark.study import Rank
from benchmark.study.unit import Replica, canonical_json
from search_spaces import registry
from search_spaces.errors import InvalidInput
from search_spaces.registry import option_types

OPTIONS = [
    (space, option, kind)
    for space in registry.names()
    for option, kind in option_types(space).items()
]
DROPOUTS = [space for space, option, _ in OPTIONS if option == "dropout"]


def part(space: str, *rates: Any, **options: Any) -> Rank:
    return Rank(name="all", space=space, options=options, rules=("default",), rates=rates or (0.1,))


def unit_id(asked: Rank) -> str:
    base = asked.search_space.base_architecture
    return plan_unit(asked, base, plan_grid(asked, "default", None, asked.rates)).id


@pytest.mark.parametrize(("space", "option", "kind"), OPTIONS)
def test_an_option_is_kept_as_its_declared_type_or_refused(
    space: str, option: str, kind: Any
) -> None:
    declared = kind if isinstance(kind, type) else type(get_args(kind)[0])
    for value in (0, 1, 2, 1.0, 0.5, True, False, "ln", "1", None, [1]):
        kept, sentence = value, ""
        try:
            kept = part(space, **{option: value}).options[option]
        except InvalidInput as error:
            sentence = str(error)
        if sentence:
            assert option in sentence
            assert "\n" not in sentence
        else:
            assert kept == value
            assert type(kept) is declared


@pytest.mark.parametrize("space", DROPOUTS)
def test_equal_parts_have_one_id(space: str) -> None:
    parts = [part(space, 1, 2, dropout=0), part(space, 1.0, 2.0, dropout=0.0)]
    parts.append(part(space, 1.0, 2, dropout=-0.0))
    assert len({unit_id(each) for each in parts}) == 1
    assert {type(rate) for each in parts for rate in each.rates} == {float}


def test_equal_replicas_have_one_canonical_form() -> None:
    whole = replace(
        Replica.plain(1), branch_multiplier=1, lr_multiplier=1, base_lr=1, factors=(("head", 2),)
    )
    plain = replace(Replica.plain(1.0), factors=(("head", 2.0),))
    assert whole == plain
    assert canonical_json(asdict(whole)) == canonical_json(asdict(plain))


@pytest.mark.parametrize(
    ("space", "rates", "options", "sentence"),
    [
        ("mlp", (), {"dropout": "x"}, "part all: option dropout='x' should be a valid number"),
        ("mlp", (), {"width": 8.0}, "part all: option width=8.0 should be a whole number"),
        ("vit", (), {"layer_scale": "no"}, "part all: option layer_scale='no' should be a valid"),
        ("vit", (), {"placement": "mid"}, "option placement='mid' should be 'pre' or 'post'"),
        ("mlp", ("0.1",), {}, "part all: field rates[0]='0.1' should be a valid number"),
        ("mlp", (0.1, float("nan")), {}, "field rates[1]=nan should be a finite number"),
        ("mlp", (0.1, 0.1), {}, "field rates[1]=0.1 is not above the one before it, 0.1"),
    ],
)
def test_the_sentence(
    space: str, rates: tuple[Any, ...], options: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(InvalidInput) as caught:
        part(space, *rates, **options)
    assert sentence in str(caught.value)
