"""The tables of rooms in docs/rooms.md: how many files each has, and which rooms import which.

``make readme`` writes the present one between the page's markers, and a test compares. For any
other version: ``git archive COMMIT | tar -x -C FOLDER; python tests/support/room_table.py FOLDER``.
"""

import sys
from functools import cache
from pathlib import Path
from typing import NamedTuple

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))

from search_spaces.output_files import replace_between
from support.imports import ROOT, imports, room_of

PAGE = ROOT / "docs" / "rooms.md"
BEGIN, END = "<!-- rooms: made by make readme -->\n", "<!-- end of rooms -->"


class Room(NamedTuple):
    """A folder or file right below a package, with the rooms that it imports."""

    name: str
    files: int
    imports: set[str]


def read_rooms(root: Path) -> dict[str, Room]:
    """The rooms of a checkout; a package's own ``__init__`` is part of none."""
    found: dict[str, Room] = {}
    for package in ("benchmark", "search_spaces"):
        for path in sorted((root / package).glob("*")):
            files = sorted(path.rglob("*.py")) if path.is_dir() else [path]
            if not files or path.suffix not in ("", ".py") or path.name == "__init__.py":
                continue
            name = f"{package}.{path.stem}"
            found[name] = Room(name, len(files), set())
    for importing, imported in imports(root=root):
        here, there = room_of(importing), room_of(imported)
        if here != there and here in found and there in found:
            found[here].imports.add(there)
    return found


def count_floors(rooms: dict[str, Room]) -> int:
    """Rooms on the longest way down; raises ``RecursionError`` where rooms import in a circle."""

    @cache
    def floor(name: str) -> int:
        return 1 + max((floor(below) for below in rooms[name].imports), default=0)

    return max(floor(name) for name in rooms)


def describe_totals(rooms: dict[str, Room]) -> list[str]:
    """Rooms, their largest, floors, and arrows between rooms, of each package and of both."""
    largest = max(rooms.values(), key=lambda room: room.files)
    return [
        "| | |",
        "|---|---:|",
        f"| rooms | {len(rooms)} |",
        f"| files in them | {sum(room.files for room in rooms.values())} |",
        f"| files in the largest (`{largest.name}`) | {largest.files} |",
        f"| rooms on the longest way down | {count_floors(rooms)} |",
        f"| arrows: a room imports another | {sum(len(r.imports) for r in rooms.values())} |",
    ]


def describe_rooms(rooms: dict[str, Room]) -> list[str]:
    """A row per room, and the totals."""
    rows = [
        f"| `{room.name}` | {room.files} | {len(room.imports)} | "
        f"{sum(name in other.imports for other in rooms.values())} |"
        for name, room in rooms.items()
    ]
    return [
        "| room | files | rooms it imports | rooms that import it |",
        "|---|---:|---:|---:|",
        *rows,
        "",
        *describe_totals(rooms),
    ]


def room_table() -> str:
    """What stands between the page's markers."""
    return "\n".join(describe_rooms(read_rooms(ROOT))) + "\n"


if __name__ == "__main__":
    if sys.argv[1:]:
        print("\n".join(describe_totals(read_rooms(Path(sys.argv[1])))))
    else:
        replace_between(PAGE, BEGIN, END, room_table())
