"""The top of the ranking: overlap, tau among the best, and regret of choosing there.

Shapes: A architectures, S seeds. A diverged replica is -inf.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from benchmark.analysis.accuracies import check_paired
from benchmark.analysis.correlation.kendall import ColumnPairs
from benchmark.analysis.intervals import LEVEL, RESAMPLES, Array
from benchmark.analysis.ranking.rank_agreement import RankAgreement, measure_rank_agreement
from search_spaces.errors import InvalidInput


@dataclass(frozen=True)
class Overlap:
    """Share of a top k that is in another top k: across rules, across seeds of a rule, by chance.

    `ceiling` is NaN with one seed. There are no intervals: at the border of a top k, a share of a
    sample of architectures has none that holds its level.
    """

    k: int
    architectures: int
    cross: float
    ceiling: float
    chance: float


@dataclass(frozen=True)
class Regret:
    """What is lost by keeping the k best of one seed, scored on the other seeds.

    `chance` is the expected regret of k architectures drawn at random. `per_seed` has one value for
    each selecting seed; the best of A architectures has no population value to give an interval.
    """

    k: int
    architectures: int
    regret: float
    per_seed: tuple[float, ...]
    chance: float


def _check_k(k: int, architectures: int) -> None:
    if not 1 <= k <= architectures:
        raise InvalidInput(f"k must lie between 1 and {architectures} architectures; got {k}")


def _membership(acc_A: Array, k: int) -> Array:
    """1 inside the top k, 0 outside, and a fair share for those who tie at the border, (A,)."""
    border = np.sort(acc_A)[-k]
    above_A, tied_A = acc_A > border, acc_A == border
    return np.asarray(above_A + tied_A * (k - above_A.sum()) / tied_A.sum())


def measure_top_k_overlap(
    reference_AS: Array, rule_AS: Array, ks: Sequence[int]
) -> tuple[Overlap, ...]:
    """Overlap of the top k over single-seed pairs, as `measure_rank_agreement` pairs them."""
    reference_AS, rule_AS = check_paired(reference_AS, rule_AS)
    x_AC = np.concatenate([reference_AS, rule_AS], axis=1)
    architectures, seeds = reference_AS.shape
    pairs = ColumnPairs.of(seeds, seeds, shared_seeds=True)
    found = []
    for k in ks:
        _check_k(k, architectures)
        inside_AC = np.stack([_membership(x_A, k) for x_A in x_AC.T], axis=1)
        shared_P = (inside_AC[:, pairs.left_P] * inside_AC[:, pairs.right_P]).sum(axis=0) / k
        cross_B, ceiling_B, _ = pairs.combine(shared_P[None])
        found.append(
            Overlap(
                k=k,
                architectures=architectures,
                cross=float(cross_B[0]),
                ceiling=float(ceiling_B[0]),
                chance=k / architectures,
            )
        )
    return tuple(found)


def measure_top_k_agreement(
    reference_AS: Array,
    rule_AS: Array,
    ks: Sequence[int],
    *,
    level: float = LEVEL,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> tuple[RankAgreement, ...]:
    """`measure_rank_agreement` among the top K, for each K.

    The top K is chosen by the mean rank over both rules and all seeds. Chosen by the reference
    alone, its seeds would be selected on their own noise, the rule's would not, and the ceiling
    would fall below the cross without any effect of the rule; so chosen, delta stays unbiased at
    zero. Both fall as K shrinks, since the best differ by less: compare cross with ceiling at the
    same K. Intervals are conditional on the chosen K; no p is given for a search over K.
    """
    reference_AS, rule_AS = check_paired(reference_AS, rule_AS)
    both_AC = np.concatenate([reference_AS, rule_AS], axis=1)
    order_A = np.argsort(-stats.rankdata(both_AC, axis=0).mean(axis=1), kind="stable")
    found = []
    for k in ks:
        _check_k(k, len(order_A))
        top_K = order_A[:k]
        found.append(
            measure_rank_agreement(
                reference_AS[top_K],
                rule_AS[top_K],
                level=level,
                resamples=resamples,
                permutations=0,
                seed=seed,
            )
        )
    return tuple(found)


def measure_top_k_regret(selecting_AS: Array, scoring_AS: Array, k: int) -> Regret:
    """Regret of keeping the k best by one seed of `selecting_AS`.

    Scored by the mean of the other seeds of `scoring_AS`: the best of all architectures minus the
    best of the k kept. Scored on the selecting seed, luck would count twice. Both arguments may be
    the same table; the selecting rule's regret is then compared with that of other rules under one
    scoring rule. Architectures that diverged on a scoring seed score as the worst finite one.

    Raises InvalidInput with one seed.
    """
    selecting_AS, scoring_AS = check_paired(selecting_AS, scoring_AS)
    architectures, seeds = selecting_AS.shape
    _check_k(k, architectures)
    if seeds < 2:
        raise InvalidInput("regret at k selects on one seed and scores on another: two are needed")
    regrets, chances = [], []
    # Chance that the r-th best (r = 0, 1, ...) is the best of k drawn without replacement.
    drawn_A = np.arange(architectures - 1)
    missed_A = np.maximum(architectures - k - drawn_A, 0) / (architectures - 1 - drawn_A)
    first_A = k / architectures * np.cumprod(np.concatenate([[1.0], missed_A]))
    for selected in range(seeds):
        score_A = np.delete(scoring_AS, selected, axis=1).mean(axis=1)
        finite_A = np.isfinite(score_A)
        if not finite_A.any():
            raise InvalidInput("every architecture diverged on the scoring seeds")
        score_A = np.where(finite_A, score_A, score_A[finite_A].min())
        inside_A = np.argsort(-selecting_AS[:, selected], kind="stable")[:k]
        regrets.append(float(score_A.max() - score_A[inside_A].max()))
        chances.append(float(score_A.max() - first_A @ np.sort(score_A)[::-1]))
    return Regret(
        k, architectures, float(np.mean(regrets)), tuple(regrets), float(np.mean(chances))
    )
