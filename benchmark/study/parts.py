"""The parts of a study: which architectures, under which rules, at which rates, by which recipe.

A part is one question: ``Rank`` (does the ranking of architectures survive
when each is trained at its own rate?), ``Depth`` (how does the best rate fall with depth?) and
``Updates`` (how large is one step at initialization?). All are frozen values: the same study is the
same plan on every machine.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import ClassVar, Self

from benchmark import rules
from benchmark.study.architectures import (
    Sampling,
    draw_panel,
    list_rungs,
    sample_ranked,
    sample_rungs,
)
from benchmark.study.limits import (
    check_distinct,
    check_largest_depth,
    check_most,
    check_replicas,
    check_sample,
)
from benchmark.study.rates import LAST_EPOCH, Criterion, convert_rates
from benchmark.study.recipe import PLAIN_SGD, Recipe
from benchmark.study.strict_types import convert_value
from benchmark.study.unit import Scalar
from search_spaces.errors import InvalidInput
from search_spaces.registry import create, identify_options, option_types
from search_spaces.space import SearchSpace


@dataclass(frozen=True, kw_only=True)
class Part:
    """What every part says: a space, rules, seeds (0 to ``seeds - 1``), a recipe and a data set.

    A ``Rule`` of the caller's own may stand in ``rules`` for its name, and is kept by name.
    ``judged`` is False where a part is too small to answer, as its power check says
    (``python jobs/NAME.py --power``): its measures are reported without verdicts.
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
    judged: bool = True

    def __post_init__(self) -> None:
        object.__setattr__(
            self, "judged", convert_value(f"part {self.name}: field judged", bool, self.judged)
        )
        object.__setattr__(self, "options", convert_options(self))
        for name, value in self.options.items():
            if isinstance(value, int):
                check_most(self.name, name, value)
        _ = self.search_space  # raises for an unknown space or option
        object.__setattr__(self, "rules", tuple(rules.rule(each).name for each in self.rules))
        if not self.rules:
            raise InvalidInput(f"part {self.name}: field rules is empty; name at least one rule")
        if self.seeds < 1:
            raise InvalidInput(f"part {self.name}: field seeds={self.seeds}; use 1 or more")
        check_most(self.name, "seeds", self.seeds)
        check_replicas(self.name, len(self.rules), 1, self.seeds)

    @cached_property
    def search_space(self) -> SearchSpace:
        """The space with this part's options."""
        return create(self.space, **self.options)

    @property
    def space_options(self) -> tuple[tuple[str, Scalar], ...]:
        """The options of the space with their values, as units name them."""
        return identify_options(self.space, self.search_space)


@dataclass(frozen=True, kw_only=True)
class Rank(Part):
    """Architectures x rules x seeds, after each rule's constant was tuned on other architectures.

    ``sample`` is the number of architectures (all of them where it is None), drawn with
    ``sample_seed`` and ``sampling`` (``benchmark.study.architectures``). ``rates`` is the grid on
    which every rule but ``default`` gets its constant, by mean validation accuracy over a ``panel``
    of so many architectures: the base alone, or with others that are not ranked. ``constants`` is
    how many constants of a rule are trained at most: where tuning might as well have chosen others
    (``benchmark.analysis.tuning.tuned_constants``), the sample is trained with them too, and
    verdicts count the choice; with 1 they stay open there.
    """

    kind: ClassVar[str] = "rank"
    sample: int | None = None
    sample_seed: int = 0
    sampling: Sampling = "uniform"
    panel: int = 1
    constants: int = 1
    rates: tuple[float, ...]

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "rates", convert_rates(self.name, self.rates))
        convert_value(f"part {self.name}: field sampling", Sampling, self.sampling)
        if self.sample is not None and self.sample < 2:
            raise InvalidInput(f"part {self.name}: field sample={self.sample}; rank at least 2")
        if self.panel < 1:
            raise InvalidInput(f"part {self.name}: field panel={self.panel}; tune on at least 1")
        if self.constants < 1:
            raise InvalidInput(f"part {self.name}: field constants={self.constants}; use 1 or more")
        if self.constants > 1 and self.panel == self.seeds == 1:
            raise InvalidInput(
                f"part {self.name}: field constants={self.constants} with one seed and a panel of "
                "one; give two seeds or a larger panel, which tell what else may be chosen"
            )
        check_sample(self.name, self.sample, self.sample_seed)
        check_most(self.name, "panel", self.panel)
        check_most(self.name, "constants", self.constants)
        check_replicas(self.name, len(self.rules), len(self.rates), self.seeds)

    def architectures(self) -> list[str]:
        """The architectures to rank, in a fixed order."""
        return sample_ranked(self.search_space, self.sample, self.sample_seed, self.sampling)

    def tuning_panel(self) -> list[str]:
        """The architectures on which constants are tuned, the space's base first."""
        return draw_panel(self.search_space, self.architectures(), self.panel, self.sample_seed)


