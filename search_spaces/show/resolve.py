"""From what a person typed to a space and an architecture of it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from search_spaces.errors import InvalidInput
from search_spaces.registry import create, names
from search_spaces.space import SearchSpace

_FORMS = (
    (r"\|.*|.*~.*|[0-9]+|[0-9]_[0-9]{2}_[0-9]{3}", "nasbench201"),
    ("[0-9]_[0-9]{2}_[0-9]{3}_[0-9]{4}", "dag-mlp"),
)


def read_options(pairs: Sequence[str]) -> dict[str, object]:
    """Options written ``key=value``: whole numbers, decimals, true and false, else words."""
    options: dict[str, object] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals:
            raise InvalidInput(f"option {pair!r} must read KEY=VALUE, such as width=32")
        options[key] = _value(value)
    return options


def _value(text: str) -> object:
    if text in ("true", "false"):
        return text == "true"
    for number in (int, float):
        try:
            return number(text)
        except ValueError:
            continue
    return text


def resolve(
    text: str, space: str | None = None, options: Sequence[str] = ()
) -> tuple[SearchSpace, str]:
    """The space and the official name of an architecture.

    Without ``space`` it is told from how the architecture is written; codes of five-node DAGs then
    mean ``dag-mlp``. Raises ``InvalidInput`` where no space has such a name.
    """
    found = create(space or _space_of(text.strip()), **read_options(options))
    return found, found.parse(text)


def _space_of(text: str) -> str:
    for form, name in _FORMS:
        if re.fullmatch(form, text):
            return name
    prefix = text.rpartition("-")[0]
    if prefix in names():
        return prefix
    raise InvalidInput(
        f"{text!r} names no architecture; write a cell string, an index such as 6111, a code such "
        f"as 1_01_001 or 2_02_002_0002, or a rung such as resnet-8"
    )
