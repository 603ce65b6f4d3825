"""A study: parts under one name, what one job runs and one report shows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from benchmark.study.parts import Depth, Rank, Updates
from benchmark.study.unit import Scalar
from search_spaces.errors import InvalidInput


@dataclass(frozen=True, kw_only=True)
class Study:
    """Parts under one name: what one job runs and one report shows."""

    name: str
    question: str
    parts: tuple[Rank | Depth | Updates, ...]

    def __post_init__(self) -> None:
        if not self.name.replace("-", "").replace("_", "").isalnum():
            raise InvalidInput(f"study name {self.name!r}; use letters, digits, - and _")
        names = [part.name for part in self.parts]
        if len(set(names)) < len(names):
            raise InvalidInput(f"study {self.name}: part names {names} repeat; name each once")

    def scaled(
        self,
        scale: str,
        *,
        options: Mapping[str, Scalar] | None = None,
        recipe: Mapping[str, Any] | None = None,
        **changes: Any,
    ) -> Study:
        """The study at another size, named NAME-SCALE: the same change of every part.

        ``options`` and fields of the ``recipe`` are set beside those that a part has; every other
        field, such as ``seeds=2``, is set as it is, or to what a function gives for the part.
        Raises whatever the parts raise.
        """
        parts = tuple(
            replace(
                part,
                options=part.options | dict(options or {}),
                recipe=replace(part.recipe, **(recipe or {})),
                **{
                    name: value(part) if callable(value) else value
                    for name, value in changes.items()
                },
            )
            for part in self.parts
        )
        return replace(self, name=f"{self.name}-{scale}", parts=parts)
