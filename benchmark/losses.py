"""Cross-entropy of every replica.

Shape suffixes: R replicas, B batch, C classes.
"""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F


def replica_losses(logits_RBC: Tensor, y_RB: Tensor, label_smoothing: float = 0.0) -> Tensor:
    """Each replica's mean cross-entropy (nats per image), losses_R.

    ``label_smoothing`` spreads that share of the target evenly over the classes (Szegedy et al.,
    arXiv 1512.00567, section 7).
    """
    loss_N = F.cross_entropy(
        logits_RBC.flatten(0, 1),
        y_RB.flatten(),
        reduction="none",
        label_smoothing=label_smoothing,
    )
    return loss_N.view(y_RB.shape).mean(1)
