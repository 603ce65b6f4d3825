"""Which fields of a study differ from those that its stored results were made with."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any


def list_field_changes(stored: Mapping[str, Any], asked: Mapping[str, Any]) -> list[str]:
    """One line per changed field, ``part P: FIELD OLD -> NEW``, and per part that came or went.

    Both are the ``study`` of a manifest. Fields that only one of them has are left out: another
    version wrote them.
    """
    before = {part["name"]: dict(list_fields(part)) for part in stored["parts"]}
    now = {part["name"]: dict(list_fields(part)) for part in asked["parts"]}
    lines = [f"part {name} is new" for name in now if name not in before]
    lines += [f"part {name} is left out" for name in before if name not in now]
    for name in now:
        old = before.get(name, {})
        lines += [
            f"part {name}: {field} {show_value(old[field])} -> {show_value(value)}"
            for field, value in now[name].items()
            if field in old and old[field] != value
        ]
    return lines


def list_fields(part: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The fields of a part, of its options and of its recipe, as they are set on a command line."""
    for name, value in json.loads(json.dumps(part)).items():
        if isinstance(value, dict):
            yield from value.items()
        else:
            yield name, value


def show_value(value: Any) -> str:
    """A value as it is typed."""
    if isinstance(value, list):
        return ",".join(map(show_value, value))
    return f"{value:g}" if isinstance(value, float) else str(value).lower()
