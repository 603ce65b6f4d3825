"""What a data set is: images in memory, or in files that are read as they are needed.

Shape suffixes: N images, C channels, H height, W width.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from benchmark.datasets.streams import create_stream

if TYPE_CHECKING:
    from benchmark.datasets.images.image_files import ImageFiles


@dataclass(frozen=True, eq=False)
class Dataset:
    """Images x_NCHW (float32, each channel of mean 0 and variance 1 over the training images) and
    labels y_N (int64).

    ``checksum`` is the sha256 of the raw arrays, or of a folder's files. ``name`` is a label
    without a path, and ``place`` the absolute name under which the set was read.
    ``black`` is what a raw pixel of 0 has become, per channel.
    """

    name: str
    x_train: Tensor
    y_train: Tensor
    x_test: Tensor
    y_test: Tensor
    classes: int
    checksum: str
    place: str = ""
    black: tuple[float, ...] = ()

    @property
    def shape(self) -> tuple[int, int, int]:
        """(channels, height, width) of an image."""
        channels, height, width = self.x_train.shape[1:]
        return channels, height, width

    def train(self, index: Tensor) -> Tensor:
        """The training images of an index of any shape, on the data set's device."""
        return self.x_train[index]

    def test(self, index: Tensor) -> Tensor:
        """The test images of an index of any shape, on the data set's device."""
        return self.x_test[index]

    def on(self, device: torch.device, dtype: torch.dtype) -> Dataset:
        """The same set with its images and labels on a device."""
        return replace(
            self,
            x_train=self.x_train.to(device, dtype),
            y_train=self.y_train.to(device),
            x_test=self.x_test.to(device, dtype),
            y_test=self.y_test.to(device),
        )

    def split(self, seed: int, validation: float) -> tuple[Tensor, Tensor]:
        """Indices of the training and the held-out images of a seed."""
        order = torch.randperm(len(self.y_train), generator=create_stream(seed, "split"))
        held_out = round(len(order) * validation)
        return order[held_out:], order[:held_out]


@dataclass(frozen=True, eq=False, kw_only=True)
class StreamedDataset(Dataset):
    """Images that do not fit in memory: ``x_train`` and ``x_test`` have shapes, and no numbers."""

    train_files: ImageFiles
    test_files: ImageFiles

    def train(self, index: Tensor) -> Tensor:
        """The training images, read from their files."""
        return self.train_files.read(index).to(self.y_train.device, self.x_train.dtype)

    def test(self, index: Tensor) -> Tensor:
        """The test images, read from their files."""
        return self.test_files.read(index).to(self.y_test.device, self.x_test.dtype)

    def on(self, device: torch.device, dtype: torch.dtype) -> Dataset:
        """The same set, whose images go to a device when they are read."""
        return replace(
            self,
            x_train=self.x_train.to(dtype=dtype),
            y_train=self.y_train.to(device),
            x_test=self.x_test.to(dtype=dtype),
            y_test=self.y_test.to(device),
        )


@lru_cache(maxsize=2)
def place_on_device(data: Dataset, device: torch.device, dtype: torch.dtype) -> Dataset:
    """The set on a device; remembered, for all chunks and units that follow."""
    return data.on(device, dtype)
