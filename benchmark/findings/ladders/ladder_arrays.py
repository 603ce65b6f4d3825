"""A depth part as arrays: what was trained together, its optima, its slopes, its predictions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from benchmark.analysis.ladders.optimum import Optimum, find_optima
from benchmark.analysis.ladders.slope import Slope, depth_slope
from benchmark.analysis.ladders.transfer import RungTransfer, Transfer, transfer
from benchmark.findings.arrays import Array, array, first
from search_spaces.conventions import convention
from search_spaces.registry import create

BLOCKS = "am-mup-blocks"


@dataclass(frozen=True)
class Scheme:
    """An initialisation: the rules that share it share their training, mean_DR over seeds.

    ``transfers`` are over every rung but the shallowest, where each rule gets its constant; there
    are none where that rung has no optimum. They are measured where every predicted rate was
    trained, else interpolated. ``slopes`` are the same exponent looked at otherwise, by what is
    different.
    """

    name: str
    rules: tuple[str, ...]
    mean_DR: Array
    optima: tuple[Optimum, ...]
    slope: Slope
    slopes: dict[str, Slope]
    transfers: dict[str, Transfer]


@dataclass(frozen=True)
class Ladder:
    """A depth part's rungs, shallowest first, and the grid on which each was trained."""

    name: str
    rungs: tuple[str, ...]
    depth_D: Array
    rate_R: Array
    chance: float
    schemes: tuple[Scheme, ...]

    @classmethod
    def of(cls, part: Mapping[str, Any], table: pa.Table) -> Ladder:
        """Optima, slopes and transfer of every rule."""
        predicted = table.filter(pc.field("stage") == "transfer")
        table = table.filter(pc.field("stage").isin(["grid", "neighbours"]))
        depth = first(table, "architecture", "effective_depth")
        rungs = tuple(sorted(depth, key=depth.__getitem__))
        depth_D = np.array([depth[rung] for rung in rungs], dtype=np.float64)
        rate_R = np.unique(table["lr"].to_numpy())
        chance = float(table["chance_loss"].drop_null()[0].as_py())
        axes: dict[str, Any] = {"architecture": rungs, "lr": rate_R, "seed": range(part["seeds"])}
        axes_DS = {"architecture": rungs[1:], "seed": range(part["seeds"])}
        shared: dict[tuple[Any, ...], dict[str, pa.Table]] = {}
        for rule in part["rules"]:
            own = table.filter(pc.field("rule") == rule)
            branch = first(own, "architecture", "branch_multiplier")
            scheme = first(own, "architecture", "initialization")
            key = tuple((scheme.get(rung), branch.get(rung)) for rung in rungs)
            shared.setdefault(key, {})[rule] = own
        space, blocks = create(part["space"], **part["options"]), convention(BLOCKS)
        counted = [blocks.statistics(space.topology(rung)).min or 0 for rung in rungs]
        schemes = []
        for named, rules in shared.items():
            # A rung without an addition is He's under every rule, and does not name the scheme.
            name_D = [scheme for scheme, _ in named if scheme]
            name = next((each for each in name_D if not each.startswith("he")), name_D[0])
            loss_DRS = array(next(iter(rules.values())), "train_loss", axes, np.inf)
            rate_DR = np.where(np.isnan(loss_DRS).any(axis=2), np.nan, rate_R)
            optima = find_optima(rate_DR, loss_DRS, chance)
            transfers = {}
            for rule, own in rules.items() if optima[0].usable else ():
                given = first(own, "architecture", "lr_multiplier")
                predicted_D = np.array([given[rung] / given[rungs[0]] for rung in rungs])
                predicted_D *= optima[0].rate
                beyond = (rate_DR[1:], loss_DRS[1:], optima[1:], predicted_D[1:])
                trained = predicted.filter(pc.field("rule") == rule)
                loss_DS = array(trained, "train_loss", axes_DS, np.inf)
                whole = not np.isnan(loss_DS).any()
                transfers[rule] = transfer(*beyond, chance, measured_DS=loss_DS if whole else None)
            slopes = {}
            if min(counted) > 0:
                slopes[f"against {BLOCKS}"] = depth_slope(np.array(counted, dtype=float), optima)
            if np.isinf(loss_DRS).any():
                kept = find_optima(rate_DR, without_diverged(loss_DRS), chance)
                slopes["without diverged replicas"] = depth_slope(depth_D, kept)
            scaled = {branch for _, branch in named} != {1.0}
            schemes.append(
                Scheme(
                    name + ", branch scaled" * scaled,
                    tuple(rules),
                    loss_DRS.mean(axis=2),
                    optima,
                    depth_slope(depth_D, optima),
                    slopes,
                    transfers,
                )
            )
        return cls(part["name"], rungs, depth_D, rate_R, chance, tuple(schemes))

    def optima(self) -> Iterator[tuple[Scheme, int, str, Optimum]]:
        """Scheme, rung's index, rung and its optimum."""
        for scheme in self.schemes:
            for d, (rung, optimum) in enumerate(zip(self.rungs, scheme.optima, strict=True)):
                yield scheme, d, rung, optimum

    def predictions(self) -> Iterator[tuple[str, str, float, Optimum, RungTransfer]]:
        """Rule, rung, effective depth, the rung's optimum and how the rule fares there."""
        for scheme in self.schemes:
            for rule, found in scheme.transfers.items():
                beyond = (self.rungs[1:], self.depth_D[1:].tolist(), scheme.optima[1:])
                for rung, depth, optimum, each in zip(*beyond, found.rungs, strict=True):
                    yield rule, rung, depth, optimum, each


def without_diverged(loss_DRS: Array) -> Array:
    """Diverged replicas replaced by the mean of the rate's other seeds, where there are any."""
    finite_DRS = np.isfinite(loss_DRS)
    total_DR = np.where(finite_DRS, loss_DRS, 0.0).sum(axis=2)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean_DR = total_DR / finite_DRS.sum(axis=2)
    mean_DR[np.isnan(mean_DR)] = np.inf
    return np.where(np.isinf(loss_DRS), mean_DR[..., None], loss_DRS)
