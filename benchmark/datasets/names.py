"""Names of data sets: what a user types, where every process reads, and what results are told.

A user types ``npz:~/x.npz`` or ``cifar10``. ``parse_name`` makes that absolute, once, so that a
process with another working folder or another ``DATA_DIR`` reads the same files. Results bear the
label, which names the content and holds no path: ``npz:`` and the first digits of the checksum.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from search_spaces.errors import InvalidInput

BUILT_IN: Final = ("digits", "synthetic")
PUBLISHED: Final = ("cifar10", "cifar100", "imagenet16-120")
"""Sets that lie under ``DATA_DIR``, or under FOLDER where a name ends in ``:FOLDER``."""
NAMES: Final = (*BUILT_IN, *PUBLISHED, "imagefolder:PATH", "npz:PATH")

IMAGE_SIZE: Final = 224
"""Pixels of an ``imagefolder``'s images where its name does not say."""
SMALLEST_SIZE: Final = 8
LARGEST_SIZE: Final = 1024
LABEL_DIGITS: Final = 12
SIZE_OPTION: Final = re.compile(r"(?s)(?P<path>.*)\?size=(?P<size>[0-9]+)")


@dataclass(frozen=True)
class Name:
    """A data set's kind, the absolute path of its files ("" where it has none) and, for folders of
    images, the size in pixels that is asked for (0 for other kinds)."""

    kind: str
    path: str = ""
    size: int = 0

    @property
    def absolute(self) -> str:
        """The name that reads the same files in every process; ``parse_name`` reads it back."""
        option = f"?size={self.size}" if self.size else ""
        return f"{self.kind}:{self.path}{option}" if self.path else self.kind

    def label(self, checksum: str) -> str:
        """The name that results bear: of the content, whatever its path."""
        if self.kind in (*BUILT_IN, *PUBLISHED):
            return self.kind
        option = f"?size={self.size}" if self.size else ""
        return f"{self.kind}:{checksum[:LABEL_DIGITS]}{option}"


def parse_name(text: str) -> Name:
    """The data set of a name as a user types it: one of ``NAMES``, ``~`` and relative paths too.

    The option of ``imagefolder:PATH?size=N`` is what follows the last question mark, unless all of
    it is the path of a folder. Raises ``InvalidInput`` for an unknown name, for an empty path and
    for a size out of bounds.
    """
    kind, _, path = text.partition(":")
    if text in BUILT_IN:
        return Name(text)
    if text in PUBLISHED:
        return Name(text, data_folder())
    if kind not in (*PUBLISHED, "npz", "imagefolder"):
        raise InvalidInput(f"unknown dataset {text!r}; use one of {', '.join(NAMES)}")
    if not path or "\0" in path:
        raise InvalidInput(f"dataset {text!r} names no path; write {kind}:PATH")
    if kind == "imagefolder":
        path, size = split_size(text, path)
        return Name(kind, absolute_path(path), size)
    return Name(kind, absolute_path(path))


def split_size(text: str, path: str) -> tuple[str, int]:
    """The path and the size of ``PATH?size=N``; raises ``InvalidInput``."""
    if found := SIZE_OPTION.fullmatch(path):
        path, digits = found["path"], found["size"].lstrip("0")
        size = int(digits) if 0 < len(digits) < 9 else 0
    elif "?" not in path or Path(absolute_path(path)).is_dir():
        size = IMAGE_SIZE
    else:
        size = 0
    if not path or not SMALLEST_SIZE <= size <= LARGEST_SIZE:
        raise InvalidInput(
            f"dataset {text}: write ?size=N with N pixels, {SMALLEST_SIZE} to {LARGEST_SIZE}"
        )
    return path, size


def data_folder() -> str:
    """The absolute path of the folder of published sets: ``DATA_DIR``, or ``./data``."""
    return absolute_path(os.environ.get("DATA_DIR") or "data")


def absolute_path(path: str) -> str:
    """Of a path that may begin with ``~``. Links and ``..`` stay: another node has its own links.

    Raises ``InvalidInput`` where the home or the working folder is not known.
    """
    try:
        return str(Path(path).expanduser().absolute())
    except (RuntimeError, OSError) as error:  # ~somebody, no home, or a deleted working folder
        raise InvalidInput(f"path {path}: {error}; give an absolute path") from error
