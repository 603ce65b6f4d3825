"""The stages of a part: units that can run together, and what they are called in results."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Generic, Literal, TypeVar

StageName = Literal["probe", "base", "rank", "constants", "grid", "neighbours", "transfer", "step"]
"""``probe`` measures the one-step rate where a rule needs it. A rank part tunes each rule's
constant on the base architecture or a panel (``base``), trains the sample (``rank``), and again
with the other constants that tuning may have chosen (``constants``). A depth part trains a ``grid``
of rates, then rates beside the best (``neighbours``), then each rule's prediction (``transfer``).
An updates part takes one ``step``. Stored results hold these names: they stay."""

PROBE: Final = "probe"
BASE: Final = "base"
RANK: Final = "rank"
CONSTANTS: Final = "constants"
GRID: Final = "grid"
NEIGHBORS: Final = "neighbours"
TRANSFER: Final = "transfer"
STEP: Final = "step"

U = TypeVar("U")


@dataclass(frozen=True)
class Stage(Generic[U]):
    """Units of one part that can run together; ``units`` is None while it waits for a stage.

    A plan holds ``Unit`` objects, and results hold their ids. ``expected`` counts the units also
    where they are not known yet; results of later versions may have other names.
    """

    part: str
    kind: str
    name: str
    units: tuple[U, ...] | None
    expected: int
