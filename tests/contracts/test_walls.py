"""Rooms stay small: few files to a folder, files of one concept, no circles between walls."""

from collections import defaultdict
from graphlib import TopologicalSorter
from pathlib import Path

import pytest
from support.imports import imports

ROOT = Path(__file__).parents[2]
PACKAGES = ("benchmark", "search_spaces")
FILES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
FOLDERS = sorted({str(path.parent.relative_to(ROOT)) for path in FILES})
MOST_FILES = 10
MOST_LINES = 270
LARGER_BY_DESIGN = {
    "benchmark": "every file is a command, or what all commands share",
    "benchmark/rules": "one rule a file, found by being there",
}


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_folder_holds_few_files(folder: str) -> None:
    names = [path.name for path in (ROOT / folder).glob("*.py")]
    files = [name for name in names if name not in ("__init__.py", "__main__.py")]
    fits = len(files) <= MOST_FILES
    assert fits or folder in LARGER_BY_DESIGN, "build a wall: give files of one concept a folder"


def test_exceptions_are_folders() -> None:
    assert set(FOLDERS) >= LARGER_BY_DESIGN.keys()


def test_no_file_is_long() -> None:
    lengths = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in FILES}
    long = [f"{path.relative_to(ROOT)}: {n}" for path, n in lengths.items() if n > MOST_LINES]
    assert long == [], "split the file: one concept each"


def test_imports_between_walls_have_one_direction() -> None:
    """Within each folder, its folders and files can be put in an order: no two need each other."""
    arrows: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for importing, imported in imports(types=False):
        first, second = importing.split("."), imported.split(".")
        shared = 0
        while shared < min(len(first), len(second)) and first[shared] == second[shared]:
            shared += 1
        if 0 < shared < min(len(first), len(second)):
            arrows[".".join(first[:shared])][first[shared]].add(second[shared])
    for graph in arrows.values():
        TopologicalSorter(graph).prepare()  # raises CycleError, which names the circle
