"""Dropout over replicas, each with a stream of its own."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from search_spaces.errors import InvalidInput


class Dropout(nn.Module):
    """Dropout whose mask every replica draws from a stream of its own.

    ``generators`` holds one per replica; the engine sets it, so that a replica's masks do not
    depend on who trains beside it. ``replica_axis`` says where R stands: 0 in x_RBC, 1 in x_BKHW
    (folded with the channels). ``rank`` of ``ranks`` processes has that slice of every batch, and
    of the masks that one process would draw. Streams live on the CPU, so that masks are the same
    on every device.
    """

    def __init__(self, replicas: int, rate: float, replica_axis: int) -> None:
        super().__init__()
        if not 0 <= rate < 1:
            raise InvalidInput(f"dropout {rate} is not in [0, 1); give the share of units to drop")
        self.replicas, self.rate, self.replica_axis = replicas, rate, replica_axis
        self.generators: list[torch.Generator] = []
        self.rank, self.ranks = 0, 1

    def set_ranks(self, rank: int, ranks: int) -> None:
        """Draw this rank's slice of every mask."""
        self.rank, self.ranks = rank, ranks

    def forward(self, x: Tensor) -> Tensor:
        """Zero a share of each replica's units in training, and scale up the rest."""
        if not self.training or self.rate == 0:
            return x
        if len(self.generators) != self.replicas:
            raise InvalidInput(
                f"dropout needs one generator per replica ({self.replicas}), "
                f"got {len(self.generators)}; set Dropout.generators before training"
            )
        batch_axis = 1 - self.replica_axis
        shape = list(x.chunk(self.replicas, self.replica_axis)[0].shape)
        shape[batch_axis] *= self.ranks
        masks = [
            torch.rand(shape, generator=g, dtype=x.dtype) >= self.rate for g in self.generators
        ]
        mask = torch.cat(masks, self.replica_axis).chunk(self.ranks, batch_axis)[self.rank]
        return x * mask.to(x.device) / (1 - self.rate)
