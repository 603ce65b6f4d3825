"""One look per rule: the color and the marker that it has in every figure of a page."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

INK: Final = "#767671"
GRID: Final = "#c4c4c3"
OKABE_ITO: Final = ("#0072b2", "#d55e00", "#cc79a7", "#009e73", "#e69f00", "#56b4e9", "#f0e442")
COLORS: Final = (INK, *OKABE_ITO)
MARKERS: Final = ("o", "s", "^", "D", "v", "P", "X", "*")


@dataclass(frozen=True)
class Look:
    """A series' color and marker, as matplotlib names them."""

    color: str
    marker: str


class Palette:
    """The looks of a page: ``rules`` in their order, then every other series as it comes.

    No two of the first 64 names look alike: after 8 the colors begin again with other markers.
    """

    def __init__(self, rules: Iterable[str] = ()) -> None:
        self.places: dict[str, int] = {}
        for rule in rules:
            self.places.setdefault(rule, len(self.places))

    def find_looks(self, series: Iterable[str], rules: Mapping[str, str]) -> dict[str, Look]:
        """The looks of a figure's series, in the palette's order; ``rules`` as in ``Curves``.

        A series without a rule takes the next free place of this figure, after ink.
        """
        places: dict[str, int] = {}
        for name in series:
            known = self.places.get(rules.get(name, name))
            if known is None:
                taken = {0, *places.values()}
                known = next(place for place in range(len(taken) + 1) if place not in taken)
            places[name] = known
        return {name: choose_look(places[name]) for name in sorted(places, key=places.__getitem__)}


def choose_look(place: int) -> Look:
    """The look of a place in the palette."""
    turn, color = divmod(place, len(COLORS))
    return Look(COLORS[color], MARKERS[(color + turn) % len(MARKERS)])
