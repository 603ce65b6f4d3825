"""A study: which architectures, under which rules, at which rates and seeds, by which recipe.

A study has parts, and a part is one question: ``Rank`` (does the ranking of architectures survive
when each is trained at its own rate?), ``Depth`` (how does the best rate fall with depth?) and
``Updates`` (how large is one step at initialisation?). All are frozen values: the same study is the
same plan on every machine.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import pairwise
from typing import Annotated, Any, ClassVar

import numpy as np
from pydantic import Strict

from benchmark import rules
from benchmark.study.recipe import PLAIN_SGD, Recipe
from benchmark.study.strict_types import Float, convert_value
from benchmark.study.unit import Scalar
from search_spaces import conventions
from search_spaces.errors import InvalidInput
from search_spaces.registry import create, option_types
from search_spaces.space import SearchSpace


def rate_grid(low: float, high: float, count: int) -> tuple[float, ...]:
    """``count`` learning rates from ``low`` to ``high``, evenly spaced in log rate."""
    return tuple(float(f"{rate:.6g}") for rate in np.geomspace(low, high, count))


@dataclass(frozen=True, kw_only=True)
class Part:
    """What every part says: a space, rules, seeds (0 to ``seeds - 1``), a recipe and a data set.

    Options and rates are kept as the type that their field declares: ``dropout=0`` is 0.0, so that
    equal parts plan units of equal ids. Raises ``InvalidInput`` for an unknown space, option or
    rule, for an option or rate of another type and for empty or improper grids.
    """

    kind: ClassVar[str]
    name: str
    space: str
    options: dict[str, Scalar] = field(default_factory=dict)
    rules: tuple[str, ...]
    seeds: int = 2
    dataset: str = "digits"
    recipe: Recipe = PLAIN_SGD

    def __post_init__(self) -> None:
        object.__setattr__(self, "options", convert_options(self))
        _ = self.search_space  # raises for an unknown space or option
        for name in self.rules:
            rules.rule(name)
        if not self.rules:
            raise InvalidInput(f"part {self.name}: field rules is empty; name at least one rule")
        if self.seeds < 1:
            raise InvalidInput(f"part {self.name}: field seeds={self.seeds}; use 1 or more")

    @cached_property
    def search_space(self) -> SearchSpace:
        """The space with this part's options."""
        return create(self.space, **self.options)


@dataclass(frozen=True, kw_only=True)
class Rank(Part):
    """Architectures x rules x seeds, after each rule's constant was tuned on the base architecture.

    ``sample`` is the number of architectures (all of them where it is None), drawn with
    ``sample_seed`` and stratified over the space's rate classes where it has them. ``rates`` is the
    grid on which every rule but ``default`` gets its constant, by mean validation accuracy.
    """

    kind: ClassVar[str] = "rank"
    sample: int | None = None
    sample_seed: int = 0
    rates: tuple[float, ...]

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "rates", convert_rates(self.name, self.rates))
        if self.sample is not None and self.sample < 2:
            raise InvalidInput(f"part {self.name}: field sample={self.sample}; rank at least 2")

    def architectures(self) -> list[str]:
        """The architectures to rank, in a fixed order."""
        space = self.search_space
        stratified = getattr(space, "stratified", None)
        if self.sample is not None and stratified is not None:
            return list(stratified(self.sample, self.sample_seed))
        return space.architectures(self.sample, self.sample_seed)


