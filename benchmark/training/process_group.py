"""Processes that train one unit together, each on its slice of every global batch.

``Ranks`` is one process alone: every exchange is the identity. ``ProcessGroup`` exchanges by
torch.distributed. The arithmetic is that of one process with the whole batch: batch norm takes its
statistics over all slices (and its backward pass flows through them), gradients and losses are
averaged. All ranks then hold the same bytes of weights and losses, so they agree on divergence.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn

from search_spaces.errors import InvalidInput
from search_spaces.layers import Dropout
from search_spaces.layers.norms import BatchNorm
from search_spaces.modules.batch_norm import RankStatistics


class Ranks:
    """One process alone."""

    rank = 0
    size = 1
    device = torch.device("cpu")

    def mean(self, x: Tensor) -> Tensor:
        """The mean of every rank's ``x``; gradients flow back to every rank."""
        return x

    def mean_(self, x: Tensor) -> None:
        """Put the mean of every rank's ``x`` in its place."""

    def sum_(self, x: Tensor) -> None:
        """Put the sum of every rank's ``x`` in its place."""

    def differ(self, value: int) -> bool:
        """Whether any two ranks have different values."""
        least = torch.tensor([value, -value], device=self.device)
        self.min_(least)
        return bool(least[0] != -least[1])

    def min_(self, x: Tensor) -> None:
        """Put the least of every rank's ``x``, element by element, in its place."""

    def slice(self, batch: int) -> slice:
        """This rank's images of a global batch.

        Raises ``InvalidInput`` where the batch does not divide evenly: batch norm and the mean loss
        would weigh images differently.
        """
        if batch % self.size:
            raise InvalidInput(
                f"recipe field batch={batch} does not divide over {self.size} ranks; "
                "change the batch or the number of workers"
            )
        share = batch // self.size
        return slice(self.rank * share, (self.rank + 1) * share)

    def join(self, module: nn.Module) -> None:
        """Let a module's layers see the whole batch: norms its statistics, dropout its masks.

        Raises ``InvalidInput`` for a module of another package that cannot.
        """
        if self.size == 1:
            return
        for layer in module.modules():
            if isinstance(layer, BatchNorm):
                layer.ranks = self
            elif isinstance(layer, Dropout):
                layer.set_ranks(self.rank, self.size)
            elif isinstance(layer, RankStatistics):
                layer.set_ranks(self)


class ProcessGroup(Ranks):
    """The ranks of a torch.distributed group (gloo or NCCL); the default group where none is given.

    The caller makes and destroys the group.
    """

    def __init__(self, group: dist.ProcessGroup | None = None) -> None:
        self.group = group
        self.rank, self.size = dist.get_rank(group), dist.get_world_size(group)
        if dist.get_backend(group) == "nccl":
            self.device = torch.device("cuda", torch.cuda.current_device())

    def mean(self, x: Tensor) -> Tensor:
        """The mean of every rank's ``x``; gradients flow back to every rank."""
        summed: Tensor = _Sum.apply(x, self.group)
        return summed / self.size

    def mean_(self, x: Tensor) -> None:
        """Put the mean of every rank's ``x`` in its place."""
        self.sum_(x)
        x /= self.size

    def sum_(self, x: Tensor) -> None:
        """Put the sum of every rank's ``x`` in its place."""
        dist.all_reduce(x, group=self.group)

    def min_(self, x: Tensor) -> None:
        """Put the least of every rank's ``x``, element by element, in its place."""
        dist.all_reduce(x, dist.ReduceOp.MIN, group=self.group)


class _Sum(torch.autograd.Function):
    """The sum over ranks; its backward pass sums the gradients of every rank's loss."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, group: dist.ProcessGroup | None) -> Tensor:
        ctx.group = group
        summed = x.contiguous().clone()
        dist.all_reduce(summed, group=group)
        return summed

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        summed = gradient.contiguous().clone()
        dist.all_reduce(summed, group=ctx.group)
        return summed, None
