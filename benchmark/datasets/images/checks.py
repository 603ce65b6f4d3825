"""What a set of images is: the checks of the numbers that training will see.

Each raises ``InvalidInput`` with one sentence that names the data set, what is wrong and the mend.
Arrays are checked before and after they become standardized float32; folders by a sample of their
images, since nobody decodes all of them first.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from benchmark.datasets.images.dataset import Dataset
from search_spaces.errors import InvalidInput

COMMON_CHANNELS: Final = 4
"""Gray, gray with alpha, color, color with alpha."""
SCALE_RATIO: Final = 5.0
"""Of the deviations of two splits on one scale, at most; 0..255 and 0..1 have 255."""
SAMPLE_RATIO: Final = 1.5
"""How far, as a factor, the deviation of test images may lie outside of those of as many training
images: another year's photographs do, and images that were scaled twice lie further."""
SAMPLES: Final = 256
"""So many samples of training images are drawn to learn that range."""
LARGEST_SAMPLE: Final = 1024
CHANCE: Final = 1e-3
"""What is less likely than this by chance is taken for a mistake."""
SCALE_SHIFT: Final = 1.5
"""Training deviations between the means of two splits on one scale, at most; twice that where a
split is a single image."""
TOLERANCE: Final = 0.05
"""How far a standardized mean and deviation may be from 0 and 1: float32 lost the rest."""


def check_images(name: str, x: NDArray[Any], split: str) -> None:
    """Raise ``InvalidInput`` unless these are images N x H x W (x C) of real numbers."""
    if x.dtype.kind not in "biuf":
        raise InvalidInput(f"dataset {name}: x_{split} holds {x.dtype} values; give real numbers")
    if x.ndim not in (3, 4) or 0 in x.shape:
        raise InvalidInput(
            f"dataset {name}: x_{split} has shape {x.shape}; give images N x H x W (x C) "
            "with at least one pixel"
        )
    if x.ndim == 4 and is_transposed(*x.shape[1:]):
        raise InvalidInput(
            f"dataset {name}: x_{split} has shape {x.shape}, which reads as {x.shape[3]} channels "
            f"of {x.shape[1]} x {x.shape[2]} pixels; put channels last (N x H x W x C), "
            "for N x C x H x W by x.transpose(0, 2, 3, 1)"
        )


def is_transposed(height: int, width: int, channels: int) -> bool:
    """Whether an image's axes are more likely C x H x W (or H x C x W) than H x W x C."""
    least = min(height, width)
    if channels <= COMMON_CHANNELS:
        return height in (1, 3) and height < width == channels
    squares = height < width == channels or width < height == channels
    return squares or (least <= COMMON_CHANNELS and height != width and least < channels)


def check_labels(name: str, y: NDArray[Any], images: int, split: str) -> None:
    """Raise ``InvalidInput`` unless there is a whole label of 0 or more for every image."""
    if y.dtype.kind not in "biuf":
        raise InvalidInput(
            f"dataset {name}: y_{split} holds {y.dtype} values; number the classes from 0"
        )
    if y.size != images:
        raise InvalidInput(
            f"dataset {name}: x_{split} has {images} images and y_{split} {y.shape}; "
            "give N images and N whole labels"
        )
    if y.dtype.kind == "f" and not (np.isfinite(y).all() and (y == np.floor(y)).all()):
        raise InvalidInput(
            f"dataset {name}: y_{split} has labels that are not whole; give N whole labels"
        )
    if y.min() < 0:
        raise InvalidInput(f"dataset {name}: {split} has labels below 0; number classes from 0")


def check_classes(name: str, y_train: NDArray[Any], y_test: NDArray[Any], classes: int) -> int:
    """The number of classes; raises ``InvalidInput`` unless they are numbered without gaps.

    ``classes`` is how many the data set is known to have; 0: those of the training images, which
    must be 0, 1, 2 and so on.
    """
    present = np.unique(y_train)
    first, last = int(present[0]), int(present[-1])
    if not classes and first > 0:
        raise InvalidInput(
            f"dataset {name}: training labels run from {first} to {last}; number classes from 0"
        )
    if not classes and last >= len(present):
        absent = int(np.flatnonzero(present != np.arange(len(present)))[0])
        raise InvalidInput(
            f"dataset {name}: training labels run to {last} and none is {absent}; "
            "number classes without gaps"
        )
    found = classes or len(present)
    if found < 2:
        raise InvalidInput(f"dataset {name} has one class; give images of at least two classes")
    if (largest := int(max(last, y_test.max()))) >= found:
        raise InvalidInput(
            f"dataset {name}: labels to {largest} do not fit the {found} classes of the training "
            "images; give training images of every class"
        )
    check_test_labels(name, y_train, y_test)
    return found


