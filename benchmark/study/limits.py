"""How large a study may be: enough for any that can be trained, and planned in seconds."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

from search_spaces.errors import InvalidInput

MOST: Final = 100_000
"""Seeds, rates, widths and other counts of a part, and replicas of a unit, at most."""
DEEPEST: Final = 10_000
"""Layers or blocks of a rung, at most."""
LARGEST_SEED: Final = 2**32 - 1


def check_most(part: str, field: str, value: float, most: int = MOST) -> None:
    """Raise ``InvalidInput`` where a part's number is larger than ``most``."""
    if value > most:
        raise InvalidInput(f"part {part}: field {field}={value}; use at most {most:,}")


def check_distinct(part: str, field: str, values: Sequence[int], mend: str) -> None:
    """Raise ``InvalidInput`` where a part's list repeats a number."""
    seen: set[int] = set()
    for place, value in enumerate(values):
        if value in seen:
            raise InvalidInput(
                f"part {part}: field {field}[{place}]={value} stands there twice; {mend}"
            )
        seen.add(value)


def check_sample(part: str, sample: int | None, sample_seed: int) -> None:
    """Raise ``InvalidInput`` for a sample or a seed out of bounds."""
    check_most(part, "sample", sample or 0)
    if not 0 <= sample_seed <= LARGEST_SEED:
        raise InvalidInput(
            f"part {part}: field sample_seed={sample_seed}; use 0 to {LARGEST_SEED:,}"
        )


def check_largest_depth(part: str, depths: Collection[int]) -> None:
    """Raise ``InvalidInput`` for too many depths, or one too deep."""
    check_most(part, "depths", len(depths))
    check_most(part, "depths", max(depths, default=0), DEEPEST)


def check_replicas(part: str, rules: int, rates: int, seeds: int) -> None:
    """Raise ``InvalidInput`` where one unit would have more than ``MOST`` replicas."""
    replicas = rules * rates * seeds
    if replicas > MOST:
        raise InvalidInput(
            f"part {part}: {rules} rules x {rates} rates x {seeds} seeds are {replicas:,} replicas "
            f"of one architecture; use fewer seeds or rates, at most {MOST:,} together"
        )
