"""What a rule is, and what it may read."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from search_spaces import conventions
from search_spaces.errors import InvalidInput
from search_spaces.paths import PathStatistics
from search_spaces.space import Topology

Factors = tuple[tuple[str, float], ...]
"""Multipliers by name: ``GROUP`` of the rate of a group of parameters, ``GROUP-decay`` of its
weight decay and ``GROUP-epsilon`` of AdamW's epsilon (``benchmark.training.rate_groups``),
``epsilon`` of AdamW's epsilon everywhere, ``readout-variance`` of the variance of the readout's
weights."""


class UndefinedRule(InvalidInput):
    """A rule has no number for a network, or for the one that was tuned."""


Rate = tuple[float, Factors]
"""A multiplier of the rate, and its factors by group."""


@dataclass(frozen=True)
class Bundle:
    """What a rule prescribes for one architecture.

    ``initialization`` names a scheme of ``benchmark.training.weights.variances``;
    ``branch_multiplier`` scales every residual branch in the forward pass; ``lr_multiplier`` is the
    rate relative to the base architecture's, and ``factors`` multiply it for one group of
    parameters. ``by_seed`` is there where every seed is dealt a rate of its own: read it through
    ``for_seed``.
    """

    initialization: str
    branch_multiplier: float
    lr_multiplier: float
    factors: Factors = ()
    by_seed: tuple[Rate, ...] = ()

    @property
    def rate(self) -> Rate:
        """The multiplier of the rate, and its factors."""
        return self.lr_multiplier, self.factors

    def for_seed(self, seed: int) -> Bundle:
        """What a replica of this seed gets; raises ``IndexError`` beyond the seeds dealt to."""
        if not self.by_seed:
            return self
        multiplier, factors = self.by_seed[seed]
        return replace(self, lr_multiplier=multiplier, factors=factors, by_seed=())


def drop_ones(factors: Mapping[str, float]) -> Factors:
    """Factors in alphabetical order, without those that are 1."""
    return tuple(sorted((name, factor) for name, factor in factors.items() if factor != 1))


def multiply_factors(one: Factors, other: Factors) -> Factors:
    """The factors of two rules that act together."""
    product = dict(one)
    for name, factor in other:
        product[name] = product.get(name, 1.0) * factor
    return drop_ones(product)


@dataclass(frozen=True)
class Reading:
    """What a rule reads of one architecture: path lengths under its convention, kernel side q,
    residual additions K, width n; and the optimizer, for the rules that differ by it."""

    paths: PathStatistics
    kernel: int
    residual_blocks: int
    width: int
    optimizer: str

    @classmethod
    def of(cls, topology: Topology, convention: str, optimizer: str = "sgd") -> Reading:
        """Count a topology's paths under a convention (``""``: the rule reads no paths)."""
        paths = (
            conventions.convention(convention).statistics(topology)
            if convention
            else PathStatistics.empty()
        )
        return cls(paths, topology.kernel, topology.residual_blocks, topology.width, optimizer)

    def depth_ratio(self, base: Reading) -> float:
        """m_L, the shortest path relative to the base's; raises ``ValueError`` without a path."""
        if self.paths.min is None or base.paths.min is None:
            raise ValueError("depth is undefined without an input-output path")
        return self.paths.min / base.paths.min

    def block_ratio(self, base: Reading) -> float:
        """m_L = K / K_base in residual additions, a chain counting as 1."""
        return max(1, self.residual_blocks) / max(1, base.residual_blocks)

    def width_ratio(self, base: Reading) -> float:
        """m_N = n / n_base."""
        return self.width / base.width


