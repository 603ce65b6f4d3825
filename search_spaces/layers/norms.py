"""Normalizations and trained scales with a replica axis, and what the options of a space choose.

Shapes are as in ``search_spaces.layers``. Scales start at one and shifts at zero, so no
initialization touches them.
"""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from search_spaces.layers import unfold_replicas
from search_spaces.options import Activation, Normalization

EPSILON = 1e-5
"""Added to variances, as torch does."""


class Averaging(Protocol):
    """Several processes that hold equal slices of every batch."""

    @property
    def size(self) -> int:
        """How many they are."""
        ...

    def mean(self, x: Tensor) -> Tensor:
        """The mean of every process's ``x``; gradients flow back to all of them."""
        ...


class BatchNorm(nn.Module):
    """Batch norm over K channels of x_BK, x_BKT or x_BKHW, with running statistics per replica.

    Where ``ranks`` is set, the statistics are those of the whole batch, of which each rank has a
    slice.
    """

    running_mean: Tensor
    running_var: Tensor

    def __init__(self, replicas: int, channels: int, momentum: float = 0.1) -> None:
        super().__init__()
        self.momentum = momentum
        self.ranks: Averaging | None = None
        self.weight = nn.Parameter(torch.ones(replicas, channels))
        self.bias = nn.Parameter(torch.zeros(replicas, channels))
        self.register_buffer("running_mean", torch.zeros(replicas, channels))
        self.register_buffer("running_var", torch.ones(replicas, channels))

    def forward(self, x_BK: Tensor) -> Tensor:
        """Normalize every channel of every replica over batch and positions."""
        if self.training and self.ranks is not None:
            return self.normalize_over(self.ranks, x_BK)
        return F.batch_norm(
            x_BK,
            self.running_mean.view(-1),
            self.running_var.view(-1),
            self.weight.flatten(),
            self.bias.flatten(),
            self.training,
            self.momentum,
            EPSILON,
        )

    def normalize_over(self, ranks: Averaging, x_BK: Tensor) -> Tensor:
        """The same in training, written out, with means over all ranks.

        As in ``F.batch_norm``, images of less than float32 (autocast) get statistics in float32.
        """
        axes, shape = (0, *range(2, x_BK.dim())), (1, -1, *(1,) * (x_BK.dim() - 2))
        wide_BK = x_BK.to(self.running_mean.dtype)
        mean_K = ranks.mean(wide_BK.mean(axes))
        centered_BK = wide_BK - mean_K.view(shape)
        variance_K = ranks.mean(centered_BK.square().mean(axes))
        count = ranks.size * x_BK.numel() // x_BK.shape[1]
        with torch.no_grad():
            self.running_mean.view(-1).lerp_(mean_K, self.momentum)
            self.running_var.view(-1).lerp_(variance_K * (count / (count - 1)), self.momentum)
        scale_K = self.weight.flatten() * (variance_K + EPSILON).rsqrt()
        return (centered_BK * scale_K.view(shape) + self.bias.view(shape)).to(x_BK.dtype)


class VectorBatchNorm(BatchNorm):
    """Batch norm of x_RBC or x_RBTC over batch and tokens, with running statistics per replica."""

    def forward(self, x_RBC: Tensor) -> Tensor:
        """Normalize every channel of every replica."""
        x_NK = x_RBC.flatten(1, -2).transpose(0, 1).flatten(1)
        return unfold_replicas(super().forward(x_NK), x_RBC.shape[0]).reshape(x_RBC.shape)


class LayerNorm(nn.Module):
    """Layer norm of x_RBC or x_RBTC over its last axis, scale and shift per replica."""

    def __init__(self, replicas: int, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(replicas, channels))
        self.bias = nn.Parameter(torch.zeros(replicas, channels))

    def forward(self, x_RBC: Tensor) -> Tensor:
        """Normalize every vector of every replica."""
        shape = (x_RBC.shape[0], *(1,) * (x_RBC.dim() - 2), x_RBC.shape[-1])
        normal = F.layer_norm(x_RBC, x_RBC.shape[-1:])
        return normal * self.weight.view(shape) + self.bias.view(shape)


class ChannelLayerNorm(nn.Module):
    """Layer norm of images x_BKHW over channels and positions, one group per replica."""

    def __init__(self, replicas: int, channels: int) -> None:
        super().__init__()
        self.replicas = replicas
        self.weight = nn.Parameter(torch.ones(replicas, channels))
        self.bias = nn.Parameter(torch.zeros(replicas, channels))

    def forward(self, x_BKHW: Tensor) -> Tensor:
        """Normalize every image of every replica."""
        return F.group_norm(x_BKHW, self.replicas, self.weight.flatten(), self.bias.flatten())


class LayerScale(nn.Module):
    """Multiplies x_RBTC by a trained vector per replica (CaiT, arXiv 2103.17239)."""

    def __init__(self, replicas: int, channels: int, start: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.full((replicas, channels), start))

    def forward(self, x_RBTC: Tensor) -> Tensor:
        """Scale every channel."""
        return x_RBTC * self.weight[:, None, None, :]


def build_activation(name: Activation) -> nn.Module:
    """The elementwise nonlinearity."""
    return nn.ReLU() if name == "relu" else nn.GELU()


def build_image_norm(name: Normalization, replicas: int, channels: int) -> nn.Module:
    """The normalization of x_BKHW or x_BKT (identity for ``none``)."""
    if name == "bn":
        return BatchNorm(replicas, channels)
    return ChannelLayerNorm(replicas, channels) if name == "ln" else nn.Identity()


def build_vector_norm(name: Normalization, replicas: int, channels: int) -> nn.Module:
    """The normalization of x_RBC (identity for ``none``)."""
    if name == "bn":
        return VectorBatchNorm(replicas, channels)
    return LayerNorm(replicas, channels) if name == "ln" else nn.Identity()
