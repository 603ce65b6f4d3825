"""Every number that turns an interval into a word, in one place."""

from typing import Final, Literal, NamedTuple

from benchmark.analysis.intervals import Interval

Answer = Literal["yes", "no", "undetermined"]


class Judged(NamedTuple):
    """An answer, what it leaves open, and the interval it rests on."""

    answer: Answer
    why: str
    value: Interval


TAU_MARGIN: Final = 0.05
"""A delta below this is no change of ranking worth the name."""
ACCURACY_MARGIN: Final = 0.005
"""A gain below half a percentage point is no gain worth the name."""
LOSS_MARGIN: Final = 0.05
"""A rule whose mean loss lies above the best by less than this share of the loss of guessing is
near the best: on small networks of 10 classes, about what a rate wrong by a factor 2 costs."""
RATE_FACTOR: Final = 2.0
"""Predicted rates within this factor of the measured ones lie in the band that figures draw."""
TOLD_APART: Final = 2.0
"""Standard errors (of a difference between two rates) by which a rate must fall short."""
FOLLOWS: Final = 0.3
"""A multiplier whose Spearman correlation with accuracy lies beyond this follows accuracy."""
CARRIES: Final = 0.5
"""Rate classes with more of the ranks' variance than this between them carry the ranking."""
CHANCE_SHARE: Final = 0.95
"""A rung is trained where its best loss is at most this share of the loss of guessing."""
HEAVY_TAIL: Final = 0.8
"""Seeds that vary by more than this share of their mean make an interval over seeds too narrow."""
FLAT_WIDTH: Final = 0.5
"""An exponent of an update counts as 0 where its interval reaches no further to either side."""
MISFIT_LEVEL: Final = 0.02
"""A straight line is dropped where the test of its fit has a p below this."""
LOPSIDED_LEVEL: Final = 0.01
"""A window is narrowed where the test of its parabola has a p below this."""
DEPTH_PER_WIDTH: Final = 1 / 8
"""Beyond this depth for each unit of width, one-step moments of a chain have too heavy a tail."""
CLEAR_WEIGHT: Final = 0.95
"""A tuned constant is clear where this share of the resampled tunings chooses it."""
KEPT_WEIGHT: Final = 0.05
"""A constant that fewer of the resampled tunings choose is left out of the mixture."""
