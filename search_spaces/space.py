"""What a search space is: architectures with names, graphs and networks.

Only ``build`` needs torch, which takes seconds to import: spaces import their modules there, and
names, graphs, rules and stored results are read without it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from search_spaces.graph import ArchGraph

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True, eq=False)
class Topology:
    """What rules and conventions read of one architecture.

    ``cell`` is the repeated part where the space has one (NAS-Bench-201, the DAGs), else the whole
    network. ``network`` is everything from the image to the logits. ``residual_blocks`` is K, the
    number of residual additions that initializations divide by (0 on plain chains); ``width`` the
    number of hidden channels n; ``kernel`` the kernel side q of the body.
    """

    cell: ArchGraph
    network: ArchGraph
    residual_blocks: int
    width: int
    kernel: int = 3
    shape: str = field(default="", repr=False)

    @property
    def trainable(self) -> bool:
        """Whether any path joins the image to the logits."""
        return self.cell.connected and self.network.connected


class SearchSpace(Protocol):
    """A family of architectures: names, graphs and networks.

    Implementations are frozen dataclasses; their fields are the space's options (width,
    activation, ...), and belong to the identity of every result.
    """

    @property
    def name(self) -> str:
        """The registry's name, such as ``nasbench201``."""
        ...

    @property
    def version(self) -> int:
        """Raised whenever the same architecture name would train to other numbers."""
        ...

    @property
    def base_architecture(self) -> str:
        """The shallowest architecture that trains: where every rule gets its constant."""
        ...

    @property
    def published_rate(self) -> float:
        """The rate of the space's published recipe, which the rule ``default`` uses."""
        ...

    def architectures(self, sample: int | None = None, seed: int = 0) -> list[str]:
        """All architecture names in official order, or a seeded sample of that many."""
        ...

    def parse(self, text: str) -> str:
        """The official name of what a person wrote; raises ``InvalidInput`` with the mend."""
        ...

    def canonical(self, architecture: str) -> str:
        """The representative of the architectures that are the same function of the same weights.

        All of a class have the same depth under every convention and the same in-degrees.
        """
        ...

    def graph(self, architecture: str) -> ArchGraph:
        """The part that tells architectures apart, with every operation as it is."""
        ...

    def topology(self, architecture: str) -> Topology:
        """The graphs of an architecture; equal graphs share one object, so callers may cache."""
        ...

    def build(
        self,
        architecture: str,
        replicas: int,
        in_shape: tuple[int, int, int] = (3, 32, 32),
        classes: int = 10,
    ) -> nn.Module:
        """A network of ``replicas`` copies; see ``search_spaces.layers`` for tensor layouts.

        ``in_shape`` is (channels, height, width). The module maps x_BKHW, with K = replicas x
        channels, to logits_RBC. Weighted layers carry their fan-in, in-degrees and branch flag,
        which ``benchmark.training.weights.initialization`` reads.
        """
        ...


@dataclass(frozen=True)
class RuleTerms:
    """What a rule's rate for one architecture holds with.

    ``initialization`` is a scheme's name, ``branch_multiplier`` scales every residual branch, and
    ``factors`` multiply the rate of single groups of parameters.
    """

    initialization: str
    branch_multiplier: float
    factors: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True)
class RuleColumn:
    """One rule's rate multipliers for a list of architectures (None: untrainable).

    What the entry points of the group ``search_spaces.rules`` return, by rule name. ``optimizer``
    is the one the multipliers are for, and ``terms`` (empty: not told) say per architecture what
    else the rule prescribes.
    """

    convention: str
    multipliers: list[float | None]
    optimizer: str = ""
    terms: list[RuleTerms | None] = field(default_factory=list)
