"""The second moments that one step left on every rung, rule by rule.

Shapes: D rungs, L layers, S seeds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from benchmark.analysis.intervals import Array
from search_spaces.conventions import convention
from search_spaces.registry import create


@dataclass(frozen=True)
class RuleUpdates:
    """One rule's rungs that were measured, and their second moments at rate 1, layers x seeds.

    ``rates`` has each rung's rate, one for every seed that was measured, and ``seeds`` names those.
    """

    rule: str
    rungs: tuple[str, ...]
    depth_D: Array
    rates: tuple[Array, ...]
    moments: tuple[Array, ...]
    seeds: tuple[Array, ...]

    @property
    def suffices(self) -> bool:
        """Whether an exponent can be fitted."""
        return len(np.unique(self.depth_D)) >= 3

    @property
    def paired(self) -> list[Array]:
        """The moments of those seeds that were measured on every rung."""
        common_S = reduce(np.intersect1d, self.seeds)
        return [
            moment_LS[:, np.isin(seed_S, common_S)]
            for moment_LS, seed_S in zip(self.moments, self.seeds, strict=True)
        ]

    @property
    def taken(self) -> list[Array]:
        """The paired moments at the rule's own rates."""
        common_S = reduce(np.intersect1d, self.seeds)
        return [
            moment_LS * rate_S[np.isin(seed_S, common_S)] ** 2
            for moment_LS, rate_S, seed_S in zip(self.paired, self.rates, self.seeds, strict=True)
        ]


class RungMoments(NamedTuple):
    """A rung's moments as measured, layers x seeds, and the rate and the name of each seed."""

    moment_LS: Array
    rate_S: Array
    seed_S: Array


def read_updates(own: pa.Table, rule: str, depth: Mapping[str, float]) -> RuleUpdates:
    """A rule's measured rungs, the shallowest first."""
    ordered = sorted(depth, key=depth.__getitem__)
    found = {rung: read_moments(own, rung) for rung in ordered}
    kept = {rung: each for rung, each in found.items() if each.moment_LS.size}
    return RuleUpdates(
        rule,
        tuple(kept),
        np.array([depth[rung] for rung in kept], dtype=np.float64),
        tuple(each.rate_S for each in kept.values()),
        tuple(each.moment_LS / each.rate_S**2 for each in kept.values()),
        tuple(each.seed_S for each in kept.values()),
    )


def read_moments(table: pa.Table, rung: str) -> RungMoments:
    """A rung's second moments; seeds that overflowed or moved nothing are left out, as diverged
    ones are."""
    own = table.filter((pc.field("architecture") == rung) & (pc.field("status") == "done"))
    moments = [np.array(seed, dtype=np.float64) for seed in own["update_moments"].to_pylist()]
    rate_S = own["lr_multiplier"].to_numpy(zero_copy_only=False)
    kept = [
        s for s, moment_L in enumerate(moments) if np.isfinite(moment_L).all() if moment_L.any()
    ]
    if not kept:
        return RungMoments(np.empty((0, 0)), np.empty(0), np.empty(0))
    return RungMoments(
        np.stack([moments[s] for s in kept], axis=1),
        rate_S[kept].astype(np.float64),
        own["seed"].to_numpy(zero_copy_only=False)[kept],
    )


class Chain(NamedTuple):
    """Networks without an addition, whose moments are products over layers: the number of layers
    by rung, and the least width."""

    layers: Mapping[str, int]
    width: int

    def layers_of(self, rungs: Sequence[str]) -> Array:
        """The number of layers of these rungs."""
        return np.array([self.layers[rung] for rung in rungs], dtype=np.float64)


def find_chain(part: Mapping[str, Any], rungs: Sequence[str]) -> Chain | None:
    """The chains that the rungs are; None where additions keep the tails of moments light."""
    space = create(part["space"], **part["options"])
    topologies = [space.topology(rung) for rung in rungs]
    if any(topology.network.additions for topology in topologies):
        return None
    layers = convention("am-mup-blocks")
    return Chain(
        {r: layers.statistics(t).min or 0 for r, t in zip(rungs, topologies, strict=True)},
        min(topology.width for topology in topologies),
    )
