"""What one shard may use: cores, GPUs or a share of one, processes per unit, and time per unit."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from search_spaces.errors import InvalidInput

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


@dataclass(frozen=True, kw_only=True)
class Resources:
    """Per rank, ``cpus`` cores and ``gpus`` GPUs: whole ones, or 1/k of one for k shards on it.

    Ray counts shares of a GPU and does not enforce them, so a time that was taken on a shared one
    says little; the share is therefore recorded with every unit. ``ranks`` processes train a unit
    together (``benchmark.sweep.workers.ray_train``). ``unit_timeout`` is in seconds. Raises
    ``InvalidInput``.
    """

    cpus: int = 1
    gpus: float = 0.0
    ranks: int = 1
    unit_timeout: float = UNIT_TIMEOUT

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
    def demand(self) -> dict[str, float]:
        """What a shard takes from the cluster."""
        wanted = {"CPU": float(self.cpus * self.ranks), "GPU": self.gpus * self.ranks}
        return {name: amount for name, amount in wanted.items() if amount}

    @property
    def device(self) -> str:
        """Where a unit trains; ``cuda`` is the GPU that Ray gave the worker."""
        return "cuda" if self.gpus else "cpu"

    def slots(self, available: Mapping[str, float]) -> int:
        """How many shards run at once; raises ``InvalidInput`` where not even one does."""
        slots = min(int(available.get(name, 0) / need + 1e-9) for name, need in self.demand.items())
        if slots:
            return slots
        there = ", ".join(f"{available.get(name, 0):g} {name}" for name in self.demand)
        need = ", ".join(f"{amount:g} {name}" for name, amount in self.demand.items())
        raise InvalidInput(
            f"a shard needs {need} and the cluster has {there}; "
            "lower --cpus, --gpus or --ranks, or add nodes (--workers N if they come with the work)"
        )

    def record(self) -> dict[str, Any]:
        """What a unit's provenance says."""
        return asdict(self)