@dataclass(frozen=True, kw_only=True)
class Depth(Part):
    """Rungs x a log grid of rates x seeds, under each rule's own initialisation.

    The rungs are those of a ladder at ``depths``, or, in a space that is no ladder, the base
    architecture and ``sample`` others, drawn with ``sample_seed``. ``neighbours`` adds a second
    round: on every rung, the rates half-way to both neighbours of the best. ``transfer`` trains
    every other rung at the rate that each rule predicts for it from the shallowest's optimum.
    """

    kind: ClassVar[str] = "depth"
    depths: tuple[int, ...] = ()
    rates: tuple[float, ...]
    sample: int | None = None
    sample_seed: int = 0
    neighbours: bool = True
    transfer: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "rates", convert_rates(self.name, self.rates))
        if len(self.rates) < 2:
            raise InvalidInput(f"part {self.name}: field rates={list(self.rates)}; give 2 or more")
        if self.sample is None:
            check_depths(self)
        elif self.depths or self.sample < 1:
            raise InvalidInput(
                f"part {self.name}: fields sample={self.sample} and depths={list(self.depths)}; "
                "give a sample of 1 or more, or depths of a ladder, not both"
            )

    def architectures(self) -> list[str]:
        """The rungs, shallowest first."""
        if self.sample is None:
            return rungs(self)
        return sampled(self.search_space, self.sample, self.sample_seed)


@dataclass(frozen=True, kw_only=True)
class Updates(Part):
    """One step at initialisation on every rung, under each rule.

    Rows are measured at ``lr = lr_multiplier`` (constant 1): second moments scale as its square, so
    that any constant can be applied afterwards.
    """

    kind: ClassVar[str] = "updates"
    depths: tuple[int, ...]

    def __post_init__(self) -> None:
        super().__post_init__()
        check_depths(self)

    def architectures(self) -> list[str]:
        """The rungs, shallowest first."""
        return rungs(self)


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
        field, such as ``seeds=2``, is set as it is. Raises whatever the parts raise.
        """
        parts = tuple(
            replace(
                part,
                options=part.options | dict(options or {}),
                recipe=replace(part.recipe, **(recipe or {})),
                **changes,
            )
            for part in self.parts
        )
        return replace(self, name=f"{self.name}-{scale}", parts=parts)


def rungs(part: Depth | Updates) -> list[str]:
    """The official names of a ladder's rungs at the part's depths."""
    space = part.search_space
    return [space.parse(f"{part.space}-{depth}") for depth in sorted(part.depths)]


def sampled(space: SearchSpace, sample: int, seed: int) -> list[str]:
    """The base architecture and ``sample`` others drawn uniformly, by rising effective depth.

    All can be trained and no two are the same function; the base comes first among equal depths.
    Raises ``InvalidInput`` where there are fewer.
    """
    count = conventions.convention("wu2026-layers-and-additions").statistics
    everything = space.architectures()
    found = {space.canonical(space.base_architecture): space.base_architecture}
    for architecture in random.Random(seed).sample(everything, len(everything)):
        if len(found) > sample:
            break
        if space.topology(architecture).trainable:
            found.setdefault(space.canonical(architecture), architecture)
    if len(found) <= sample:
        raise InvalidInput(f"field sample={sample} is more than the {len(found) - 1} there are")
    return sorted(found.values(), key=lambda each: count(space.topology(each)).min or 0)


def convert_options(part: Part) -> dict[str, Scalar]:
    """The part's options as the types that its space declares.

    Raises ``InvalidInput`` for an unknown space and an option of another type; an unknown option
    stays, for the space to refuse.
    """
    types = option_types(part.space)
    return {
        name: convert_value(f"part {part.name}: option {name}", types[name], value)
        if name in types
        else value
        for name, value in part.options.items()
    }


def convert_rates(name: str, rates: tuple[float, ...]) -> tuple[float, ...]:
    """The rates as floats; raises ``InvalidInput`` unless they are positive, finite and rising."""
    kind = Annotated[tuple[Float, ...], Strict(False)]
    found: tuple[float, ...] = convert_value(f"part {name}: field rates", kind, rates)
    if not found or found[0] <= 0 or not all(low < high for low, high in pairwise(found)):
        raise InvalidInput(f"part {name}: field rates={list(found)}; give rising positive rates")
    return found


def check_depths(part: Depth | Updates) -> None:
    """Raise ``InvalidInput`` unless there are at least two distinct depths of the ladder."""
    if len(set(part.depths)) != len(part.depths) or len(part.depths) < 2:
        raise InvalidInput(
            f"part {part.name}: field depths={list(part.depths)}; give two or more distinct depths"
        )
    part.architectures()
