"""NATS-Bench's records, read through the nats-bench API: every accuracy, and nothing made up.

Dong, Liu, Musial and Gabrys, arXiv 2009.00437. The API's defaults answer another question than the
one asked: ``get_more_info`` takes the 12-epoch record of a random seed unless told otherwise, fails
for a seed that a cell lacks, and keeps CIFAR-10's validation accuracies under ``cifar10-valid``
(trained on half the images). So a record is asked only for the epochs, data sets and seeds it
holds, each by name.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

from nats_bench import create

from search_spaces.errors import InvalidInput
from search_spaces.nasbench201.cell import official_order, write

META: Final = "meta.pickle.pbz2"
RECORD: Final = re.compile(r"(\d+)\.pickle\.pbz2")
DATASETS: Final = {
    "cifar10": "cifar10",
    "cifar10-valid": "cifar10-valid",
    "cifar100": "cifar100",
    "ImageNet16-120": "imagenet16-120",
}
"""The API's names and the table's."""
SPLITS: Final = ("valid", "test", "valtest")

AccuracyRow = tuple[int, str, str, str, int, int | None, float]
"""index, arch, dataset, split, epochs, seed (None: the mean over the record's seeds), accuracy."""


class Records:
    """A folder of NATS-Bench's topology records: ``meta.pickle.pbz2`` and a pickle per cell.

    Loading a pickle runs code: only files of the folder that was named are loaded. Raises
    ``InvalidInput`` where it holds no records of this search space.
    """

    def __init__(self, folder: Path) -> None:
        if not (folder / META).is_file():
            raise InvalidInput(
                f"{folder} holds no {META}; name the extracted folder NATS-tss-v1_0-3ffb9-simple"
            )
        named = ((RECORD.fullmatch(path.name), path) for path in sorted(folder.iterdir()))
        self.paths = {int(match[1]): path for match, path in named if match}
        if not self.paths:
            raise InvalidInput(f"{folder} holds no record such as 000000.pickle.pbz2")

        def connect() -> Any:
            return create(str(folder), "tss", fast_mode=True, verbose=False)

        self.folder, self.api = str(folder), load_file(folder / META, connect)
        self.archs = [write(cell) for cell in official_order()]
        if self.api.meta_archs != self.archs:
            raise InvalidInput(f"{folder / META} lists other architectures than NAS-Bench-201's")

    def rows(self, index: int) -> Iterator[AccuracyRow]:
        """Every accuracy of a cell's record, as a share in [0, 1]; a seed it lacks has no row."""
        load_file(self.paths[index], lambda: self.api.reload(self.folder, index))
        for epochs, results in self.api.arch2infos_dict[index].items():
            if results.arch_str != self.archs[index]:
                raise InvalidInput(f"{self.paths[index]} is the record of {results.arch_str}")
            for theirs in DATASETS.keys() & results.dataset_seed.keys():
                for seed in (None, *results.dataset_seed[theirs]):
                    asked = False if seed is None else int(seed)
                    info = self.api.get_more_info(index, theirs, hp=epochs, is_random=asked)
                    head = (index, self.archs[index], DATASETS[theirs])
                    for split in SPLITS:
                        if f"{split}-accuracy" in info:
                            share = float(info[f"{split}-accuracy"]) / 100
                            yield (*head, split, int(epochs), seed, share)
        del self.api.arch2infos_dict[index]  # the API would keep every record it has read


def load_file(path: Path, load: Callable[[], Any]) -> Any:
    """What ``load`` makes of a pickle; ``InvalidInput`` naming the file where it is damaged."""
    try:
        return load()
    except Exception as error:  # unpickling a damaged file may raise anything
        raise InvalidInput(
            f"{path} cannot be read as a record ({type(error).__name__}: {error}); "
            "extract it again from the archive"
        ) from error
