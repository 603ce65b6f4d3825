"""What one shard may use: cores, GPUs or a share of one, processes per unit, and time per unit."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from search_spaces.errors import InvalidInput

NodeResources = Mapping[str, float]
"""What a machine of the cluster has, as Ray counts it: ``CPU``, ``GPU`` and others."""

UNIT_TIMEOUT: Final = 86_400.0
"""Seconds that a unit may take where ``--unit-timeout`` says nothing: a day."""

LONGEST_TIMEOUT: Final = 1e7
"""Seconds (116 days); a wait of many more overflows the clock of ``select``."""
MOST: Final = 10_000
"""Cores, ranks or shards at once, at most."""
MOST_GPUS: Final = 64
"""GPUs of one shard, at most; and a GPU is shared by at most as many."""


def check_count(field: str, count: int) -> int:
    """The value of ``--FIELD``; raises ``InvalidInput`` unless it is between 1 and ``MOST``."""
    if not 1 <= count <= MOST:
        raise InvalidInput(f"--{field} {count}: give 1 to {MOST:,}")
    return count


def count_cores() -> int:
    """The cores that this process may run on, which may be fewer than the machine has."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def check_workers(workers: int | None) -> int | None:
    """The value of ``--workers``, or None; raises ``InvalidInput``."""
    return None if workers is None else check_count("workers", workers)


def is_share(gpus: float) -> bool:
    """Whether this is a whole number of GPUs, or 1/k of one (0.33 stands for 1/3)."""
    if not 0 <= gpus <= MOST_GPUS:  # false for nan, too
        return False
    parts = 1 / gpus if 0 < gpus < 1 else gpus
    return parts <= MOST_GPUS and abs(parts - round(parts)) <= 0.05


def count_portions(there: float, need: float) -> int:
    """How often what is needed is there; a need below 1 is met by one whole thing alone."""
    if need < 1:
        return int(there + 1e-9) * int(1 / need + 1e-9)
    return int(there / need + 1e-9)


@dataclass(frozen=True, kw_only=True)
class Resources:
    """Per rank, ``cpus`` cores and ``gpus`` GPUs: whole ones, or 1/k of one for k shards on it.

    Ray counts shares of a GPU and does not enforce them, so a time that was taken on a shared one
    says little; the share is therefore recorded with every unit. ``ranks`` processes train a unit
    together (``benchmark.sweep.workers.ray_train``). ``unit_timeout`` is in seconds. ``auto``
    (``--gpus auto``) leaves ``gpus`` open until ``settle`` is told what there is. Raises
    ``InvalidInput``.
    """

    cpus: int = 1
    gpus: float = 0.0
    ranks: int = 1
    unit_timeout: float = UNIT_TIMEOUT
    auto: bool = False

    def __post_init__(self) -> None:
        check_count("cpus", self.cpus)
        check_count("ranks", self.ranks)
        if not is_share(self.gpus):
            raise InvalidInput(
                f"--gpus {self.gpus:g}: give 0 to {MOST_GPUS} whole GPUs, or 1/k of one (0.5, 0.25)"
            )
        if self.ranks > 1 and 0 < self.gpus < 1:
            raise InvalidInput(
                f"--gpus {self.gpus:g} with --ranks {self.ranks}: a rank needs a whole GPU or none"
            )
        if not 0 < self.unit_timeout <= LONGEST_TIMEOUT:
            raise InvalidInput(
                f"--unit-timeout {self.unit_timeout:g}: give seconds above 0, "
                f"at most {LONGEST_TIMEOUT:g}"
            )

    @property
    def per_rank(self) -> dict[str, float]:
        """What a process that trains takes from its node."""
        wanted = {"CPU": float(self.cpus), "GPU": self.gpus}
        return {name: amount for name, amount in wanted.items() if amount}

    @property
    def demand(self) -> dict[str, float]:
        """What a shard takes from the cluster."""
        return {name: amount * self.ranks for name, amount in self.per_rank.items()}

    @property
    def device(self) -> str:
        """Where a unit trains; ``cuda`` is the GPU that Ray gave the worker."""
        return "cuda" if self.gpus else "cpu"

    @property
    def sharers(self) -> int:
        """How many shards share a GPU; 1 where each has whole ones, 0 where they have none."""
        return round(1 / self.gpus) if 0 < self.gpus < 1 else min(1, int(self.gpus))

    def settle(self, nodes: Sequence[NodeResources], sharers: int = 1) -> Resources:
        """What ``--gpus auto`` stands for on these nodes; itself where ``gpus`` was given.

        Where there are GPUs, ``sharers`` shards have one together (a rank has one alone); without
        GPUs, or with fewer than ranks, shards train on cores.
        """
        if not self.auto:
            return self
        gpus = 1 / (1 if self.ranks > 1 else sharers)
        on_gpus = replace(self, gpus=gpus, auto=False)
        return on_gpus if on_gpus.count_room(nodes) else replace(self, auto=False)

    def count_room(self, nodes: Sequence[NodeResources]) -> int:
        """How many shards these nodes hold at once.

        A shard lies on one node; the ranks of one may lie on several. A share of a GPU is that of
        one GPU: what is left of two does not add up.
        """
        places = sum(
            min(count_portions(node.get(name, 0), need) for name, need in self.per_rank.items())
            for node in nodes
        )
        return places // self.ranks

    def count_slots(self, nodes: Sequence[NodeResources]) -> int:
        """How many shards run at once; raises ``InvalidInput`` where not even one does."""
        slots = self.count_room(nodes)
        if slots:
            return slots
        names = self.demand
        there = ", ".join(f"{sum(node.get(name, 0) for node in nodes):g} {name}" for name in names)
        need = ", ".join(f"{amount:g} {name}" for name, amount in names.items())
        raise InvalidInput(
            f"a shard needs {need} and the cluster has {there}; "
            "lower --cpus, --gpus or --ranks, or add nodes (--workers N if they come with the work)"
        )

    def record(self) -> dict[str, Any]:
        """What a unit's provenance says; ``sharers`` where it had a GPU or a share of one."""
        known = {name: getattr(self, name) for name in ("cpus", "gpus", "ranks", "unit_timeout")}
        return known | ({"sharers": self.sharers} if self.gpus else {})
