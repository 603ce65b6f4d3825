"""What a network of NAS-Bench-201 costs: parameters and multiply-accumulates, without torch."""

from __future__ import annotations

from dataclasses import dataclass

from search_spaces.nasbench201.cell import KERNEL, Cell


@dataclass(frozen=True, slots=True)
class Cost:
    """Trained numbers, dead edges' included, and multiply-accumulates for one image."""

    parameters: int
    flops: int


def count_cost(
    cell: Cell, channels: int, cells: int, in_shape: tuple[int, int, int], classes: int
) -> Cost:
    """The counts of NATS-Bench: convolutions and the classifier (its bias too) do FLOPs; batch
    norms, pooling and additions do none. Every convolution counts, whether it is run or not."""
    taps = sum(KERNEL[op] ** 2 for op in cell if op in KERNEL)
    n_convs = sum(op in KERNEL for op in cell)
    in_channels, height, width = in_shape
    stem = 9 * in_channels * channels
    parameters, flops = stem + 2 * channels, stem * height * width
    C = channels
    for stage in range(3):
        parameters += cells * (taps * C * C + 2 * n_convs * C)
        flops += cells * taps * C * C * height * width
        if stage < 2:
            height, width = (height + 1) // 2, (width + 1) // 2
            weights = 9 * C * 2 * C + 9 * (2 * C) ** 2 + C * 2 * C
            parameters, flops = parameters + weights + 8 * C, flops + weights * height * width
            C *= 2
    readout = C * classes + classes
    return Cost(parameters + 2 * C + readout, flops + readout)
