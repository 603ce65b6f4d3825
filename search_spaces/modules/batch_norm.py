"""Batch norm of plain torch modules with the statistics of all ranks.

torch's own ``SyncBatchNorm`` needs a GPU and has no second process on a CPU; this one is the
arithmetic of ``search_spaces.layers.norms.BatchNorm``, on a module that knows nothing of ranks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from search_spaces.errors import InvalidInput
from search_spaces.layers.norms import Averaging

BATCH_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)


class RankStatistics(nn.Module):
    """Whom the copies' batch norms average with; ``ranks`` is set by the process group.

    ``norms`` are the modules that take statistics over the batch, by path.
    """

    def __init__(self, norms: Mapping[str, nn.Module]) -> None:
        super().__init__()
        self.norms = (*norms.items(),)  # a tuple: they are no part of the state

    def set_ranks(self, ranks: Averaging) -> None:
        """Let every batch norm see the batch of all ranks; raises ``InvalidInput`` for a norm whose
        arithmetic is its own."""
        for path, norm in self.norms:
            if type(norm) not in BATCH_NORMS:
                raise InvalidInput(
                    f"{path} ({type(norm).__name__}) takes statistics over the batch by its own "
                    f"code, which {ranks.size} ranks cannot share; use torch.nn.BatchNorm2d or one "
                    "rank"
                )
            assert isinstance(norm, BATCH_NORMS)
            object.__setattr__(norm, "forward", average_over_ranks(norm, ranks))


def average_over_ranks(norm: _BatchNorm, ranks: Averaging) -> Callable[[Tensor], Tensor]:
    """The forward pass of ``norm`` where every rank has an equal slice of the batch.

    In evaluation it is the module's own.
    """
    alone = norm.forward

    def forward(x: Tensor) -> Tensor:
        if not norm.training:
            return alone(x)
        axes, shape = (0, *range(2, x.dim())), (1, -1, *(1,) * (x.dim() - 2))
        wide = x if norm.running_mean is None else x.to(norm.running_mean.dtype)
        mean_C = ranks.mean(wide.mean(axes))
        centered = wide - mean_C.view(shape)
        variance_C = ranks.mean(centered.square().mean(axes))
        if norm.running_mean is not None and norm.running_var is not None:
            count = ranks.size * x.numel() // x.shape[1]
            with torch.no_grad():
                momentum = 0.0 if norm.momentum is None else norm.momentum
                norm.running_mean.lerp_(mean_C, momentum)
                norm.running_var.lerp_(variance_C * (count / (count - 1)), momentum)
        normal = centered * (variance_C + norm.eps).rsqrt().view(shape)
        if norm.affine:
            normal = normal * norm.weight.view(shape) + norm.bias.view(shape)
        return normal.to(x.dtype)

    return forward