def check_test_labels(name: str, y_train: NDArray[Any], y_test: NDArray[Any]) -> None:
    """Raise ``InvalidInput`` where all test images are of one class and chance does not explain it:
    the first images of a set that is sorted by class, for one."""
    _, count_C = np.unique(y_train, return_counts=True)
    likely = float(np.sum((count_C / count_C.sum()) ** y_test.size))
    if (y_test == y_test.flat[0]).all() and likely < CHANCE:
        raise InvalidInput(
            f"dataset {name}: all {y_test.size} test labels are {int(y_test.flat[0])}; "
            "give test images of every class"
        )


def check_standardized(name: str, train: Tensor) -> None:
    """Raise ``InvalidInput`` unless every channel x_NCHW has about mean 0 and deviation 1."""
    mean_C, deviation_C = train.mean((0, 2, 3)), train.std((0, 2, 3), unbiased=False)
    good_C = (mean_C.abs() < TOLERANCE) & ((deviation_C - 1).abs() < TOLERANCE)
    if not good_C.all():
        channel = int(torch.nonzero(~good_C)[0])
        raise InvalidInput(
            f"dataset {name}: channel {channel} of the training images cannot be brought to mean 0 "
            "and deviation 1 (all its pixels are equal, or too large or too close for float32); "
            "leave it out or rescale it"
        )


def check_varied(name: str, train: Tensor) -> None:
    """Raise ``InvalidInput`` where all pixels of a sample x_NCHW are equal."""
    if not float(train.std((0, 2, 3), unbiased=False).max()) > 1e-6:
        raise InvalidInput(
            f"dataset {name}: all pixels of the sampled training images are equal; "
            "give images that differ"
        )


def check_scales(name: str, train: Tensor, test: Tensor) -> None:
    """Raise ``InvalidInput`` unless the pixels of both splits, x_NCHW, are on one scale."""
    mean, deviation = float(train.mean()), float(train.std(unbiased=False))
    shift = abs(float(test.mean()) - mean) / max(deviation, 1e-30)
    ratio = float(test.std(unbiased=False)) / max(deviation, 1e-30)
    least, most = find_sampled_ratios(train, len(test))
    alike = max(least / SAMPLE_RATIO, 1 / SCALE_RATIO) <= ratio
    alike &= ratio <= min(most * SAMPLE_RATIO, SCALE_RATIO)
    if not (alike and shift <= SCALE_SHIFT * (1 + len(test) ** -0.5)):
        raise InvalidInput(
            f"dataset {name}: training and test pixels are not on one scale (test pixels have "
            f"{ratio:.3g} times the deviation and lie {shift:.3g} deviations away); "
            "scale both splits alike"
        )


def find_sampled_ratios(train: Tensor, images: int) -> tuple[float, float]:
    """The least and the greatest deviation of so many of the images x_NCHW, drawn at random, as
    shares of the deviation of all."""
    mean_N = train.mean((1, 2, 3), dtype=torch.float64)
    square_N = torch.linalg.vector_norm(train, dim=(1, 2, 3)).double() ** 2 / train[0].numel()
    chance = torch.Generator().manual_seed(0)
    shape = (SAMPLES, min(images, LARGEST_SAMPLE))
    index_SN = torch.randint(len(train), shape, generator=chance)
    variance_S = square_N[index_SN].mean(1) - mean_N[index_SN].mean(1) ** 2
    variance = float(square_N.mean() - mean_N.mean() ** 2)
    ratio_S = (variance_S.clamp_min(0) / max(variance, 1e-30)).sqrt()
    return float(ratio_S.min()), float(ratio_S.max())


def check_split(data: Dataset, validation: float) -> None:
    """Raise ``InvalidInput`` unless a share holds out an image and leaves one to train on."""
    images = len(data.y_train)
    held_out = round(images * validation)
    if not 0 < held_out < images:
        raise InvalidInput(
            f"recipe field validation={validation} holds out {held_out} of the {images} training "
            f"images of dataset {data.name}; give another share or more images"
        )
