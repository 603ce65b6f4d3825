"""What cannot be done to copies of a plain module: found before anything is trained."""

from __future__ import annotations

from torch import nn

from benchmark.training.weights.variances import SCALES_SKIPS
from search_spaces.modules.replicated import Replicated


def find_obstacle(
    module: nn.Module, initialization: str, branch_multiplier: float, pinned: bool = False
) -> str:
    """Why a rule's initialization or branch multiplier, or weights that are ``pinned``
    (``pin_forward_moments``), cannot be applied to this module; empty where they can.

    Networks of the spaces that are written here take all of them.
    """
    if not isinstance(module, Replicated):
        return ""
    if pinned:
        return (
            "recipe field pin_forward_moments rescales layers one by one, which a module of "
            "another package has no place for; leave it out"
        )
    skips = initialization.partition("+")[0] in SCALES_SKIPS
    return module.find_obstacle(branches=branch_multiplier != 1, skips=skips)
