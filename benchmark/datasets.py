"""The images: loaded once per process, identified by their content."""

from __future__ import annotations

import hashlib
import importlib.util
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from benchmark.initialization import stream
from search_spaces.errors import InvalidInput

DIGITS_TEST = 360
"""How many of the 1,797 digits are the test split: about a fifth, the last of a fixed shuffle."""


@dataclass(frozen=True, eq=False)
class Dataset:
    """Images x_NCHW (float32, each channel of mean 0 and variance 1 over the training images) and
    labels y_N (int64). ``checksum`` is the sha256 of the raw arrays."""

    name: str
    x_train: Tensor
    y_train: Tensor
    x_test: Tensor
    y_test: Tensor
    classes: int
    checksum: str

    @property
    def shape(self) -> tuple[int, int, int]:
        """(channels, height, width) of an image."""
        channels, height, width = self.x_train.shape[1:]
        return channels, height, width

    def split(self, seed: int, validation: float) -> tuple[Tensor, Tensor]:
        """Indices of the training and the held-out images of a seed."""
        order = torch.randperm(len(self.y_train), generator=stream(seed, "split"))
        held_out = round(len(order) * validation)
        return order[held_out:], order[:held_out]


@cache
def load(name: str) -> Dataset:
    """The data set of that name: ``digits``, or ``npz:PATH`` with x_train, y_train, x_test, y_test.

    Images are uint8 or float, N x H x W or N x H x W x C. Raises ``InvalidInput`` for an unknown
    name, and for a missing or malformed file.
    """
    if name == "digits":
        return _digits()
    if name.startswith("npz:"):
        return _npz(name, Path(name.removeprefix("npz:")))
    raise InvalidInput(f"unknown dataset {name!r}; use digits or npz:PATH")


def _digits() -> Dataset:
    """scikit-learn's 1,797 handwritten digits of 8 x 8 (UCI, Alpaydin and Kaynak 1998).

    Read from its file: importing ``sklearn.datasets`` takes as long as importing torch, and every
    worker would pay for it.
    """
    package = importlib.util.find_spec("sklearn")
    assert package is not None, "setup.cfg requires scikit-learn"
    assert package.origin is not None
    rows = np.loadtxt(Path(package.origin).parent / "datasets/data/digits.csv.gz", delimiter=",")
    images, labels = rows[:, :-1], rows[:, -1].astype(np.int64)
    order = np.random.default_rng(0).permutation(len(labels))
    images, labels = images.reshape(-1, 8, 8)[order], labels[order]
    split = len(labels) - DIGITS_TEST
    return _dataset("digits", images[:split], labels[:split], images[split:], labels[split:])


def _npz(name: str, path: Path) -> Dataset:
    if not path.is_file():
        raise InvalidInput(f"dataset {name}: there is no file {path}; give the path of an .npz")
    with np.load(path, allow_pickle=False) as arrays:
        wanted = ("x_train", "y_train", "x_test", "y_test")
        missing = [key for key in wanted if key not in arrays]
        if missing:
            raise InvalidInput(f"dataset {name} lacks {', '.join(missing)}; it needs {wanted}")
        return _dataset(name, *(arrays[key] for key in wanted))


def _dataset(
    name: str,
    x_train: NDArray[np.generic],
    y_train: NDArray[np.generic],
    x_test: NDArray[np.generic],
    y_test: NDArray[np.generic],
) -> Dataset:
    digest = hashlib.sha256()
    for array in (x_train, y_train, x_test, y_test):
        digest.update(f"{array.shape}{array.dtype}".encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    train, test = _images(x_train), _images(x_test)
    mean = train.mean((0, 2, 3), keepdim=True)
    deviation = train.std((0, 2, 3), keepdim=True, unbiased=False).clamp_min(1e-8)
    labels = torch.as_tensor(y_train.astype(np.int64)).flatten()
    return Dataset(
        name,
        (train - mean) / deviation,
        labels,
        (test - mean) / deviation,
        torch.as_tensor(y_test.astype(np.int64)).flatten(),
        int(labels.max()) + 1,
        digest.hexdigest(),
    )


def _images(array: NDArray[np.generic]) -> Tensor:
    """N x H x W (x C) of any number type to float32 N x C x H x W."""
    x_NHWC = torch.as_tensor(array.astype(np.float32))
    if x_NHWC.dim() == 3:
        x_NHWC = x_NHWC[..., None]
    return x_NHWC.permute(0, 3, 1, 2).contiguous()
