"""A unit of work: one architecture with all its replicas, named by what can change its numbers."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from typing import Any, Literal

from benchmark.study import recipe as recipes
from benchmark.study.recipe import Recipe
from search_spaces.registry import create
from search_spaces.space import SearchSpace

Scalar = str | int | float | bool

OUTSIDE = {"dataset_place", "dataset_former"}
"""Fields of a unit that say where its images lie and lay, and do not change its numbers."""


@dataclass(frozen=True, kw_only=True)
class Replica:
    """One rule at one rate and seed: the smallest thing that is trained.

    ``lr = base_lr * lr_multiplier`` for a rule's prediction; on a grid ``lr`` is the grid's rate
    and ``base_lr`` is ``lr / lr_multiplier``. ``convention`` names how the rule counted depth
    (empty where it reads none). ``factors`` multiply the rate, weight decay or AdamW's epsilon of
    one group of parameters (``benchmark.training.rate_groups``), or the variance of the readout's
    weights (``benchmark.training.weights.initialization``).
    """

    rule: str
    rule_version: int
    convention: str
    initialization: str
    branch_multiplier: float
    lr_multiplier: float
    base_lr: float
    lr: float
    seed: int
    factors: tuple[tuple[str, float], ...] = ()

    def __post_init__(self) -> None:
        """Keep whole numbers as floats where a float is declared: equal replicas, equal ids."""
        for name in ("branch_multiplier", "lr_multiplier", "base_lr", "lr"):
            value = getattr(self, name)
            if not isinstance(value, float):
                object.__setattr__(self, name, float(value))
        if not all(isinstance(value, float) for _, value in self.factors):
            factors = tuple((name, float(value)) for name, value in self.factors)
            object.__setattr__(self, "factors", factors)

    @classmethod
    def plain(cls, lr: float, seed: int = 0) -> Replica:
        """He weights at a rate that no rule had a say in."""
        return cls(
            rule="default",
            rule_version=1,
            convention="",
            initialization="he",
            branch_multiplier=1.0,
            lr_multiplier=1.0,
            base_lr=lr,
            lr=lr,
            seed=seed,
        )

    @property
    def training_key(self) -> tuple[object, ...]:
        """What determines the training: replicas that share it are trained once."""
        return (self.initialization, self.branch_multiplier, self.lr, self.seed, self.factors)


@dataclass(frozen=True, kw_only=True)
class Unit:
    """One architecture, every rule, rate and seed at once.

    ``measure`` is ``training`` (train by the recipe) or ``updates`` (one step at initialization,
    second moments of the change of every node).

    ``dataset`` is a label without a path; ``dataset_place`` is the absolute name of the files
    (empty: ``dataset`` names them), and ``dataset_former`` the names and checksums that earlier
    versions put in the ids of the same units. Neither is part of what the unit is.
    """

    measure: Literal["training", "updates"]
    space: str
    space_version: int
    space_options: tuple[tuple[str, Scalar], ...]
    architecture: str
    replicas: tuple[Replica, ...]
    recipe: Recipe
    dataset: str
    dataset_checksum: str
    recipe_version: int = 0
    dataset_place: str = field(default="", compare=False)
    dataset_former: tuple[tuple[str, str], ...] = field(default=(), compare=False)

    def __post_init__(self) -> None:
        if not self.recipe_version:
            object.__setattr__(self, "recipe_version", self.engine_version)

    @property
    def engine_version(self) -> int:
        """The version of this code for such a unit; ``recipe_version`` where none was given."""
        factors = any(replica.factors for replica in self.replicas)
        if self.measure == "updates" and (factors or self.recipe.optimizer == "adamw"):
            return recipes.ONE_STEP_VERSION
        return recipes.VERSION

    @cached_property
    def search_space(self) -> SearchSpace:
        """The space with the unit's options; raises ``InvalidInput`` for an unknown one."""
        return create(self.space, **dict(self.space_options))

    @property
    def canonical(self) -> str:
        """The canonical JSON of every field that can change its numbers: what the id stands for."""
        known = asdict(self) | {"recipe": self.recipe.identity}
        return canonical_json({name: known[name] for name in known if name not in OUTSIDE})

    @cached_property
    def id(self) -> str:
        """sha256 of the canonical JSON (64 hexadecimal digits)."""
        return hashlib.sha256(self.canonical.encode()).hexdigest()

    @property
    def former_ids(self) -> tuple[str, ...]:
        """The ids under which earlier versions stored this unit, most likely first."""
        return tuple(
            replace(self, dataset=name, dataset_checksum=checksum).id
            for name, checksum in self.dataset_former
        )

    @property
    def dataset_name(self) -> str:
        """The name by which this unit's images are read."""
        return self.dataset_place or self.dataset


def canonical_json(value: Any) -> str:
    """JSON with sorted keys and no spaces; raises ``ValueError`` on NaN, which has no JSON form."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
