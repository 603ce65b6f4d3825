"""The images: loaded once per process, identified by their content.

Published sets lie under the folder that the environment variable ``DATA_DIR`` names (``./data``
where it names none). A study never downloads; ``python -m benchmark.datasets download cifar10``
does, with a progress bar, and compares checksums.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from benchmark.datasets.images.dataset import Dataset
from benchmark.datasets.kinds import synthetic
from benchmark.datasets.kinds.arrays import build_dataset
from benchmark.datasets.kinds.sources import CIFAR, Arrays, load_cifar, load_digits, load_npz
from benchmark.datasets.names import Name, parse_name
from search_spaces.errors import InvalidInput


def load(name: str) -> Dataset:
    """The data set of a name (``benchmark.datasets.names``), read once per process and path.

    Raises ``InvalidInput`` for an unknown name, for missing or malformed files and for arrays that
    are no set of images.
    """
    return load_named(parse_name(name))


def load_planned(name: str, checksum: str) -> Dataset:
    """The data set of a name, for a unit of work that was planned with a checksum.

    Where this process holds other content, the files are read again; the caller compares. Raises
    ``InvalidInput`` as ``load`` does, but in sentences without the path, since they are kept with
    the results.
    """
    known = parse_name(name)
    label = known.label(checksum)
    try:
        data = load_named(known)
        if data.checksum != checksum:
            load_named.cache_clear()
            data = load_named(known)
    except InvalidInput as error:
        if not known.path:
            raise
        told = str(error).replace(known.absolute, label).replace(known.path, label)
        raise InvalidInput(told) from error
    return data


@cache
def load_named(name: Name) -> Dataset:
    """As ``load``, of a name that was parsed."""
    if name.kind == "imagefolder":
        from benchmark.datasets.kinds import imagefolder  # torchvision takes seconds

        return imagefolder.load(name)
    if name.kind == "imagenet16-120":
        from benchmark.datasets.kinds import imagenet16

        return build_dataset(name, load_arrays(name), imagenet16.CLASSES)
    return build_dataset(name, load_arrays(name))


def load_arrays(name: Name) -> Arrays:
    """The raw arrays of a set that is not a folder of images; raises ``InvalidInput``."""
    path = Path(name.path)
    if name.kind == "digits":
        return load_digits()
    if name.kind == "synthetic":
        return synthetic.make_images()
    if name.kind in CIFAR:
        return load_cifar(name.kind, path)
    if name.kind == "imagenet16-120":
        from benchmark.datasets.kinds import imagenet16

        return imagenet16.load(path / imagenet16.FOLDER)
    return load_npz(path)
