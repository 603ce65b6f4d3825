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

    ``initialization`` names a scheme of ``benchmark.initialization``; ``branch_multiplier`` scales
    every residual branch in the forward pass; ``lr_multiplier`` is the rate relative to the base
    architecture's.
    """

    initialization: str
    branch_multiplier: float
    lr_multiplier: float


@dataclass(frozen=True)
class Reading:
    """What a rule reads of one architecture: path lengths under its convention, and the kernel."""

    paths: PathStatistics
    kernel: int
    residual_blocks: int

    @classmethod
    def of(cls, topology: Topology, convention: str) -> Reading:
        """Count a topology's paths under a convention (``""``: the rule reads no paths)."""
        paths = (
            conventions.convention(convention).statistics(topology)
            if convention
            else PathStatistics.empty()
        )
        return cls(paths, topology.kernel, topology.residual_blocks)


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A published way to choose the rate, or a baseline.

    ``prescribe(target, base)`` is a pure function of two readings. ``conventions`` maps a space's
    name to the convention read there, ``"*"`` standing for all others. ``tuned`` says whether the
    constant comes from the base architecture; only ``default`` keeps the published rate.
    ``version`` is raised whenever the numbers change.
    """

    name: str
    version: int
    source: str
    formula: str
    prescribe: Callable[[Reading, Reading], Bundle]
    conventions: Mapping[str, str] = field(default_factory=dict)
    tuned: bool = True

    def convention(self, space: str) -> str:
        """The convention this rule reads on a space; empty where it reads none."""
        return self.conventions.get(space, self.conventions.get("*", ""))

    def bundle(self, target: Reading, base: Reading) -> Bundle:
        """The prescription for ``target`` where ``base`` is the architecture that was tuned.

        Without an addition every in-degree is 1 and there is no branch, so each scheme is He's:
        it is named so, and rules that then train the same network train it once.
        """
        bundle = self.prescribe(target, base)
        return bundle if target.residual_blocks else replace(bundle, initialization="he")


@dataclass(frozen=True, kw_only=True)
class Control(Rule):
    """A rule of the whole population, made from another rule's prescriptions (``of``)."""

    of: str
    deal: Callable[[list[Bundle | None]], list[Bundle | None]]
