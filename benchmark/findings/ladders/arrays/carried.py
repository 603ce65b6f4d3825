"""Each rule carried along the ladder: its rates, its losses and its regret."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from benchmark.analysis.intervals import Array
from benchmark.analysis.ladders.optimum import Optimum
from benchmark.analysis.regret.rechosen_rate import RechosenRegret
from benchmark.analysis.regret.transfer import Transfer, measure_transfer
from benchmark.findings.arrays import arrange_column, arrange_rates
from benchmark.findings.ladders.arrays.losses import (
    LadderLosses,
    RuleLosses,
    gives_constant,
    read_losses,
    rechoose,
)
from benchmark.study.rates import LOSS_COLUMNS

if TYPE_CHECKING:
    from benchmark.findings.ladders.arrays.ladder_arrays import DepthArrays


class Carried(NamedTuple):
    """One rule along the ladder: its rates and regret, losses, and regret with another base.

    Without an optimum on the base rung it has losses alone.
    """

    transfer: Transfer | None
    losses: RuleLosses | None
    rechosen: RechosenRegret | None


def measure_transfers(
    ladder: DepthArrays,
    curves: tuple[Array, Array, Sequence[Optimum]],
    rules: Mapping[str, pa.Table],
    predicted: pa.Table,
    seeds: Sequence[int],
) -> Iterator[tuple[str, Carried]]:
    """Each rule over the rungs beyond the shallowest, whose optimum gives it its constant.

    The constant is the one that was trained, where that is: stored networks keep the rate that was
    found when they were planned.
    """
    rate_DR, loss_DRS, optima = curves
    rungs = ladder.rungs
    if len(rungs) < 2 or not gives_constant(optima[0], rate_DR[0]):
        return
    axes: dict[str, Any] = {"architecture": rungs[1:], "seed": seeds}
    for rule, own in rules.items():
        given_DS = arrange_rates(own, rungs, seeds)
        multiplier_DS = given_DS / given_DS[0]
        trained = predicted.filter(pc.field("rule") == rule)
        loss_DS = arrange_column(trained, LOSS_COLUMNS[ladder.criterion], axes, np.inf)
        measured_DS = None if np.isnan(loss_DS).any() else loss_DS
        base = optima[0]
        if measured_DS is not None:
            rate_DS = arrange_rates(trained, rungs[1:], seeds, "lr")
            base = replace(base, rate=float((rate_DS / multiplier_DS[1:])[0, 0]))
        whole = LadderLosses(rate_DR, loss_DRS, (base, *optima[1:]), ladder.chance)
        losses = read_losses(whole, multiplier_DS, measured_DS)
        transfer = None
        if base.usable:
            predicted_DS = multiplier_DS[1:] * base.rate
            beyond = (rate_DR[1:], loss_DRS[1:], optima[1:], predicted_DS, ladder.chance)
            transfer = measure_transfer(*beyond, measured_DS=measured_DS, base=base)
        yield rule, Carried(transfer, losses, rechoose(whole, multiplier_DS, measured_DS))
