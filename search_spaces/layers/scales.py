"""Multipliers of branches and skips, a number for each replica."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class ReplicaScale(nn.Module):
    """Multiplies by one number per replica (1 by default)."""

    multiplier_R: Tensor

    def __init__(self, replicas: int, replica_axis: int, persistent: bool = True) -> None:
        super().__init__()
        self.replica_axis = replica_axis
        self.register_buffer("multiplier_R", torch.ones(replicas), persistent)
        self.active = False

    def set(self, multiplier_R: Tensor) -> None:
        """Give every replica its multiplier; all ones costs nothing in the forward pass."""
        self.multiplier_R.copy_(multiplier_R)
        self.active = bool((multiplier_R != 1).any())

    def forward(self, x: Tensor) -> Tensor:
        """Scale x_R... (axis 0) or x_BKHW (axis 1, folded with channels)."""
        if not self.active:
            return x
        size = x.shape[self.replica_axis]
        factor = self.multiplier_R.repeat_interleave(size // len(self.multiplier_R))
        return x * factor.view(
            *(1,) * self.replica_axis, size, *(1,) * (x.dim() - 1 - self.replica_axis)
        )


class BranchScale(ReplicaScale):
    """Multiplies a residual branch by each replica's branch multiplier.

    Depth-muP and CompleteP scale the branch itself (arXiv 2310.02244, 2505.01618), which is not
    the same as scaling its weights once a rate acts on them.
    """


class SkipScale(ReplicaScale):
    """An edge without weights (a skip, a pooling) into a node of in-degree ``target_in_degree``.

    Initializations that scale weighted edges by the in-degree can scale this one too. What it
    multiplies by follows from the scheme, so that no checkpoint holds it.
    """

    def __init__(self, replicas: int, replica_axis: int, target_in_degree: int) -> None:
        super().__init__(replicas, replica_axis, persistent=False)
        self.target_in_degree = target_in_degree