@dataclass(frozen=True, kw_only=True)
class LadderPart(Part):
    """What depth and updates parts share: rungs of ``depths``, at one width or several.

    ``widths`` are the values of the space's option ``width``, the base's first: every depth is then
    a rung at every width, and rules carry the constant of the shallowest rung at the first width to
    all others. Without them there is one width, that of the options.
    """

    depths: tuple[int, ...] = ()
    widths: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.widths:
            check_widths(self)

    def at_widths(self) -> tuple[Self, ...]:
        """The part once per width, each at one width; itself where there is one."""
        if not self.widths:
            return (self,)
        return tuple(
            replace(self, options=self.options | {"width": width}, widths=())
            for width in self.widths
        )

    def architectures(self) -> list[str]:
        """The rungs of one width, shallowest first."""
        return list_rungs(self.search_space, self.depths)


@dataclass(frozen=True, kw_only=True)
class Depth(LadderPart):
    """Rungs x a log grid of rates x seeds, under each rule's own initialization.

    The rungs are those of a ladder at ``depths``, or, in a space that is no ladder, the base
    architecture and ``sample`` others, drawn with ``sample_seed``. ``neighbours`` adds a second
    round: on every rung, the rates half-way to both neighbors of the best. ``transfer`` trains
    every other rung at the rate that each rule predicts for it from the base rung's optimum.
    ``criterion`` says by which loss a rate is the best (``benchmark.study.rates``); the report
    shows the exponents by the other one too.
    """

    kind: ClassVar[str] = "depth"
    rates: tuple[float, ...]
    sample: int | None = None
    sample_seed: int = 0
    neighbours: bool = True
    transfer: bool = True
    criterion: Criterion = LAST_EPOCH

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "rates", convert_rates(self.name, self.rates))
        if len(self.rates) < 2:
            raise InvalidInput(f"part {self.name}: field rates={list(self.rates)}; give 2 or more")
        check_sample(self.name, self.sample, self.sample_seed)
        check_replicas(self.name, len(self.rules), len(self.rates), self.seeds)
        convert_value(f"part {self.name}: field criterion", Criterion, self.criterion)
        if self.sample is None:
            check_depths(self)
        elif self.depths or self.sample < 1:
            raise InvalidInput(
                f"part {self.name}: fields sample={self.sample} and {len(self.depths)} depths; "
                "give a sample of 1 or more, or depths of a ladder, not both"
            )

    def architectures(self) -> list[str]:
        """The rungs of one width, shallowest first."""
        if self.sample is None:
            return super().architectures()
        return sample_rungs(self.search_space, self.sample, self.sample_seed)


@dataclass(frozen=True, kw_only=True)
class Updates(LadderPart):
    """One step at initialization on every rung, under each rule.

    Rows are measured at ``lr = lr_multiplier`` (constant 1): second moments scale as its square, so
    that any constant can be applied afterwards.
    """

    kind: ClassVar[str] = "updates"

    def __post_init__(self) -> None:
        super().__post_init__()
        check_depths(self)


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


def check_depths(part: LadderPart) -> None:
    """Raise ``InvalidInput`` unless there are at least two distinct depths of the ladder."""
    check_distinct(part.name, "depths", part.depths, "give two or more distinct depths")
    if len(part.depths) < 2:
        raise InvalidInput(
            f"part {part.name}: field depths={list(part.depths)}; give two or more distinct depths"
        )
    check_largest_depth(part.name, part.depths)
    part.architectures()


def check_widths(part: LadderPart) -> None:
    """Raise ``InvalidInput`` unless the space has a width and the widths are distinct."""
    field = f"part {part.name}: field widths"
    if "width" not in option_types(part.space):
        raise InvalidInput(f"{field}: space {part.space} has no option width; leave widths out")
    if "width" in part.options:
        raise InvalidInput(f"{field} stands beside the option width; give one of them")
    mend = "give distinct widths, the base's first"
    check_distinct(part.name, "widths", part.widths, mend)
    part.at_widths()
