"""``shuffled``: the placebo, a rule's own rates dealt to random architectures."""

import random
from collections.abc import Sequence

from benchmark.rules.grammar.rule import Control, Rate
from benchmark.rules.path_cubed import RULE as PATH_CUBED

SEED = 20_240_217
"""The deal of the plain ``shuffled``, one for all seeds; ``shuffled:RULE`` has one per seed."""


def deal(rates: Sequence[Rate], seed: int) -> list[Rate]:
    """Permute the rates among the trainable architectures.

    The set of rates stays the same and their link to the architectures is cut: whatever this
    control gains, the rule gains without knowing the architecture.
    """
    dealt = list(rates)
    random.Random(seed).shuffle(dealt)
    return dealt


RULE = Control(
    name="shuffled",
    version=1,
    source="control of this suite",
    formula="eta = path-cubed's rate of another architecture, drawn at random",
    prescribe=PATH_CUBED.prescribe,
    conventions=PATH_CUBED.conventions,
    of="path-cubed",
    deal=deal,
    placebo=True,
    seed=SEED,
)
