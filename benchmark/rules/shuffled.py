"""``shuffled``: the placebo, path-cubed's own rates dealt to random architectures."""

import random
from dataclasses import replace

from benchmark.rules.path_cubed import RULE as PATH_CUBED
from benchmark.rules.rule import Bundle, Control

SEED = 20_240_217


def deal(population: list[Bundle | None]) -> list[Bundle | None]:
    """Permute the rate multipliers among the trainable architectures, by a fixed seed.

    The set of rates stays the same and their link to the architectures is cut: whatever this
    control gains, path-cubed gains without knowing the architecture.
    """
    rates = [bundle.lr_multiplier for bundle in population if bundle]
    random.Random(SEED).shuffle(rates)
    dealt = iter(rates)
    return [bundle and replace(bundle, lr_multiplier=next(dealt)) for bundle in population]


RULE = Control(
    name="shuffled",
    version=1,
    source="control of this suite",
    formula="eta = path-cubed's rate of another architecture, drawn at random",
    prescribe=PATH_CUBED.prescribe,
    conventions=PATH_CUBED.conventions,
    of="path-cubed",
    deal=deal,
)
