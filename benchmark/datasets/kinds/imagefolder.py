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
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torchvision.datasets import ImageFolder

from benchmark.datasets.images.dataset import StreamedDataset
from benchmark.datasets.images.file_hashes import hash_files
from benchmark.datasets.images.image_files import BLACK, ImageFiles
from benchmark.datasets.names import Name
from search_spaces.errors import InvalidInput

PARTS = ("train", "val")
OF_SYSTEMS = ("@eaDir", "#recycle", "$RECYCLE.BIN", "System Volume Information", "lost+found")
"""Folders that file servers and systems make anywhere: thumbnails, and what was deleted."""


def load(name: Name) -> StreamedDataset:
    """The training and test images of a folder, none of them decoded yet.

    The checksum is the sha256 of the size asked for and of every file's path in the folder and
    sha256: it covers all bytes of all images, their order and their labels. Raises ``InvalidInput``
    where there is no such folder, train and val differ in classes, a file cannot be read, or a
    hidden folder or file would become a class or an image.
    """
    parts = scan_parts(name)
    paths = [file for part in parts for file, _ in part.samples]
    try:
        hashes = hash_files(Path(name.path), paths)
    except OSError as error:
        raise InvalidInput(
            f"dataset {name.absolute}: {error.filename} cannot be read ({error.strerror}); let "
            "this user read it, or remove it"
        ) from error
    checksum = hash_folder(name, paths, hashes)
    split = len(parts[0].samples)
    root = Path(name.path)
    train = ImageFiles(root, paths[:split], hashes[:split], name.size)
    test = ImageFiles(root, paths[split:], hashes[split:], name.size)
    return StreamedDataset(
        name.label(checksum),
        torch.empty(train.shape, device="meta"),
        torch.tensor(parts[0].targets),
        torch.empty(test.shape, device="meta"),
        torch.tensor(parts[1].targets),
        len(parts[0].classes),
        checksum,
        name.absolute,
        BLACK,
        train_files=train,
        test_files=test,
    )


def hash_folder(name: Name, paths: Sequence[str], hashes: NDArray[np.uint8]) -> str:
    """The sha256 of a size, and of the files' paths and contents."""
    digest = hashlib.sha256(f"imagefolder 2\0{name.size}\n".encode())
    for path, content in zip(paths, hashes, strict=True):
        digest.update(os.fsencode(Path(path).relative_to(name.path).as_posix()))
        digest.update(b"\0" + content.tobytes().hex().encode() + b"\n")
    return digest.hexdigest()


def hash_sizes(name: Name) -> str:
    """The checksum of earlier versions: of the size, and of the files' paths and lengths."""
    digest = hashlib.sha256(f"{name.size}".encode())
    for part in scan_parts(name):
        for file, label in part.samples:
            relative = os.fsencode(Path(file).relative_to(name.path).as_posix())
            digest.update(relative + f"\0{Path(file).stat().st_size}\0{label}\n".encode())
    return digest.hexdigest()


def scan_parts(name: Name) -> list[Any]:
    """The training and the test folder as torchvision reads them; raises ``InvalidInput``."""
    parts = [scan_part(name, part) for part in PARTS]
    if parts[0].classes != parts[1].classes:
        only = sorted(set(parts[0].classes) ^ set(parts[1].classes))
        raise InvalidInput(
            f"dataset {name.absolute}: train and val have other classes ({only[0]} is in one of "
            "them alone); make their folders the same"
        )
    if len(parts[0].classes) < 2:
        raise InvalidInput(
            f"dataset {name.absolute} has one class; give a folder for each of at least two classes"
        )
    return parts


def scan_part(name: Name, part: str) -> Any:
    """One of the two folders."""
    folder = Path(name.path) / part
    try:
        refuse_hidden(name, folder, [each.name for each in os.scandir(folder) if each.is_dir()])
        found = ImageFolder(str(folder))
    except OSError as error:
        reason = " ".join(str(error).split())
        raise InvalidInput(
            f"dataset {name.absolute}: {folder} is no folder with a folder of images per class "
            f"({reason}); put train and val there (for ImageNet: unpack the published archives, "
            "which ask for an account at https://image-net.org/download-images), or give another "
            "path"
        ) from error
    refuse_hidden(name, folder, [os.path.relpath(file, folder) for file, _ in found.samples])
    refuse_no_files(name, found)
    return found


def refuse_no_files(name: Name, found: Any) -> None:
    """Raise ``InvalidInput`` for a pipe or a device among the images: reading it may never end."""
    for file, _ in found.samples:
        if not Path(file).is_file() and Path(file).exists():
            raise InvalidInput(f"dataset {name.absolute}: {file} is no regular file; remove it")


def refuse_hidden(name: Name, folder: Path, found: Sequence[str]) -> None:
    """Raise ``InvalidInput`` for hidden paths: programs leave copies and thumbnails there."""
    for path in found:
        if any(piece.startswith(".") or piece in OF_SYSTEMS for piece in Path(path).parts):
            raise InvalidInput(
                f"dataset {name.absolute}: {folder / path} is hidden, or a system's, and would "
                "count as a class or an image; remove it"
            )
