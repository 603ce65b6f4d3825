"""The stages of the three kinds of part, as results name them."""

from __future__ import annotations

from typing import Final, Literal

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
