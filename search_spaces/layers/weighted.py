"""Layers that multiply by trained weights: matrix products and convolutions."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class Weighted(nn.Module):
    """A layer that multiplies by trained weights, with what initializations need to know.

    ``fan_in`` counts inputs to one output unit; ``source_in_degree`` and ``target_in_degree`` are
    d_in of the nodes at the two ends of the edge (arXiv 2402.17440, eq. 4 and eq. 12); ``branch``
    marks the last weighted layer of a residual branch, whose variance residual-aware rules divide
    by K (arXiv 2510.04327); ``released_in_degree`` is the source's d_in where released code counts
    it otherwise; ``readout`` marks the classifier, ``reads_images`` a layer on the
    images other than the first.
    """

    weight: nn.Parameter
    bias: nn.Parameter | None

    def __init__(self, replicas: int, shape: tuple[int, ...], bias: bool) -> None:
        super().__init__()
        self.replicas = replicas
        self.weight = nn.Parameter(torch.zeros(replicas, *shape))
        self.bias = nn.Parameter(torch.zeros(replicas, shape[0])) if bias else None
        self.fan_in = int(torch.Size(shape[1:]).numel())
        self.source_in_degree = 1
        self.target_in_degree = 1
        self.released_in_degree = 1
        self.branch = False
        self.readout = False
        self.reads_images = False

    @property
    def fan_out(self) -> int:
        """Outputs that one input unit reaches: the output channels times a kernel's taps."""
        outputs, inputs = self.weight.shape[1:3]
        return int(outputs) * (self.fan_in // int(inputs))

    def set_weight(self, index: int, value: Tensor) -> None:
        """Give one replica this weight."""
        self.weight[index] = value

    def at(
        self,
        *,
        source_in_degree: int = 1,
        target_in_degree: int = 1,
        released_in_degree: int | None = None,
        branch: bool = False,
        readout: bool = False,
        reads_images: bool = False,
    ) -> Weighted:
        """Say where in the graph this layer stands; returns the layer itself."""
        self.source_in_degree, self.target_in_degree = source_in_degree, target_in_degree
        self.released_in_degree = released_in_degree or source_in_degree
        self.branch, self.readout, self.reads_images = branch, readout, reads_images
        return self


class Linear(Weighted):
    """x_RBI -> y_RBO: y = W x + b, by one batched matrix product; weight_ROI, bias_RO."""

    def __init__(self, replicas: int, inputs: int, outputs: int, bias: bool = True) -> None:
        super().__init__(replicas, (outputs, inputs), bias)

    def forward(self, x_RBI: Tensor) -> Tensor:
        """Apply every replica's matrix to its own rows."""
        if self.bias is None:
            return torch.bmm(x_RBI, self.weight.transpose(1, 2))
        return torch.baddbmm(self.bias[:, None, :], x_RBI, self.weight.transpose(1, 2))


class Convolution(Weighted):
    """A convolution with R groups, over ``dimensions`` axes of positions, padding q // 2.

    The padding is zeros, or with ``circular`` the opposite border, so that all positions are alike.
    """

    dimensions: ClassVar[int]
    convolve: ClassVar[Callable[..., Tensor]]

    def __init__(
        self,
        replicas: int,
        inputs: int,
        outputs: int,
        kernel: int = 3,
        stride: int = 1,
        *,
        bias: bool = False,
        padding: int | None = None,
        circular: bool = False,
    ) -> None:
        super().__init__(replicas, (outputs, inputs, *(kernel,) * self.dimensions), bias)
        self.stride, self.circular = stride, circular
        self.padding = kernel // 2 if padding is None else padding

    def forward(self, x: Tensor) -> Tensor:
        """Convolve every replica's channels with its own filters."""
        bias = None if self.bias is None else self.bias.flatten()
        padding = self.padding
        if self.circular and padding:
            x, padding = F.pad(x, (padding,) * 2 * self.dimensions, mode="circular"), 0
        weight = self.weight.flatten(0, 1)
        return self.convolve(x, weight, bias, self.stride, padding, groups=self.replicas)


class Conv2d(Convolution):
    """x_BKHW -> y_BKHW; weight_ROIqq."""

    dimensions = 2
    convolve = staticmethod(F.conv2d)


class Conv1d(Convolution):
    """x_BKT -> y_BKT; weight_ROIq."""

    dimensions = 1
    convolve = staticmethod(F.conv1d)
