"""A study's fields from the command line: ``--epochs 2``, ``--rank.sample 12``.

Libraries that make a command line of dataclasses (tyro, jsonargparse) cannot set one field in all
parts that have it, which is what is mostly wanted here.
"""

from __future__ import annotations

import difflib
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import fields, replace
from types import NoneType, UnionType
from typing import Any, Final, Literal, get_args, get_origin, get_type_hints

from benchmark.study import Depth, Part, Rank, Study, Updates
from benchmark.study.recipe import Recipe
from search_spaces.errors import InvalidInput
from search_spaces.registry import option_types

AnyPart = Rank | Depth | Updates
FIXED: Final = {"name", "options", "recipe"}
"""Fields of a part that are reached otherwise, or say which part it is."""


HINTS: Final[dict[type[object], dict[str, Any]]] = {}
"""What ``read_type_hints`` gave: mypy takes classes with a hash of their own for no keys of
``functools.cache``."""


def read_assignments(arguments: Sequence[str]) -> Iterator[tuple[str, str]]:
    """``--FIELD VALUE`` and ``--FIELD=VALUE`` as pairs of field and value.

    Raises ``InvalidInput`` for anything else.
    """
    queue = list(arguments)
    while queue:
        word = queue.pop(0)
        if not word.startswith("--"):
            raise InvalidInput(f"argument {word!r} has no field name; write --FIELD VALUE")
        name, given, value = word.removeprefix("--").partition("=")
        if not given:
            if not queue or queue[0].startswith("--"):
                raise InvalidInput(f"field --{name} has no value; write --{name} VALUE")
            value = queue.pop(0)
        yield name, value


def override_fields(study: Study, given: Sequence[tuple[str, str]]) -> Study:
    """The study with fields set: for all parts that have them, or for one as ``PART.FIELD``.

    Raises ``InvalidInput`` for a field that no part has and for a value of another type, and
    whatever the parts raise about the values.
    """
    changes: dict[str, dict[str, Any]] = {part.name: {} for part in study.parts}
    for name, text in given:
        owner, _, field = name.rpartition(".")
        field = field.replace("-", "_")
        takers = [p for p in study.parts if owner in ("", p.name) and field in list_field_types(p)]
        if not takers:
            raise InvalidInput(explain_unknown_field(study, name))
        for part in takers:
            changes[part.name][field] = parse_value(name, text, list_field_types(part)[field])
    return replace(
        study, parts=tuple(change_part(part, changes[part.name]) for part in study.parts)
    )


def list_lowered(study: Study, asked: Study, given: Sequence[tuple[str, str]]) -> list[str]:
    """A sentence for every number, set for all parts at once, that is lowered in some of them only.

    ``asked`` is the study with the fields of ``given`` set.
    """
    lines = []
    for name, _ in given:
        field = name.replace("-", "_")
        numbers = [
            (before.name, getattr(before, field, None), getattr(after, field, None))
            for before, after in zip(study.parts, asked.parts, strict=True)
        ]
        fallen = [(part, b, a) for part, b, a in numbers if is_below(a, b)]
        risen = [part for part, b, a in numbers if is_below(b, a)]
        if fallen and risen:
            parts = ", ".join(f"{part} from {before:,}" for part, before, _ in fallen)
            lines.append(
                f"--{name} {fallen[0][2]:,} lowers {field} of {parts}; "
                f"to change one part alone, write --{risen[0]}.{name}"
            )
    return lines


def is_below(low: Any, high: Any) -> bool:
    """Whether both are whole numbers and the first is less."""
    return type(low) is int and type(high) is int and low < high


def read_type_hints(kind: type[object]) -> dict[str, Any]:
    """The types of a class's fields, evaluated once; not to be changed."""
    if kind not in HINTS:
        HINTS[kind] = get_type_hints(kind)
    return HINTS[kind]


def list_field_types(part: Part) -> dict[str, Any]:
    """The type of every field that can be set: the part's, its recipe's and its space's options.

    Options that the part leaves at their defaults are among them, and each has the type that the
    space declares, whatever value the part gives it.
    """
    hints = read_type_hints(type(part))
    own = {field.name: hints[field.name] for field in fields(part) if field.name not in FIXED}
    return read_type_hints(Recipe) | own | option_types(part.space)


def change_part(part: AnyPart, values: dict[str, Any]) -> AnyPart:
    """A part with fields of its own, of its recipe and of its options set together."""
    own = {name for name in (field.name for field in fields(part)) if name not in FIXED}
    options = {k: v for k, v in values.items() if k in option_types(part.space)}
    direct = {k: v for k, v in values.items() if k in own and k not in options}
    recipe = {k: v for k, v in values.items() if k not in direct and k not in options}
    return replace(
        part,
        **direct,
        options=part.options | options,
        recipe=replace(part.recipe, **recipe),
    )


def explain_unknown_field(study: Study, name: str) -> str:
    """The sentence for a field that no part has."""
    known = {field for part in study.parts for field in list_field_types(part)}
    known |= {f"{part.name}.{field}" for part in study.parts for field in list_field_types(part)}
    near = difflib.get_close_matches(name.replace("-", "_"), sorted(known), n=3, cutoff=0.5)
    mend = f"did you mean {', '.join(f'--{each}' for each in near)}?" if near else "see --help"
    return f"study {study.name} has no field --{name}; {mend}"


def parse_value(name: str, text: str, kind: Any) -> Any:
    """A value of a field's type from what was typed; tuples are comma lists."""
    if get_origin(kind) is tuple:
        return tuple(parse_value(name, each.strip(), get_args(kind)[0]) for each in text.split(","))
    if get_origin(kind) is UnionType:
        if text.lower() == "none":
            return None
        return parse_value(
            name, text, next(each for each in get_args(kind) if each is not NoneType)
        )
    if kind is bool:
        if text.lower() in ("true", "false"):
            return text.lower() == "true"
        raise InvalidInput(f"field --{name}: {text!r} is neither true nor false")
    if kind in (int, float):
        try:
            return kind(text)
        except ValueError as error:
            wanted = "a whole number" if kind is int else "a number"
            raise InvalidInput(f"field --{name}: {text!r} is not {wanted}; give one") from error
    if get_origin(kind) is Literal:
        choices = {str(choice): choice for choice in get_args(kind)}
        if text not in choices:
            allowed = ", ".join(choices)
            raise InvalidInput(f"field --{name}: {text!r} is not known; use one of {allowed}")
        return choices[text]
    return text


def describe_command(name: str, scale: str, given: Sequence[tuple[str, str]]) -> str:
    """What was typed to run the study of ``jobs/NAME.py``, with PATH for the user's paths."""
    words = ["python", f"jobs/{name}.py"] + (["--scale", scale] if scale != "full" else [])
    for field, value in given:
        kind, colon, _ = value.partition(":")
        hides = field.rpartition(".")[2] == "dataset" and colon
        words += [f"--{field}", f"{kind}:PATH" if hides else value]
    return f"{shlex.join(words)} --out RESULTS"


def describe_fields(study: Study) -> str:
    """The fields that can be set, a line per part."""
    lines = [f"fields ({', '.join(read_type_hints(Recipe))} of the recipe, and of each part):"]
    for part in study.parts:
        own = [field for field in list_field_types(part) if field not in read_type_hints(Recipe)]
        lines.append(f"  {part.name}: {', '.join(own)}")
    return "\n".join(lines)
