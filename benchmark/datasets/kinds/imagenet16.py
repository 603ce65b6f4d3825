"""ImageNet16-120: ImageNet at 16 x 16 pixels, its first 120 classes, from the published batches.

The images are those of Chrabaszcz, Loshchilov and Hutter (arXiv 1707.08819); the cut to 120 classes
is NAS-Bench-201's (arXiv 2001.00326). The batches are pickles: their checksums are compared before
they are opened, and the unpickler knows arrays, lists and numbers alone.
"""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO, Final

import numpy as np
from numpy.typing import NDArray
from torchvision.datasets.utils import check_integrity

from search_spaces.errors import InvalidInput

FOLDER: Final = "ImageNet16"
SOURCE: Final = "https://image-net.org/download-images"
CLASSES: Final = 120
SIDE: Final = 16

TRAIN: Final = {
    "train_data_batch_1": "27846dcaa50de8e21a7d1a35f30f0e91",
    "train_data_batch_2": "c7254a054e0e795c69120a5727050e3f",
    "train_data_batch_3": "4333d3df2e5ffb114b05d2ffc19b1e87",
    "train_data_batch_4": "1620cdf193304f4a92677b695d70d10f",
    "train_data_batch_5": "348b3c2fdbb3940c4e9e834affd3b18d",
    "train_data_batch_6": "6e765307c242a1b3d7d5ef9139b48945",
    "train_data_batch_7": "564926d8cbf8fc4818ba23d2faac7564",
    "train_data_batch_8": "f4755871f718ccb653440b9dd0ebac66",
    "train_data_batch_9": "bb6dd660c38c58552125b1a92f86b5d4",
    "train_data_batch_10": "8f03f34ac4b42271a294f91bf480f29b",
}
"""The published files and their MD5 sums (as NAS-Bench-201's code lists them)."""
TEST: Final = {"val_data": "3410e3017fdaefba8d5073aaa65e4bd6"}

# Modules as the pickles name them (written by old versions of numpy), and where they are now.
_KNOWN: Final = {
    ("numpy.core.multiarray", "_reconstruct"): "numpy._core.multiarray",
    ("numpy._core.multiarray", "_reconstruct"): "numpy._core.multiarray",
    ("numpy", "ndarray"): "numpy",
    ("numpy", "dtype"): "numpy",
    ("_codecs", "encode"): "_codecs",
}


class ArraysOnly(pickle.Unpickler):
    """Refuses a pickle that names anything but what numpy's arrays are made of."""

    def __init__(self, file: BinaryIO) -> None:
        super().__init__(file, encoding="latin1")  # Python 2 wrote them

    def find_class(self, module: str, name: str) -> Any:
        """The few names of an array; raises ``UnpicklingError`` for any other."""
        if (module, name) not in _KNOWN:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}, and is no array")
        return super().find_class(_KNOWN[module, name], name)


def load(folder: Path) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any], NDArray[Any]]:
    """x_train, y_train, x_test, y_test: uint8 N x 16 x 16 x 3, labels 0 to 119.

    Raises ``InvalidInput`` where a file is missing, not the published one, or no pickle of arrays.
    """
    wanted = {**TRAIN, **TEST}
    wrong = [name for name, md5 in wanted.items() if not check_integrity(folder / name, md5)]
    if wrong:
        listed = ", ".join(wrong[:2]) + (f" and {len(wrong) - 2} more" if len(wrong) > 2 else "")
        raise InvalidInput(
            f"dataset imagenet16-120: {listed} in {folder} are missing or not the published files; "
            f"get the 16 x 16 train and val archives from {SOURCE} (it asks for an account, so no "
            "command downloads them) and unpack them there, or set DATA_DIR"
        )
    return (*_cut(folder, TRAIN), *_cut(folder, TEST))


def _cut(folder: Path, files: Mapping[str, str]) -> tuple[NDArray[Any], NDArray[Any]]:
    """The images and labels of the first classes, in the order of the files."""
    images, labels = [], []
    for name in files:
        x_NP, y_N = _batch(folder / name)
        images.append(x_NP[y_N <= CLASSES])
        labels.append(y_N[y_N <= CLASSES])
    x_NCHW = np.concatenate(images).reshape(-1, 3, SIDE, SIDE)
    return x_NCHW.transpose(0, 2, 3, 1), np.concatenate(labels) - 1


def _batch(path: Path) -> tuple[NDArray[Any], NDArray[Any]]:
    """One file: pixels N x 768, channels first, and labels from 1."""
    try:
        with path.open("rb") as file:
            entry = ArraysOnly(file).load()
        x_NP, y_N = np.asarray(entry["data"]), np.asarray(entry["labels"])
        if x_NP.shape != (len(y_N), 3 * SIDE * SIDE):
            raise ValueError(f"its images are {x_NP.shape} for {len(y_N)} labels")
    except (pickle.UnpicklingError, EOFError, KeyError, TypeError, ValueError) as error:
        raise InvalidInput(
            f"dataset imagenet16-120: {path} is no batch of images ({error}); download it again"
        ) from error
    return x_NP, y_N
