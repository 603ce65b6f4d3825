"""The stages of the three kinds of part, as results name them."""

from __future__ import annotations

from typing import Literal

StageName = Literal["probe", "base", "rank", "grid", "neighbours", "transfer", "step"]
"""``probe`` measures the one-step rate where a rule needs it. A rank part tunes each rule's
constant on the base architecture (``base``), then trains the sample (``rank``). A depth part trains
a ``grid`` of rates, then rates beside the best (``neighbours``), then each rule's prediction
(``transfer``). An updates part takes one ``step``. Stored results hold these names: they stay."""
