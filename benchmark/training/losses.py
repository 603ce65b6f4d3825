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
    # Classes before the batch: torch's softmax is several times faster along an inner axis.
    loss_RB = F.cross_entropy(
        logits_RBC.transpose(1, 2).contiguous(),
        y_RB,
        reduction="none",
        label_smoothing=label_smoothing,
    )
    return loss_RB.mean(1)
