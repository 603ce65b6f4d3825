"""Arrays to a data set in memory: checked, standardized, named by their content."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from benchmark.datasets.images.checks import (
    check_classes,
    check_images,
    check_labels,
    check_scales,
    check_standardized,
)
from benchmark.datasets.images.dataset import Dataset
from benchmark.datasets.kinds.sources import Arrays
from benchmark.datasets.names import Name
from search_spaces.errors import InvalidInput


def build_dataset(name: Name, arrays: Arrays, classes: int = 0) -> Dataset:
    """The data set of these arrays; ``classes`` where their number is known (0: as the labels say).

    Images are N x H x W or N x H x W x C of any real type; labels are whole, from 0, without gaps.
    Raises ``InvalidInput`` for arrays that are no such thing
    (``benchmark.datasets.images.checks``).
    """
    x_train, y_train, x_test, y_test = arrays
    told = name.absolute
    for split, x, y in (("train", x_train, y_train), ("test", x_test, y_test)):
        check_images(told, x, split)
        check_labels(told, y, len(x), split)
    if x_train.shape[1:] != x_test.shape[1:]:
        raise InvalidInput(
            f"dataset {told}: test images {x_test.shape[1:]} do not fit training images "
            f"{x_train.shape[1:]}; give both one shape"
        )
    found = check_classes(told, y_train, y_test, classes)
    train, test = convert_images(told, x_train, "train"), convert_images(told, x_test, "test")
    mean = train.mean((0, 2, 3), keepdim=True)
    deviation = train.std((0, 2, 3), keepdim=True, unbiased=False).clamp_min(1e-8)
    train, test = (train - mean) / deviation, (test - mean) / deviation
    check_standardized(told, train)
    check_scales(told, train, test)
    checksum = hash_arrays(arrays)
    return Dataset(
        name.label(checksum),
        train,
        torch.as_tensor(y_train.astype(np.int64)).flatten(),
        test,
        torch.as_tensor(y_test.astype(np.int64)).flatten(),
        found,
        checksum,
        name.absolute,
        tuple((-mean / deviation).flatten().tolist()),
    )


def hash_arrays(arrays: Arrays) -> str:
    """The sha256 of the raw arrays: their shapes, types and bytes."""
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(f"{array.shape}{array.dtype}".encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def convert_images(name: str, array: NDArray[Any], split: str) -> Tensor:
    """N x H x W (x C) of any real type to float32 N x C x H x W.

    Raises ``InvalidInput`` where pixels are not finite, or not in float32.
    """
    with np.errstate(over="ignore"):
        x_NHWC = array.astype(np.float32)
    if not np.isfinite(x_NHWC).all():
        raise InvalidInput(
            f"dataset {name}: {split} has pixels that are not finite numbers in float32; "
            "replace or rescale them"
        )
    x = torch.as_tensor(x_NHWC)
    if x.dim() == 3:
        x = x[..., None]
    return x.permute(0, 3, 1, 2).contiguous()
