"""Where arrays of images come from: the digits, the CIFAR sets and ``.npz`` files."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any, Final
from zipfile import ZipFile

import numpy as np
import psutil
from numpy.typing import NDArray

from search_spaces.errors import InvalidInput

Arrays = tuple[NDArray[Any], NDArray[Any], NDArray[Any], NDArray[Any]]
"""x_train, y_train, x_test, y_test: images N x H x W (x C) and labels."""

CIFAR: Final = {"cifar10": "CIFAR10", "cifar100": "CIFAR100"}
"""Names here and in torchvision."""

DIGITS_TEST: Final = 360
"""How many of the 1,797 digits are the test split: about a fifth, the last of a fixed shuffle."""

NPZ_ARRAYS: Final = ("x_train", "y_train", "x_test", "y_test")


def load_digits() -> Arrays:
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


def load_cifar(name: str, folder: Path, download: bool = False) -> Arrays:
    """CIFAR-10 or CIFAR-100 (Krizhevsky 2009), 32 x 32 x 3, by torchvision, which checks MD5 sums
    before it opens the pickled batches.

    Raises ``InvalidInput`` where files are missing or differ, ``OSError`` where a download fails.
    """
    from torchvision import datasets as published  # takes seconds, and few studies need it

    kind = getattr(published, CIFAR[name])
    try:
        train, test = (kind(folder, train=part, download=download) for part in (True, False))
    except RuntimeError as error:  # what torchvision raises where a file is missing or differs
        raise InvalidInput(
            f"dataset {name}: {folder / kind.base_folder} is missing or damaged; put the published "
            "folder there, set DATA_DIR to where it is, or run python -m benchmark.datasets "
            f"download {name}"
        ) from error
    return train.data, np.asarray(train.targets), test.data, np.asarray(test.targets)


def count_bytes(archive: ZipFile) -> int:
    """How many bytes the arrays have when they are unpacked; no more than that is ever read."""
    members = {info.filename: info.file_size for info in archive.infolist()}
    return sum(members.get(f"{key}.npy", 0) for key in NPZ_ARRAYS)


def load_npz(path: Path) -> Arrays:
    """The four arrays of a file that ``numpy.savez`` wrote; nothing in it is unpickled.

    Raises ``InvalidInput`` where there is no such file, or it is damaged or lacks an array.
    """
    name = f"npz:{path}"
    try:
        if not path.is_file():
            raise InvalidInput(f"dataset {name}: there is no file {path}; give the path of an .npz")
        with path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
            if 2 * count_bytes(file.zip) > psutil.virtual_memory().available:  # twice, as float32
                raise MemoryError
            arrays = {key: file[key] for key in NPZ_ARRAYS if key in file}
    except InvalidInput:
        raise
    except PermissionError as error:
        raise InvalidInput(
            f"dataset {name}: {path} cannot be read ({error.strerror}); let this user read it"
        ) from error
    except MemoryError as error:
        raise InvalidInput(
            f"dataset {name}: {path} holds or claims to hold more than fits in memory; "
            "give fewer or smaller images, or a folder of images (imagefolder:PATH)"
        ) from error
    except Exception as error:  # zip, zlib, struct and numpy each raise their own
        raise InvalidInput(
            f"dataset {name}: {path} is no .npz of plain arrays; write it with numpy.savez"
        ) from error
    if missing := [key for key in NPZ_ARRAYS if key not in arrays]:
        raise InvalidInput(
            f"dataset {name} lacks {', '.join(missing)}; it needs {', '.join(NPZ_ARRAYS)}"
        )
    x_train, y_train, x_test, y_test = (np.asarray(arrays[key]) for key in NPZ_ARRAYS)
    return x_train, y_train, x_test, y_test
