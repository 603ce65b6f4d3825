"""One look per rule: the color and the marker that it has in every figure of a page."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

INK: Final = "#767671"
GRID: Final = "#c4c4c3"
OKABE_ITO: Final = ("#0072b2", "#d55e00", "#cc79a7", "#009e73", "#e69f00", "#56b4e9", "#f0e442")
COLORS: Final = (INK, *OKABE_ITO)
ORDERED: Final = ("#1b8a9e", "#4a78d0", "#9a5fc4", "#cf4f8b", "#d9632b")
"""Anchors of a scale that is read in light and dark alike."""
OPTIMUM: Final = "D"
"""The marker of an optimum; no series with an order has it."""
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


def order_looks(series: Iterable[str]) -> dict[str, Look]:
    """Looks of series that have an order: colors from the first to the last of ``ORDERED``."""
    names = list(dict.fromkeys(series))
    markers = [marker for marker in MARKERS if marker != OPTIMUM]
    looks = {}
    for place, name in enumerate(names):
        at = place / max(1, len(names) - 1) * (len(ORDERED) - 1)
        left = min(int(at), len(ORDERED) - 2)
        ends = [
            [int(color[i : i + 2], 16) for i in (1, 3, 5)] for color in ORDERED[left : left + 2]
        ]
        mixed = [round(a + (b - a) * (at - left)) for a, b in zip(*ends, strict=True)]
        color = "#" + "".join(f"{value:02x}" for value in mixed)
        looks[name] = Look(color, markers[place % len(markers)])
    return looks


def choose_look(place: int) -> Look:
    """The look of a place in the palette."""
    turn, color = divmod(place, len(COLORS))
    return Look(COLORS[color], MARKERS[(color + turn) % len(MARKERS)])
