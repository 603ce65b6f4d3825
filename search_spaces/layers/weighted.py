"""Layers that multiply by trained weights: matrix products and convolutions."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class Weighted(nn.Module):
    """A layer that multiplies by trained weights, with what initializations need to know.

    ``fan_in`` counts inputs to one output unit; ``source_in_degree`` and ``target_in_degree`` are
    d_in of the nodes at the two ends of the edge (arXiv 2402.17440, eq. 4 and eq. 12); ``branch``
    marks the last weighted layer of a residual branch, whose variance residual-aware rules divide
    by K (arXiv 2510.04327); ``readout`` marks the classifier, ``reads_images`` a layer on the
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
        self.branch = False
        self.readout = False
        self.reads_images = False

    @property
    def fan_out(self) -> int:
        """Outputs that one input unit reaches: the output channels times a kernel's taps."""
        outputs, inputs = self.weight.shape[1:3]
        return int(outputs) * (self.fan_in // int(inputs))

    def at(
        self,
        *,
        source_in_degree: int = 1,
        target_in_degree: int = 1,
        branch: bool = False,
        readout: bool = False,
        reads_images: bool = False,
    ) -> Weighted:
        """Say where in the graph this layer stands; returns the layer itself."""
        self.source_in_degree, self.target_in_degree = source_in_degree, target_in_degree
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


class Conv2d(Weighted):
    """x_BKHW -> y_BKHW by a convolution with R groups; weight_ROIqq, padding q // 2.

    The padding is zeros, or with ``circular`` the opposite border, so that all positions are alike.
    """

    def __init__(
        self,
        replicas: int,
        inputs: int,
        outputs: int,
        kernel: int = 3,
        stride: int = 1,
        bias: bool = False,
        padding: int | None = None,
        circular: bool = False,
    ) -> None:
        super().__init__(replicas, (outputs, inputs, kernel, kernel), bias)
        self.stride, self.circular = stride, circular
        self.padding = kernel // 2 if padding is None else padding

    def forward(self, x_BKHW: Tensor) -> Tensor:
        """Convolve every replica's channels with its own filters."""
        bias = None if self.bias is None else self.bias.flatten()
        padding = self.padding
        if self.circular and padding:
            x_BKHW, padding = F.pad(x_BKHW, (padding,) * 4, mode="circular"), 0
        return F.conv2d(
            x_BKHW, self.weight.flatten(0, 1), bias, self.stride, padding, groups=self.replicas
        )


class Conv1d(Weighted):
    """x_BKT -> y_BKT by a convolution with R groups; weight_ROIq, padding q // 2 as in two
    dimensions."""

    def __init__(
        self,
        replicas: int,
        inputs: int,
        outputs: int,
        kernel: int = 3,
        stride: int = 1,
        bias: bool = False,
        circular: bool = False,
    ) -> None:
        super().__init__(replicas, (outputs, inputs, kernel), bias)
        self.stride, self.padding, self.circular = stride, kernel // 2, circular

    def forward(self, x_BKT: Tensor) -> Tensor:
        """Convolve every replica's channels with its own filters."""
        bias = None if self.bias is None else self.bias.flatten()
        padding = self.padding
        if self.circular and padding:
            x_BKT, padding = F.pad(x_BKT, (padding,) * 2, mode="circular"), 0
        return F.conv1d(
            x_BKT, self.weight.flatten(0, 1), bias, self.stride, padding, groups=self.replicas
        )
