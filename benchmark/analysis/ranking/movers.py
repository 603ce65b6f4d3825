"""Which architectures move when the rule changes, and by how much against their own seed error.

Shapes: A architectures, S seeds. A diverged replica is -inf.
"""

import math
from dataclasses import dataclass

import numpy as np
from scipy import stats

from benchmark.analysis.accuracies import check_paired
from benchmark.analysis.intervals import Array


@dataclass(frozen=True)
class Movers:
    """Changes from the reference to the rule, per architecture: mean over seeds and its error.

    Ranks count from 1 (best), so a negative `rank_change_A` is a rise. Errors are standard errors
    over the paired seeds, NaN with one seed. With 2 or 3 seeds an own error is rough, and the
    pooled one (root mean square over architectures) is what `score_A` = rank change / pooled error
    divides by. Accuracy changes are NaN where a replica diverged.
    """

    rank_reference_A: Array
    rank_rule_A: Array
    rank_change_A: Array
    rank_error_A: Array
    score_A: Array
    shift_A: Array


def find_movers(reference_AS: Array, rule_AS: Array) -> Movers:
    """Rank and accuracy changes, seed by seed: the noise that a seed shares between rules cancels.

    Without any effect of the rule about one architecture in twenty still scores beyond 2: count
    those beyond before naming any.
    """
    reference_AS, rule_AS = check_paired(reference_AS, rule_AS)
    rank_reference_AS = stats.rankdata(-reference_AS, axis=0)
    rank_rule_AS = stats.rankdata(-rule_AS, axis=0)
    change_AS = rank_rule_AS - rank_reference_AS
    finite_A = np.isfinite(reference_AS).all(axis=1) & np.isfinite(rule_AS).all(axis=1)
    shift_AS = np.full(reference_AS.shape, math.nan)
    shift_AS[finite_A] = rule_AS[finite_A] - reference_AS[finite_A]
    change_A, rank_error_A = change_AS.mean(axis=1), _standard_error(change_AS)
    pooled = math.sqrt(float((rank_error_A**2).mean()))
    return Movers(
        rank_reference_A=rank_reference_AS.mean(axis=1),
        rank_rule_A=rank_rule_AS.mean(axis=1),
        rank_change_A=change_A,
        rank_error_A=rank_error_A,
        score_A=change_A / pooled if pooled > 0 else np.full(len(change_A), math.nan),
        shift_A=shift_AS.mean(axis=1),
    )


def _standard_error(value_AS: Array) -> Array:
    seeds = value_AS.shape[1]
    if seeds < 2:
        return np.full(len(value_AS), math.nan)
    return np.asarray(value_AS.std(axis=1, ddof=1) / math.sqrt(seeds))
