"""What an accuracy table must be: architectures x seeds, a diverged replica as -inf.

Shapes: A architectures, S seeds.
"""

import numpy as np

from benchmark.analysis.intervals import Array
from search_spaces.errors import InvalidInput


def check_accuracies(name: str, acc_AS: Array) -> Array:
    """`acc_AS` as float64; raises InvalidInput for NaN, +inf or a shape that is not (A, S)."""
    acc_AS = np.asarray(acc_AS, dtype=np.float64)
    if acc_AS.ndim != 2 or 0 in acc_AS.shape:
        raise InvalidInput(f"{name} must be architectures x seeds; got shape {acc_AS.shape}")
    if np.isnan(acc_AS).any() or (acc_AS == np.inf).any():
        raise InvalidInput(f"{name} holds NaN or +inf: give a diverged replica as -inf")
    return acc_AS


def check_paired(reference_AS: Array, rule_AS: Array) -> tuple[Array, Array]:
    """Both checked, and of one shape: the same architectures and the same seeds."""
    reference_AS = check_accuracies("reference_AS", reference_AS)
    rule_AS = check_accuracies("rule_AS", rule_AS)
    if reference_AS.shape != rule_AS.shape:
        raise InvalidInput(
            f"rule_AS has shape {rule_AS.shape} and reference_AS {reference_AS.shape}: "
            "pair them by architecture and seed first"
        )
    return reference_AS, rule_AS