@dataclass(frozen=True, kw_only=True)
class Form:
    """A variant of rules, written ``RULE:FORM``: ``apply`` changes what the rule prescribed.

    ``of`` are the rules that it is stated for (empty: all). ``version`` is raised whenever the
    same name comes to mean other numbers, and ``earlier`` says what a version used to mean.
    ``rated`` says whether the rule's own rates stay. ``conventions`` are read in place of the
    rule's own, by space.
    """

    apply: Callable[[Bundle, Reading], Bundle]
    of: tuple[str, ...] = ()
    version: int = 1
    rated: bool = True
    conventions: Mapping[str, str] = field(default_factory=dict)
    earlier: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A published way to choose the rate, or a baseline.

    ``prescribe(target, base)`` is a pure function of two readings. ``conventions`` maps a space's
    name to the convention read there, ``"*"`` standing for all others. ``tuned`` says whether the
    constant comes from the base architecture; only ``default`` keeps the published rate.
    ``measured`` says that the plan multiplies the rate by a measurement at initialization.
    ``optimizers`` are those the rule is stated for. ``forms`` are applied to what is prescribed
    (``grammar.forms``). ``reads_width`` marks rules that state how rates follow width.
    ``version`` is raised whenever the numbers change, ``versions`` are those of the optimizers
    whose numbers changed alone, and ``earlier`` says what a former version's numbers meant.
    """

    name: str
    version: int
    source: str
    formula: str
    prescribe: Callable[[Reading, Reading], Bundle]
    conventions: Mapping[str, str] = field(default_factory=dict)
    tuned: bool = True
    measured: bool = False
    optimizers: tuple[str, ...] = ("sgd", "adamw")
    forms: tuple[Form, ...] = ()
    reads_width: bool = False
    versions: Mapping[str, int] = field(default_factory=dict)
    earlier: Mapping[int, str] = field(default_factory=dict)

    def convention(self, space: str) -> str:
        """The convention this rule reads on a space; empty where it reads none."""
        return self.conventions.get(space, self.conventions.get("*", ""))

    def version_for(self, optimizer: str) -> int:
        """The version of this rule's numbers under an optimizer, its forms' among them."""
        own = self.versions.get(optimizer, self.version)
        return own + sum(form.version - 1 for form in self.forms)

    def formula_at(self, version: int) -> str:
        """The formula that rows of this version were computed by."""
        told = [self.earlier.get(version, self.formula)]
        told += [form.earlier[version] for form in self.forms if version in form.earlier]
        return "; ".join(told)

    def bundle(self, target: Reading, base: Reading) -> Bundle:
        """The prescription for ``target`` where ``base`` is the architecture that was tuned.

        Without an addition every in-degree is 1 and there is no branch, so each scheme is He's:
        it is named so, and rules that then train the same network train it once. Raises
        ``UndefinedRule`` where what it counts is 0 or has no value.
        """
        try:
            bundle = self.prescribe(target, base)
        except (ArithmeticError, ValueError) as error:
            reason = str(error) if type(error) is ValueError else "what it counts there is 0"
            raise UndefinedRule(
                f"rule {self.name!r} is undefined for this network or its base: {reason}; leave it "
                "out"
            ) from error
        if not target.residual_blocks:
            _, plus, readout = bundle.initialization.partition("+")
            bundle = replace(bundle, initialization=f"he{plus}{readout}", branch_multiplier=1.0)
        for form in self.forms:
            bundle = form.apply(bundle, target)
        return bundle


@dataclass(frozen=True, kw_only=True)
class Control(Rule):
    """A rule of the whole population, made from another rule's prescriptions (``of``).

    ``deal(rates, seed)`` gives every architecture a rate again. Where ``seed`` is set, all seeds
    share that one deal; where it is None, every seed is dealt anew, and the base architecture,
    whose constant was tuned, keeps its own rate. ``placebo`` marks the control that keeps the set
    of rates and cuts their link to the architectures.
    """

    of: str
    deal: Callable[[Sequence[Rate], int], list[Rate]]
    placebo: bool
    seed: int | None

    def dealt(
        self, population: Sequence[Bundle | None], fixed: Sequence[bool], seeds: int
    ) -> list[Bundle | None]:
        """The population with rates dealt; ``fixed`` marks the base, ``seeds`` counts from 0."""
        if self.seed is not None:
            rates = self.deal([bundle.rate for bundle in population if bundle], self.seed)
            once = iter(rates)
            return [bundle and with_rate(bundle, next(once)) for bundle in population]
        free = [bool(bundle) and not held for bundle, held in zip(population, fixed, strict=True)]
        own = [b.rate for b, each in zip(population, free, strict=True) if b and each]
        deals = iter(zip(*(self.deal(own, seed) for seed in range(seeds)), strict=True))
        return [
            replace(bundle, by_seed=next(deals)) if bundle and each else bundle
            for bundle, each in zip(population, free, strict=True)
        ]


def with_rate(bundle: Bundle, rate: Rate) -> Bundle:
    """The same initialization and branches at another rate."""
    return replace(bundle, lr_multiplier=rate[0], factors=rate[1])
