"""Image files to standardized tensors: read, compared with their hash, decoded, resized, cut."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from benchmark.datasets.images.file_hashes import count_cpus
from search_spaces.errors import InvalidInput

MARGIN: Final = 256 / 224
MEAN: Final = (0.485, 0.456, 0.406)
"""Of ImageNet's training images, as torchvision has it: nobody reads all of them first."""
DEVIATION: Final = (0.229, 0.224, 0.225)
BLACK: Final = tuple(-mean / deviation for mean, deviation in zip(MEAN, DEVIATION, strict=True))
FORMATS: Final = ("JPEG", "PNG", "PPM", "BMP", "TIFF", "WEBP", "GIF")
"""What is read, whatever a file's ending: other readers of Pillow start programs."""
DEEPEST: Final = 65535
"""The largest value of 16 bits."""


class ImageFiles:
    """Images by number: float32 3 x size x size, decoded by as many threads as there are cores."""

    def __init__(
        self, root: Path, paths: Sequence[str], hashes: NDArray[np.uint8], size: int
    ) -> None:
        self.root, self.paths, self.hashes, self.size = root, paths, hashes, size

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """(images, channels, height, width)."""
        return len(self.paths), 3, self.size, self.size

    def read(self, index: Tensor) -> Tensor:
        """The images of an index of any shape; one that is asked for twice is decoded once.

        Raises ``InvalidInput`` for a file that is no image or has changed.
        """
        numbers, where = index.cpu().unique(return_inverse=True)
        with ThreadPoolExecutor(count_cpus()) as pool:
            x_NCHW = torch.stack(list(pool.map(self.decode, numbers.tolist())))
        return x_NCHW[where]

    def decode(self, number: int) -> Tensor:
        """One image, resized, cut and standardized.

        Raises ``InvalidInput`` that names the file by its path in the folder.
        """
        from torchvision.transforms.functional import normalize  # takes seconds: see read_pixels

        path = Path(self.paths[number])
        told = path.relative_to(self.root).as_posix()
        try:
            data = path.read_bytes()
        except OSError as error:
            raise InvalidInput(f"image {told} cannot be read ({error.strerror})") from error
        if hashlib.sha256(data).digest() != self.hashes[number].tobytes():
            raise InvalidInput(
                f"image {told} has changed since the data set was loaded; "
                "leave the images alone while a study runs, and run the command again"
            )
        try:
            with Image.open(io.BytesIO(data), formats=FORMATS) as opened:
                x_CHW = read_pixels(opened, self.size)
        except MemoryError:
            raise
        except Exception as error:  # Pillow's readers raise whatever a broken file leads them to
            raise InvalidInput(
                f"{told} is no image ({type(error).__name__}: {' '.join(str(error).split())}); "
                "replace or remove it"
            ) from error
        return torch.as_tensor(normalize(x_CHW, list(MEAN), list(DEVIATION)))


def read_pixels(image: Image.Image, size: int) -> Tensor:
    """The middle of an image, float32 3 x size x size in [0, 1].

    Grays of more than 8 bits keep them: 0 is black and the largest value of 16 bits (for
    floating-point pixels 1) is white. Raises ``ValueError`` for grays beyond, and what Pillow
    raises.
    """
    # Imports torch's compiler: seconds of every worker, and few studies train on image files.
    from torchvision.transforms import functional as transforms

    image = scale_deep(image) if image.mode[0] in "IF" else image.convert("RGB")
    image = transforms.resize(image, round(size * MARGIN))
    image = transforms.center_crop(image, size)
    x_CHW = transforms.pil_to_tensor(image).float() / 255
    return torch.as_tensor(x_CHW.expand(3, -1, -1))


def scale_deep(image: Image.Image) -> Image.Image:
    """A gray image of 16 or 32 bits (modes I, I;16 and F) as floats from 0 to 255."""
    values = np.asarray(image).astype(np.float32)
    white = 1 if image.mode == "F" else DEEPEST
    if not (np.isfinite(values).all() and values.min() >= 0 and values.max() <= white):
        raise ValueError(
            f"its gray values run from {values.min():g} to {values.max():g}, not from 0 to {white}"
        )
    return Image.fromarray(values * np.float32(255 / white))
