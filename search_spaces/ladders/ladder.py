"""Depth ladders: families of networks that differ in depth alone, with rungs such as resnet-8."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from typing import ClassVar

from search_spaces.errors import InvalidInput
from search_spaces.graph import ArchGraph
from search_spaces.options import draw
from search_spaces.space import Topology

MAX_RUNG = 100_000


class Ladder(ABC):
    """Names of rungs. ``rungs`` are those that ``architectures`` lists; any other depth parses too.
    ``unit`` is what the number of a rung counts ("" where that is not known).

    The default rungs are the depths of arXiv 2510.04327 (3 to 16, then to 30 by twos) with the
    shallow ones before them. The first is the base: one hidden layer or block is the base of
    arXiv 2402.17440 (L = 1), and it trains, which the contract tests show. No paper publishes one
    rate for a ladder; 0.1 stands in for it, as in NATS-Bench.
    """

    name: ClassVar[str]
    unit: ClassVar[str] = "blocks"
    rungs: ClassVar[tuple[int, ...]] = (*range(1, 17), *range(18, 31, 2))

    @property
    def shallowest(self) -> int:
        """The depth of the first rung."""
        return 1

    @property
    def base_architecture(self) -> str:
        """The shallowest rung."""
        return f"{self.name}-{self.shallowest}"

    def architectures(self, sample: int | None = None, seed: int = 0) -> list[str]:
        """The listed rungs, shallow to deep, or a seeded sample of them."""
        rungs = [f"{self.name}-{depth}" for depth in self.rungs if depth >= self.shallowest]
        return draw(rungs, sample, seed)

    def parse(self, text: str) -> str:
        """The rung's official name; raises ``InvalidInput`` for anything else."""
        return f"{self.name}-{self.depth(text)}"

    def canonical(self, architecture: str) -> str:
        """The rung itself: no two rungs are the same function."""
        return self.parse(architecture)

    def graph(self, architecture: str) -> ArchGraph:
        """The whole network."""
        return self.topology(architecture).network

    @abstractmethod
    def topology(self, architecture: str) -> Topology:
        """The graphs of a rung."""

    def depth(self, architecture: str) -> int:
        """The number after the dash; raises ``InvalidInput`` where there is none in range."""
        match = re.fullmatch(rf"{self.name}-([0-9]{{1,9}})", architecture.strip())
        if match is None or not self.shallowest <= int(match[1]) <= MAX_RUNG:
            raise InvalidInput(
                f"{architecture!r} is not a rung of {self.name}; write {self.name}-DEPTH with a "
                f"depth of {self.shallowest} to {MAX_RUNG}, such as {self.name}-8"
            )
        return int(match[1])
