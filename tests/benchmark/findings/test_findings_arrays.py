"""Rows to arrays, against a loop over the rows."""

from __future__ import annotations

import numpy as np
import pyarrow.compute as pc
from support import planted

from benchmark.findings.arrays import arrange_column, read_first
from benchmark.store.results import Results


def test_every_row_stands_where_its_keys_say(helped: str) -> None:
    table = Results.load(helped).table.filter(pc.field("stage") == "grid")
    rungs = sorted(set(table["architecture"].to_pylist()))[:3]
    rates = sorted(set(table["lr"].to_pylist()))
    own = table.filter(pc.field("rule") == "default")
    axes = {"architecture": rungs, "lr": rates, "seed": range(5)}
    found = arrange_column(own, "train_loss", axes, np.inf)
    expected = np.full((3, len(rates), 5), np.nan)
    for row in own.to_pylist():
        if row["architecture"] in rungs:
            place = rungs.index(row["architecture"]), rates.index(row["lr"]), row["seed"]
            expected[place] = np.inf if row["status"] == "diverged" else row["train_loss"]
    np.testing.assert_array_equal(found, expected)
    assert np.isinf(found).any()
    assert np.isnan(found[:, :, 4]).all()


def test_first_keeps_the_order_of_the_table(helped: str) -> None:
    table = Results.load(helped).table.filter(pc.field("part") == "steps")
    depths = read_first(table, "architecture", "effective_depth")
    assert list(depths) == [f"resnet-{depth}" for depth in (2, 4, 8, 16, 32)]
    assert planted.RULES[0] == read_first(table, "architecture", "rule")["resnet-2"]
