"""The images: loaded once per process, identified by their content.

Published sets lie under the folder that the environment variable ``DATA_DIR`` names (``./data``
where it names none). A study never downloads; ``python -m benchmark.datasets download cifar10``
does, with a progress bar, and compares checksums.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import sys
import zipfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from benchmark.command import Parser, entry_point
from benchmark.datasets import synthetic
from benchmark.datasets.dataset import Dataset, StreamedDataset
from search_spaces.errors import InvalidInput

NAMES: Final = (
    "digits",
    "synthetic",
    "cifar10",
    "cifar100",
    "imagenet16-120",
    "imagefolder:PATH",
    "npz:PATH",
)
CIFAR: Final = {"cifar10": "CIFAR10", "cifar100": "CIFAR100"}
"""Names here and in torchvision."""

DIGITS_TEST = 360
"""How many of the 1,797 digits are the test split: about a fifth, the last of a fixed shuffle."""


Arrays = tuple[NDArray[Any], NDArray[Any], NDArray[Any], NDArray[Any]]
"""x_train, y_train, x_test, y_test."""


@cache
def load(name: str) -> Dataset:
    """The data set of that name, one of ``NAMES``.

    Images are uint8 or float, N x H x W or N x H x W x C. Raises ``InvalidInput`` for an unknown
    name, and for missing or malformed files.
    """
    if name == "digits":
        return _dataset(name, *_digits())
    if name == "synthetic":
        return _dataset(name, *synthetic.images())
    if name in CIFAR:
        return _dataset(name, *_cifar(name))
    if name == "imagenet16-120":
        from benchmark.datasets import (
            imagenet16,  # torchvision takes seconds, and few studies need it
        )

        return _dataset(name, *imagenet16.load(root() / imagenet16.FOLDER))
    if name.startswith("imagefolder:"):
        return _streamed(name)
    if name.startswith("npz:"):
        return _dataset(name, *_npz(name, Path(name.removeprefix("npz:"))))
    raise InvalidInput(f"unknown dataset {name!r}; use one of {', '.join(NAMES)}")


def _streamed(name: str) -> Dataset:
    from benchmark.datasets import imagefolder

    train, y_train, test, y_test, classes, checksum = imagefolder.load(name)
    return StreamedDataset(
        name,
        torch.empty(train.shape, device="meta"),
        y_train,
        torch.empty(test.shape, device="meta"),
        y_test,
        classes,
        checksum,
        train_files=train,
        test_files=test,
    )


def root() -> Path:
    """Where published data sets lie."""
    return Path(os.environ.get("DATA_DIR") or "data").expanduser()


def _digits() -> Arrays:
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
    return images[:split], labels[:split], images[split:], labels[split:]


def _cifar(name: str, download: bool = False) -> Arrays:
    """CIFAR-10 or CIFAR-100 (Krizhevsky 2009), 32 x 32 x 3, by torchvision, which checks MD5 sums
    before it opens the pickled batches."""
    from torchvision import datasets as published

    kind = getattr(published, CIFAR[name])
    try:
        train, test = (kind(root(), train=part, download=download) for part in (True, False))
    except RuntimeError as error:  # what torchvision raises where a file is missing or differs
        raise InvalidInput(
            f"dataset {name}: {root() / kind.base_folder} is missing or damaged; put the published "
            "folder there, set DATA_DIR to where it is, or run python -m benchmark.datasets "
            f"download {name}"
        ) from error
    return train.data, np.asarray(train.targets), test.data, np.asarray(test.targets)


def _npz(name: str, path: Path) -> Arrays:
    if not path.is_file():
        raise InvalidInput(f"dataset {name}: there is no file {path}; give the path of an .npz")
    wanted = ("x_train", "y_train", "x_test", "y_test")
    try:
        with path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
            arrays = {key: file[key] for key in wanted if key in file}
    except (zipfile.BadZipFile, ValueError, AttributeError, EOFError) as error:
        raise InvalidInput(
            f"dataset {name}: {path} is no .npz of plain arrays; write it with numpy.savez"
        ) from error
    missing = [key for key in wanted if key not in arrays]
    if missing:
        raise InvalidInput(f"dataset {name} lacks {', '.join(missing)}; it needs {wanted}")
    x_train, y_train, x_test, y_test = (arrays[key] for key in wanted)
    return x_train, y_train, x_test, y_test


def _check(name: str, x: NDArray[Any], y: NDArray[Any], split: str) -> None:
    """Raise ``InvalidInput`` unless these are images with a label each."""
    if x.ndim not in (3, 4) or not len(x) or y.size != len(x) or not (y == np.floor(y)).all():
        raise InvalidInput(
            f"dataset {name}: x_{split} has shape {x.shape} and y_{split} {y.shape}; "
            "give images N x H x W (x C) and N whole labels"
        )
    if y.min() < 0 or not np.isfinite(x).all():
        raise InvalidInput(
            f"dataset {name}: {split} has labels below 0 or pixels that are not finite; mend it"
        )


def _dataset(
    name: str,
    x_train: NDArray[np.generic],
    y_train: NDArray[np.generic],
    x_test: NDArray[np.generic],
    y_test: NDArray[np.generic],
) -> Dataset:
    _check(name, x_train, y_train, "train")
    _check(name, x_test, y_test, "test")
    if x_train.shape[1:] != x_test.shape[1:] or y_test.max() > y_train.max():
        raise InvalidInput(
            f"dataset {name}: test images {x_test.shape[1:]} with labels to {y_test.max()} do not "
            f"fit training images {x_train.shape[1:]} with labels to {y_train.max()}; mend it"
        )
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


@entry_point
def main(argv: Sequence[str] | None = None) -> int:
    """``python -m benchmark.datasets download NAME``: 0, or 2 and a sentence."""
    parser = Parser(prog="python -m benchmark.datasets", description=__doc__)
    parser.add_argument("command", choices=["download"])
    parser.add_argument("name", choices=[*CIFAR, "imagenet16-120"])
    name = parser.parse_args(argv).name
    if name in CIFAR:
        try:
            _cifar(name, download=True)
        except OSError as error:
            raise InvalidInput(
                f"{name} could not be downloaded to {root()} ({error}); try again, or put the "
                "published archive there"
            ) from error
    data = load(name)
    print(f"{name}: {len(data.y_train):,} + {len(data.y_test):,} images, sha256 {data.checksum}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
