"""The data sets ``imagefolder:PATH``: photographs in folders by class, decoded as they are needed.

ImageNet does not fit in memory. PATH holds ``train`` and ``val``, each with a folder per class, as
torchvision's ``ImageFolder`` reads them. ``imagefolder:PATH?size=64`` asks for images of 64 x 64
(224 where nothing is said): the shorter side is resized to size x 256 / 224 and the middle is cut
out, in training too; flips and padded crops are the recipe's.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

import torch
from PIL import Image, UnidentifiedImageError
from torch import Tensor
from torchvision.datasets import ImageFolder
from torchvision.transforms import functional as transforms

from search_spaces.errors import InvalidInput

SIZE: Final = 224
LARGEST: Final = 1024
MARGIN: Final = 256 / 224
MEAN: Final = (0.485, 0.456, 0.406)
"""Of ImageNet's training images, as torchvision has it: nobody reads all of them first."""
DEVIATION: Final = (0.229, 0.224, 0.225)


class Files:
    """Images by number: float32 3 x size x size, decoded by as many threads as there are cores."""

    def __init__(self, paths: Sequence[str], size: int) -> None:
        self.paths, self.size = paths, size

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """(images, channels, height, width)."""
        return len(self.paths), 3, self.size, self.size

    def read(self, index: Tensor) -> Tensor:
        """The images of an index of any shape; one that is asked for twice is decoded once.

        Raises ``InvalidInput`` for a file that is no image.
        """
        numbers, where = index.cpu().unique(return_inverse=True)
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            x_NCHW = torch.stack(list(pool.map(self.decode, numbers.tolist())))
        return x_NCHW[where]

    def decode(self, number: int) -> Tensor:
        """One image, resized, cut and standardised."""
        path = self.paths[number]
        try:
            with Image.open(path) as opened:
                image = opened.convert("RGB")
        except (UnidentifiedImageError, OSError) as error:
            raise InvalidInput(f"{path} is no image ({error}); replace or remove it") from error
        image = transforms.resize(image, round(self.size * MARGIN))
        image = transforms.center_crop(image, self.size)
        x_CHW = transforms.pil_to_tensor(image).float() / 255
        return torch.as_tensor(transforms.normalize(x_CHW, list(MEAN), list(DEVIATION)))


def load(name: str) -> tuple[Files, Tensor, Files, Tensor, int, str]:
    """Training and test images with labels, the number of classes, and a checksum.

    The checksum is the sha256 of the size asked for and of every file's name and length: reading
    the contents of ImageNet takes an hour. Raises ``InvalidInput`` where there is no such folder.
    """
    path, _, option = name.removeprefix("imagefolder:").partition("?")
    size = _size(name, option)
    parts = [_part(name, Path(path) / part) for part in ("train", "val")]
    if parts[0].classes != parts[1].classes:
        raise InvalidInput(f"dataset {name}: train and val have other classes; mend one of them")
    digest = hashlib.sha256(f"{size}".encode())
    for part in parts:
        for file, label in part.samples:
            relative = Path(file).relative_to(path).as_posix()
            digest.update(f"{relative}\0{Path(file).stat().st_size}\0{label}\n".encode())
    train, test = (Files([file for file, _ in part.samples], size) for part in parts)
    y_train, y_test = (torch.tensor(part.targets) for part in parts)
    return train, y_train, test, y_test, len(parts[0].classes), digest.hexdigest()


def _size(name: str, option: str) -> int:
    key, _, value = option.partition("=")
    if not option:
        return SIZE
    if key != "size" or not value.isdecimal() or not 8 <= int(value) <= LARGEST:
        raise InvalidInput(f"dataset {name}: write ?size=N with N pixels, 8 to {LARGEST}")
    return int(value)


def _part(name: str, folder: Path) -> Any:
    try:
        return ImageFolder(str(folder))
    except (FileNotFoundError, NotADirectoryError) as error:
        reason = " ".join(str(error).split())
        raise InvalidInput(
            f"dataset {name}: {folder} is no folder with a folder of images per class ({reason}); "
            "put train and val there (for ImageNet: unpack the published archives, which ask for "
            "an account at https://image-net.org/download-images), or give another path"
        ) from error
