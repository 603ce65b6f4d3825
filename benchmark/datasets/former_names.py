"""Names and checksums under which earlier versions stored results of the same images.

Unit ids used to hold the data set's name as it was typed, with its path, and a checksum of folders
that did not read the images. Results that were stored so are still found by the same command.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Final

from benchmark.datasets.images.dataset import Dataset, StreamedDataset
from benchmark.datasets.names import IMAGE_SIZE, parse_name

EIGHT_BIT: Final = {".jpg", ".jpeg", ".webp", ".bmp"}
"""Endings of files whose pixels are decoded as they always were; so are PNGs without deep grays."""
PNG_HEADER: Final = 26
DEEP_GRAY: Final = bytes([16, 0])
"""Bits per sample and color type in a PNG's header."""


@lru_cache(maxsize=4)
def list_former_names(typed: str, data: Dataset) -> tuple[tuple[str, str], ...]:
    """Pairs of name and checksum; empty where they are the present ones.

    Folders with images of more than 8 bits have none: those used to be clipped, so their results
    are of other images.
    """
    name = parse_name(typed)
    if name.kind == "npz":
        checksum = data.checksum
    elif isinstance(data, StreamedDataset):
        from benchmark.datasets.kinds.imagefolder import hash_sizes

        if not all(map(is_decoded_as_before, [*data.train_files.paths, *data.test_files.paths])):
            return ()
        checksum = hash_sizes(name)
    else:
        return ()
    names = [typed, name.absolute]
    if name.size == IMAGE_SIZE:
        names.append(f"{name.kind}:{name.path}")
    return tuple((each, checksum) for each in dict.fromkeys(names))


def is_decoded_as_before(path: str) -> bool:
    """Whether an image file has 8 bits per sample, as far as its name and header tell."""
    ending = Path(path).suffix.lower()
    if ending != ".png":
        return ending in EIGHT_BIT
    with Path(path).open("rb") as file:
        return file.read(PNG_HEADER)[-2:] != DEEP_GRAY
