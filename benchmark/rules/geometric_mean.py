"""``geometric-mean``: one rate for all, the geometric mean of path-cubed's rates."""

import math
from dataclasses import replace

from benchmark.rules.path_cubed import RULE as PATH_CUBED
from benchmark.rules.rule import Bundle, Control


def deal(population: list[Bundle | None]) -> list[Bundle | None]:
    """Give every trainable architecture the same rate, as large on average as path-cubed's.

    What this control gains, path-cubed gains by its average rate and not by following the
    architecture.
    """
    logs = [math.log(bundle.lr_multiplier) for bundle in population if bundle]
    rate = math.exp(math.fsum(logs) / len(logs)) if logs else 1.0
    return [bundle and replace(bundle, lr_multiplier=rate) for bundle in population]


RULE = Control(
    name="geometric-mean",
    version=1,
    source="control of this suite",
    formula="eta = the geometric mean of path-cubed's rates over the sample",
    prescribe=PATH_CUBED.prescribe,
    conventions=PATH_CUBED.conventions,
    of="path-cubed",
    deal=deal,
)
