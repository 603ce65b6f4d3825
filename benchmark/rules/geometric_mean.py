"""``geometric-mean``: one rate for all, the geometric mean of a rule's rates."""

import math
from collections.abc import Sequence

from benchmark.rules.grammar.rule import Control, Rate, drop_ones
from benchmark.rules.path_cubed import RULE as PATH_CUBED


def deal(rates: Sequence[Rate], seed: int) -> list[Rate]:
    """Give every trainable architecture the same rate, as large on average as the rule's.

    What this control gains, the rule gains by its average rate and not by following the
    architecture. Factors of groups are averaged alike, a missing one being 1.
    """
    names = {name for _, factors in rates for name, _ in factors}
    tables = [dict(factors) for _, factors in rates]
    factors = {name: mean([table.get(name, 1.0) for table in tables]) for name in names}
    return [(mean([rate for rate, _ in rates]), drop_ones(factors))] * len(rates)


def mean(values: Sequence[float]) -> float:
    """The geometric mean; 0 where any value is."""
    if not all(values):
        return 0.0
    return math.exp(math.fsum(map(math.log, values)) / len(values))


RULE = Control(
    name="geometric-mean",
    version=1,
    source="control of this suite",
    formula="eta = the geometric mean of path-cubed's rates over the sample",
    prescribe=PATH_CUBED.prescribe,
    conventions=PATH_CUBED.conventions,
    of="path-cubed",
    deal=deal,
    placebo=False,
    seed=0,
)
