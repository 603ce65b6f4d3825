"""A sample of a folder's images, decoded when a study is planned: certain failures are met once."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import torch
from torch import Tensor

from benchmark.datasets.images.checks import check_scales, check_varied
from benchmark.datasets.images.dataset import Dataset, StreamedDataset
from benchmark.datasets.images.image_files import ImageFiles
from search_spaces.errors import InvalidInput

SAMPLE: Final = 64
"""Images of a split that are decoded, evenly spread over its files."""


@lru_cache(maxsize=4)
def check_sample(data: Dataset) -> None:
    """Decode a sample of a folder's images; those of a set in memory were checked when it was read.

    Raises ``InvalidInput`` where a file is no image, all pixels are equal, or training and test
    images are not on one scale.
    """
    if not isinstance(data, StreamedDataset):
        return
    try:
        train, test = sample_images(data.train_files), sample_images(data.test_files)
    except InvalidInput as error:
        raise InvalidInput(f"dataset {data.place}: {error}") from error
    check_varied(data.place, train)
    check_scales(data.place, train, test)


def sample_images(files: ImageFiles) -> Tensor:
    """Up to ``SAMPLE`` images of a split, standardized."""
    count = min(SAMPLE, len(files.paths))
    return files.read(torch.linspace(0, len(files.paths) - 1, count).round().long())
