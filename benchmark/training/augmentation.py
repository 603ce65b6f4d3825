"""Random flips, padded crops and cutout, drawn by image and applied apart.

Draws come from streams on the CPU, whole batches at a time, so that a seed's images are the same on
every device and however a batch is divided afterwards. (The transforms of torchvision and kornia
draw from one stream for a whole batch.)

Shape suffixes: S seeds, B batch, N = S x B images, C channels, H height, W width.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from benchmark.study.recipe import Recipe


class Augmentation:
    """A recipe's augmentation of images of one size, on a device.

    ``padding_value`` is what crops are padded with, per channel; 0 (the mean) where it is empty.
    """

    def __init__(
        self,
        recipe: Recipe,
        height: int,
        width: int,
        device: torch.device | None = None,
        padding_value: Sequence[float] = (),
    ) -> None:
        self.flip, self.padding = recipe.horizontal_flip, recipe.crop_padding
        self.cutout = recipe.cutout
        self.height, self.width = height, width
        self.device = device or torch.device("cpu")
        self.padding_C = torch.tensor(padding_value, dtype=torch.float64).to(self.device)
        inside = torch.ones(1, 1, height, width, device=self.device)
        self.outside = 1 - F.pad(inside, (self.padding,) * 4)

    def draw(
        self, steps: int, batch: int, generators: Sequence[torch.Generator]
    ) -> dict[str, Tensor]:
        """The random numbers of batches one after the other, S x (steps x B) each, every seed's
        from its own stream; none where nothing is augmented."""
        draws: dict[str, list[Tensor]] = {}
        for generator in generators:
            for _ in range(steps):
                if self.flip:
                    flip_B = torch.rand(batch, generator=generator) < 0.5
                    draws.setdefault("flip", []).append(flip_B)
                if self.padding:
                    corner_2B = torch.randint(2 * self.padding + 1, (2, batch), generator=generator)
                    draws.setdefault("row", []).append(corner_2B[0])
                    draws.setdefault("column", []).append(corner_2B[1])
                if self.cutout:
                    for name, side in (("center_row", self.height), ("center_column", self.width)):
                        center_B = torch.randint(side, (batch,), generator=generator)
                        draws.setdefault(name, []).append(center_B)
        return {
            name: torch.cat(values).view(len(generators), -1).to(self.device)
            for name, values in draws.items()
        }

    def apply(self, x_NCHW: Tensor, draw: dict[str, Tensor]) -> Tensor:
        """The images, augmented by numbers of ``draw``, one per image."""
        if self.flip:
            chosen = draw["flip"][:, None, None, None]
            x_NCHW = torch.where(chosen, x_NCHW.flip(3), x_NCHW)
        if self.padding:
            x_NCHW = self.crop(x_NCHW, draw["row"], draw["column"])
        if self.cutout:
            x_NCHW = x_NCHW * self.kept(draw["center_row"], draw["center_column"])
        return x_NCHW

    def crop(self, x_NCHW: Tensor, row_N: Tensor, column_N: Tensor) -> Tensor:
        """Windows of the images' own size from the images padded on all sides."""
        padded = F.pad(x_NCHW, (self.padding,) * 4)
        if len(self.padding_C):
            value_C11 = self.padding_C.to(x_NCHW.dtype)[:, None, None]
            padded = padded + value_C11 * self.outside.to(x_NCHW.dtype)
        windows = padded.unfold(2, self.height, 1).unfold(3, self.width, 1)
        image_N = torch.arange(len(x_NCHW), device=x_NCHW.device)
        return windows[image_N, :, row_N, column_N]

    def kept(self, row_N: Tensor, column_N: Tensor) -> Tensor:
        """0 in a square of side ``cutout`` around each center, 1 elsewhere; the square may hang
        over the border (DeVries and Taylor, arXiv 1708.04552, section 3.2)."""
        inside = []
        for center_N, side in ((row_N, self.height), (column_N, self.width)):
            begin_N = center_N - self.cutout // 2
            offset_NS = torch.arange(side, device=center_N.device) - begin_N[:, None]
            inside.append((offset_NS >= 0) & (offset_NS < self.cutout))
        rows_NH, columns_NW = inside
        return ~(rows_NH[:, None, :, None] & columns_NW[:, None, None, :])
