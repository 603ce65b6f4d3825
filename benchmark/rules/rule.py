"""What a rule is, and what it may read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from search_spaces import conventions
from search_spaces.paths import PathStatistics
from search_spaces.space import Topology


@dataclass(frozen=True)
class Bundle:
    """What a rule prescribes for one architecture.

    ``initialization`` names a scheme of ``benchmark.training.initialization``;
    ``branch_multiplier`` scales every residual branch in the forward pass; ``lr_multiplier`` is the
    rate relative to the base architecture's, and ``factors`` multiply it for one group of
    parameters, or multiply AdamW's epsilon (``benchmark.training.optimizer.Group``).
    """

    initialization: str
    branch_multiplier: float
    lr_multiplier: float
    factors: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True)
class Reading:
    """What a rule reads of one architecture: path lengths under its convention, kernel side q,
    residual additions K, width n; and the optimiser, for the rules that differ by it."""

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


Form = Callable[[Bundle, Reading], Bundle]


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A published way to choose the rate, or a baseline.

    ``prescribe(target, base)`` is a pure function of two readings. ``conventions`` maps a space's
    name to the convention read there, ``"*"`` standing for all others. ``tuned`` says whether the
    constant comes from the base architecture; only ``default`` keeps the published rate.
    ``measured`` says that the plan multiplies the rate by a measurement at initialisation.
    ``optimizers`` are those the rule is stated for. ``forms`` are applied to what is prescribed
    (``benchmark.rules.forms``). ``version`` is raised whenever the numbers change.
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

    def convention(self, space: str) -> str:
        """The convention this rule reads on a space; empty where it reads none."""
        return self.conventions.get(space, self.conventions.get("*", ""))

    def bundle(self, target: Reading, base: Reading) -> Bundle:
        """The prescription for ``target`` where ``base`` is the architecture that was tuned.

        Without an addition every in-degree is 1 and there is no branch, so each scheme is He's:
        it is named so, and rules that then train the same network train it once.
        """
        bundle = self.prescribe(target, base)
        if not target.residual_blocks:
            _, plus, readout = bundle.initialization.partition("+")
            bundle = replace(bundle, initialization=f"he{plus}{readout}", branch_multiplier=1.0)
        for form in self.forms:
            bundle = form(bundle, target)
        return bundle


@dataclass(frozen=True, kw_only=True)
class Control(Rule):
    """A rule of the whole population, made from another rule's prescriptions (``of``)."""

    of: str
    deal: Callable[[list[Bundle | None]], list[Bundle | None]]
