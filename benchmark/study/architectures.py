"""Which architectures a part trains: rungs of a ladder, samples, and the panel of a tuning."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from typing import Final, Literal

from search_spaces import conventions
from search_spaces.errors import InvalidInput
from search_spaces.space import SearchSpace

Sampling = Literal["uniform", "stratified"]
"""``uniform``: every architecture of the space is as likely as any other, so that a mean over the
sample is a mean over the space. ``stratified``: spread evenly over the space's rate classes, where
it has them; rare classes then weigh more than they do in the space."""

PANEL_DRAWS: Final = 1000
"""How many panels are drawn until one shares no function with the sample."""


def list_rungs(space: SearchSpace, depths: Iterable[int]) -> list[str]:
    """The official names of a ladder's rungs, shallowest first."""
    return [space.parse(f"{space.name}-{depth}") for depth in sorted(depths)]


def sample_rungs(space: SearchSpace, sample: int, seed: int) -> list[str]:
    """The base architecture and ``sample`` others drawn uniformly, by rising effective depth.

    All can be trained and no two are the same function; the base comes first among equal depths.
    Raises ``InvalidInput`` where there are fewer.
    """
    count = conventions.convention("wu2026-layers-and-additions").statistics
    everything = space.architectures()
    found = {space.canonical(space.base_architecture): space.base_architecture}
    for architecture in random.Random(seed).sample(everything, len(everything)):
        if len(found) > sample:
            break
        if space.topology(architecture).trainable:
            found.setdefault(space.canonical(architecture), architecture)
    if len(found) <= sample:
        raise InvalidInput(f"field sample={sample} is more than the {len(found) - 1} there are")
    return sorted(found.values(), key=lambda each: count(space.topology(each)).min or 0)


def sample_ranked(
    space: SearchSpace, sample: int | None, seed: int, sampling: Sampling
) -> list[str]:
    """The architectures of a ranking, in a fixed order; all of them where ``sample`` is None."""
    stratified = getattr(space, "stratified", None)
    if sample is not None and sampling == "stratified" and stratified is not None:
        return list(stratified(sample, seed))
    return space.architectures(sample, seed)


def draw_panel(space: SearchSpace, ranked: Sequence[str], size: int, seed: int) -> list[str]:
    """The base architecture and ``size - 1`` others on which constants are tuned.

    None is the same function as one that is ranked, all can be trained, and they are spread over
    the space's rate classes where it has them. Raises ``InvalidInput`` where there is no such
    panel.
    """
    base = space.base_architecture
    taken = {space.canonical(architecture) for architecture in (base, *ranked)}
    for draw in range(PANEL_DRAWS if size > 1 else 0):
        drawn = sample_ranked(space, size - 1, seed + 1 + draw, "stratified")
        functions = {space.canonical(architecture) for architecture in drawn}
        apart = len(functions) == size - 1 and not functions & taken
        if apart and all(space.topology(architecture).trainable for architecture in drawn):
            return [base, *drawn]
    if size > 1:
        raise InvalidInput(
            f"field panel={size}: {space.name} has too few architectures beside the sample; "
            "rank or tune on fewer"
        )
    return [base]
