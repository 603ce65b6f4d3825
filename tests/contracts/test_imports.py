"""The rooms, and what each may import: read from the code, and checked again in a fresh process.

``ROOMS`` is the table: a row per room with its line and the rooms that it may import. A room
imports lower lines only. Rooms of one line do not import one another, but for the commands.
"""

import subprocess
import sys
from typing import NamedTuple

import pytest
from support.imports import imports, room_of


class Room(NamedTuple):
    """``line`` as in the table of layers; ``imports`` are names of rooms."""

    line: float
    imports: str


ROOMS = {
    # search_spaces: line 0, with lines of its own
    "search_spaces": Room(0, ""),
    "search_spaces.errors": Room(0.0, ""),
    "search_spaces.command": Room(0.1, "errors"),
    "search_spaces.output_files": Room(0.1, "errors"),
    "search_spaces.plug_ins": Room(0.0, ""),
    "search_spaces.graph": Room(0.1, "errors"),
    "search_spaces.paths": Room(0.2, "errors graph"),
    "search_spaces.space": Room(0.2, "errors graph"),
    "search_spaces.layers": Room(0.2, "errors options"),
    "search_spaces.options": Room(0.1, "errors"),
    "search_spaces.conventions": Room(0.3, "errors graph paths space"),
    "search_spaces.nasbench201": Room(0.4, "conventions errors graph layers options paths space"),
    "search_spaces.dag": Room(0.4, "conventions errors graph layers options paths space"),
    "search_spaces.ladders": Room(0.4, "conventions errors graph layers options paths space"),
    "search_spaces.traced": Room(
        0.4, "conventions errors graph layers options output_files paths space"
    ),
    "search_spaces.modules": Room(0.45, "errors graph ladders layers options paths space traced"),
    "search_spaces.registry": Room(
        0.5, "dag errors ladders modules nasbench201 options plug_ins space traced"
    ),
    "search_spaces.show": Room(
        0.6, "conventions errors graph nasbench201 options output_files paths registry space traced"
    ),
    "search_spaces.__main__": Room(
        0.7, "command conventions errors output_files paths registry show space traced"
    ),
    # benchmark
    "benchmark": Room(0.8, ""),
    "benchmark.rules": Room(1, "search_spaces"),
    "benchmark.analysis": Room(1, "search_spaces"),
    "benchmark.command": Room(1, "search_spaces"),
    "benchmark.progress": Room(1, "search_spaces"),
    "benchmark.stage_table": Room(1, ""),
    "benchmark.study": Room(2, "search_spaces rules"),
    "benchmark.datasets": Room(2, "search_spaces command progress"),
    "benchmark.store": Room(3, "search_spaces study"),
    "benchmark.training": Room(3, "search_spaces study datasets"),
    "benchmark.plan": Room(4, "search_spaces study rules datasets analysis training"),
    "benchmark.engine": Room(4, "search_spaces rules study datasets store training"),
    "benchmark.models": Room(4, "search_spaces rules datasets training"),
    "benchmark.published": Room(4, "search_spaces analysis rules store command progress"),
    "benchmark.sweep": Room(
        5, "search_spaces study datasets store training plan engine command progress stage_table"
    ),
    "benchmark.findings": Room(
        5, "search_spaces study rules analysis store training published models"
    ),
    "benchmark.report": Room(6, "search_spaces analysis store published findings command progress"),
    "benchmark.power": Room(
        6, "search_spaces study rules analysis datasets store plan engine findings"
    ),
    "benchmark.status": Room(7, "search_spaces store command progress stage_table"),
    "benchmark.tracking": Room(4, "search_spaces store"),
    "benchmark.export": Room(7, "search_spaces store command tracking"),
    "benchmark.reference": Room(7, "search_spaces report store command"),
    "benchmark.rate": Room(7, "search_spaces rules models findings store command"),
    "benchmark.merge": Room(7, "search_spaces store command progress"),
    "benchmark.compact": Room(7, "search_spaces store command progress"),
    "benchmark.job": Room(
        7, "search_spaces study datasets plan engine power store sweep status command progress"
    ),
    "benchmark.overhead": Room(7, "search_spaces speed sweep command"),
    "benchmark.speed": Room(
        7,
        "search_spaces study datasets training plan engine store sweep findings report compact "
        "command progress",
    ),
    "benchmark.__main__": Room(7, "search_spaces command"),
}
COMMANDS = 7


def allowed(room: str) -> set[str]:
    """The full names of the rooms that a room may import; ``search_spaces`` means all of it."""
    package, *_ = room.split(".")
    names = ROOMS[room].imports.split()
    return {name if name == "search_spaces" else f"{package}.{name}" for name in names}


def test_every_room_is_in_the_table() -> None:
    rooms = {room_of(module) for pair in imports() for module in pair}
    assert rooms <= ROOMS.keys(), "a new room needs a row in ROOMS, which says what it may import"


def test_the_table_allows_lower_lines_only() -> None:
    for room, (line, _) in ROOMS.items():
        for name in allowed(room):
            assert name in ROOMS, f"{room} names {name}, which is no room"
            assert ROOMS[name].line < line or line == COMMANDS, f"{room} may not import {name}"


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_imports_what_the_table_allows(room: str) -> None:
    rows = allowed(room) | {room, room.split(".")[0]}  # its own package's face too
    wrong = [
        f"{module} imports {name}"
        for module, name in imports()
        if room_of(module) == room
        and room_of(name) not in rows
        and not ("search_spaces" in rows and name.startswith("search_spaces"))
    ]
    assert wrong == []


LOAD = """
import importlib, pkgutil, sys
name, *unknown = sys.argv[1:]
module = importlib.import_module(name)
for found in pkgutil.walk_packages(getattr(module, "__path__", ()), f"{name}."):
    if not found.name.endswith("__main__"):
        importlib.import_module(found.name)
print(*sorted(set(unknown) & set(sys.modules)))
"""


@pytest.mark.parametrize(
    ("room", "unknown"),
    [
        ("search_spaces", ("benchmark", "ray", "matplotlib")),
        ("benchmark.analysis", ("ray", "torch", "matplotlib", "benchmark.findings")),
        ("benchmark.engine", ("ray", "matplotlib", "benchmark.analysis", "benchmark.findings")),
        ("benchmark.plan", ("ray", "matplotlib", "benchmark.store", "benchmark.findings")),
        ("benchmark.findings", ("ray", "matplotlib", "seaborn", "jinja2", "benchmark.report")),
        ("benchmark.report", ("ray",)),
    ],
)
def test_a_room_does_not_know_of(room: str, unknown: tuple[str, ...]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", LOAD, room, *unknown], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == []
