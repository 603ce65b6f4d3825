"""Samples that spread over classes, the same on every machine."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Hashable, Mapping
from typing import TypeVar

from search_spaces.errors import InvalidInput
from search_spaces.options import require_positive

Key = TypeVar("Key", bound=Hashable)


def _check(sample: int, there: int) -> None:
    require_positive("sample", sample)
    if sample > there:
        raise InvalidInput(f"sample={sample} is more than the {there} there are to choose from")


def by_class(classes: Mapping[Key, int], sample: int, seed: int) -> list[Key]:
    """Deal one item per class in turn until ``sample`` are drawn.

    Class sizes then differ by one at most, save for classes that ran out. Raises ``InvalidInput``
    where there are fewer items.
    """
    _check(sample, len(classes))
    rng = random.Random(seed)
    members: dict[int, list[Key]] = defaultdict(list)
    for key, label in classes.items():
        members[label].append(key)
    hands = [members[label] for label in sorted(members)]
    rng.shuffle(hands)
    for hand in hands:
        rng.shuffle(hand)
    chosen: list[Key] = []
    while len(chosen) < sample:
        dealt = [hand.pop() for hand in hands if hand]
        chosen += dealt[: sample - len(chosen)]
    return chosen
