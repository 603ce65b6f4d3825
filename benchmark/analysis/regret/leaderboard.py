"""The order of rules over several ladders, by the loss that each leaves on the table.

Shapes: S seeds of one ladder; ladders may have different numbers of seeds and other rules.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from benchmark.analysis.holm import adjust_p_values
from benchmark.analysis.intervals import LEVEL, Array, Interval, check_level, student_interval


@dataclass(frozen=True)
class Standing:
    """One rule's place. `excess` is its mean over `ladders` ladders, with the interval over seeds;
    `p` is Holm's adjusted p of its difference from the leader on the ladders of both."""

    rule: str
    rank: int
    excess: Interval
    p: float
    ladders: int


@dataclass(frozen=True)
class Combined:
    """A mean over ladders with the standard error that seeds give it, and its n of seeds."""

    estimate: float
    error: float
    freedom: float
    n: int


def rank_rules(
    excess: Mapping[str, Mapping[str, Array]], *, level: float = LEVEL
) -> list[Standing]:
    """The rules by their mean excess loss, least first.

    A rule shares the leader's rank where its interval begins below the end of the leader's; the
    next rank has the best of the others for its leader. So every tie is a tie with one leader, and
    overlaps do not chain. The ladders are no sample: intervals hold their seeds alone, with Welch
    and Satterthwaite's degrees of freedom. A rule without an interval cannot be told apart.

    Args:
        excess: ladder -> rule -> its excess loss, seed by seed (`ExcessLoss.seeds`).
    """
    check_level(level)
    names = dict.fromkeys(rule for by_rule in excess.values() for rule in by_rule)
    own = {
        rule: [by_rule[rule] for by_rule in excess.values() if rule in by_rule] for rule in names
    }
    values = {rule: give_interval(combine_ladders(each), level) for rule, each in own.items()}
    ordered = sorted(names, key=lambda rule: values[rule].estimate)
    ranks: dict[str, int] = {}
    while left := [rule for rule in ordered if rule not in ranks]:
        place, bound = len(ranks) + 1, values[left[0]].high
        for rule in left:
            if rule == left[0] or not values[rule].low > bound:
                ranks[rule] = place
    p = {rule: compare_rules(excess, rule, ordered[0]) for rule in ordered[1:]}
    adjusted = adjust_p_values(p, 1 - level)
    found = [
        Standing(
            rule,
            ranks[rule],
            values[rule],
            adjusted[rule].adjusted if rule in adjusted else math.nan,
            len(own[rule]),
        )
        for rule in ordered
    ]
    return sorted(found, key=lambda each: each.rank)


def combine_ladders(values: Sequence[Array]) -> Combined:
    """The mean over ladders of means over seeds; the error is NaN where a ladder has one seed."""
    count = len(values)
    estimate = float(np.mean([each.mean() for each in values])) if count else math.nan
    n = sum(len(each) for each in values)
    if not count or min(map(len, values)) < 2:
        return Combined(estimate, math.nan, math.nan, n)
    parts = [float(each.var(ddof=1)) / len(each) for each in values]
    whole = sum(parts)
    each_freedom = sum(part**2 / (len(x) - 1) for part, x in zip(parts, values, strict=True))
    return Combined(
        estimate,
        math.sqrt(whole) / count,
        whole**2 / each_freedom if each_freedom else n - count,
        n,
    )


def give_interval(value: Combined, level: float) -> Interval:
    """Student's interval of a mean over ladders."""
    if math.isnan(value.error):
        return Interval.undetermined("one seed", estimate=value.estimate, n=value.n)
    return student_interval(value.estimate, value.error, value.freedom, value.n, level=level)


def compare_rules(excess: Mapping[str, Mapping[str, Array]], rule: str, leader: str) -> float:
    """The two-sided p of a difference of two rules on the ladders of both, paired by seed."""
    both = [
        each[rule] - each[leader] for each in excess.values() if rule in each and leader in each
    ]
    value = combine_ladders(both)
    if math.isnan(value.error):
        return math.nan
    if value.error == 0:
        return 1.0 if value.estimate == 0 else 0.0
    return float(2 * stats.t.sf(abs(value.estimate) / value.error, value.freedom))
