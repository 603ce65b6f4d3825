"""What came of one replica's training: the columns of its row.

Shape suffixes: S steps, E epochs.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

Outcome = dict[str, Any]


def describe_outcome(
    loss_S: Tensor,
    epoch_steps: int,
    valid_E: Tensor,
    evaluation: dict[str, float],
    chance: float,
) -> Outcome:
    """The columns of one trained replica; what is not finite is null.

    ``loss_S`` holds the loss before every step, ``epoch_steps`` is an epoch's length. The mean over
    an epoch rewards early speed where training is one epoch long; the mean over the last tenth of
    the steps does not.

    A replica whose loss is not finite is *diverged* at that step; so is one whose last epoch's mean
    loss is above both its first step's and twice chance.
    """
    broken = (~torch.isfinite(loss_S)).nonzero()
    train_E = average_epochs(loss_S, epoch_steps)
    whole = len(loss_S) % epoch_steps == 0
    initial = float(loss_S[0])
    final = float(train_E[-1] if whole else loss_S[-epoch_steps:].mean())
    diverged = len(broken) > 0 or final > max(initial, 2 * chance)
    columns: Outcome = {
        "initial_loss": initial,
        "train_loss": final,
        "train_loss_last_tenth": float(loss_S[-math.ceil(len(loss_S) / 10) :].mean()),
        **evaluation,
        "status": "diverged" if diverged else "done",
        "diverged_step": int(broken[0]) if len(broken) else None,
        "steps": len(loss_S),
        "train_loss_curve": train_E.tolist(),
        "valid_accuracy_curve": valid_E.tolist(),
    }
    return {name: null_where_not_finite(value) for name, value in columns.items()}


def average_epochs(loss_S: Tensor, epoch_steps: int) -> Tensor:
    """The mean loss of every epoch, the last of which may be a part of one."""
    whole = len(loss_S) - len(loss_S) % epoch_steps
    means = loss_S[:whole].view(-1, epoch_steps).mean(1)
    rest = loss_S[whole:]
    return torch.cat([means, rest.mean()[None]]) if len(rest) else means


def null_where_not_finite(value: Any) -> Any:
    """None in the place of every number that is not finite, in lists too."""
    if isinstance(value, list):
        return [null_where_not_finite(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
