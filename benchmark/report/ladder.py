"""A depth part as arrays: what was trained together, its optima, slopes and predictions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from benchmark.analysis.optimum import Optimum, find_optima
from benchmark.analysis.slope import Slope, depth_slope
from benchmark.analysis.transfer import RungTransfer, Transfer, transfer
from benchmark.report.arrays import Array, array, first


@dataclass(frozen=True)
class Scheme:
    """Rules that share an initialisation share their training: one loss_DRS, one slope."""

    label: str
    rules: tuple[str, ...]
    color: int
    loss_DRS: Array
    optima: tuple[Optimum, ...]
    slope: Slope

    @property
    def mean_DR(self) -> Array:
        """Mean loss over seeds; infinite where any seed diverged."""
        return np.asarray(self.loss_DRS.mean(axis=2))


@dataclass(frozen=True)
class Ladder:
    """A depth part's rungs, shallowest first, and the grid on which each was trained."""

    name: str
    rungs: tuple[str, ...]
    depth_D: Array
    rate_R: Array
    chance: float
    schemes: tuple[Scheme, ...]
    transfers: dict[str, Transfer]  # over every rung but the shallowest

    @classmethod
    def of(cls, part: Mapping[str, Any], table: pa.Table, colors: Mapping[str, int]) -> Ladder:
        """Optima, slopes and transfer of every rule."""
        depth = first(table, "architecture", "effective_depth")
        rungs = tuple(sorted(depth, key=depth.__getitem__))
        depth_D = np.array([depth[rung] for rung in rungs], dtype=np.float64)
        rate_R = np.unique(table["lr"].to_numpy())
        chance = float(table["chance_loss"].drop_null()[0].as_py())
        axes = {"architecture": rungs, "lr": rate_R, "seed": range(part["seeds"])}
        shared: dict[tuple[Any, ...], list[str]] = {}
        multiplier, trained = {}, {}
        for rule in part["rules"]:
            own = table.filter(pc.field("rule") == rule)
            initialization = own["initialization"][0].as_py()
            branch = first(own, "architecture", "branch_multiplier")
            shared.setdefault((initialization, *map(branch.get, rungs)), []).append(rule)
            given = first(own, "architecture", "lr_multiplier")
            given_D = np.array([given[rung] for rung in rungs])
            multiplier[rule] = given_D / given_D[0]
            trained[rule] = array(own, "train_loss", axes, np.inf)
        schemes, transfers = [], {}
        for (initialization, *branch_D), rules in shared.items():
            loss_DRS = trained[rules[0]]
            rate_DR = np.where(np.isnan(loss_DRS).any(axis=2), np.nan, rate_R)
            optima = find_optima(rate_DR, loss_DRS, chance)
            label = initialization + (", branch scaled" if set(branch_D) != {1.0} else "")
            slope = depth_slope(depth_D, optima)
            schemes.append(Scheme(label, tuple(rules), colors[rules[0]], loss_DRS, optima, slope))
            if optima[0].usable:
                for rule in rules:
                    predicted_D = optima[0].rate * multiplier[rule]
                    transfers[rule] = transfer(  # the base rung is right by construction
                        rate_DR[1:], loss_DRS[1:], optima[1:], predicted_D[1:], chance
                    )
        return cls(part["name"], rungs, depth_D, rate_R, chance, tuple(schemes), transfers)

    def predictions(self) -> Iterator[tuple[str, str, float, Optimum, RungTransfer]]:
        """Rule, rung, effective depth, the rung's optimum and how the rule fares there."""
        for scheme in self.schemes:
            for rule in scheme.rules:
                found = self.transfers[rule].rungs if rule in self.transfers else ()
                rungs = zip(
                    self.rungs[1:], self.depth_D[1:], scheme.optima[1:], found, strict=False
                )
                for rung, depth, optimum, each in rungs:
                    yield rule, rung, float(depth), optimum, each
