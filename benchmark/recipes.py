"""The training protocol: everything about training that is not the architecture or its rate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from search_spaces.errors import InvalidInput

VERSION = 1
"""Raised whenever the engine would give other numbers for the same recipe."""


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Optimiser, schedule, horizon and precision.

    ``epochs`` and ``batch`` count passes and images; ``validation`` is the share of the training
    images held out, by seed, for every choice that is made (the test images are read once, at the
    end). ``horizontal_flip`` and ``crop_padding`` (pixels) augment the training images.
    """

    optimizer: Literal["sgd", "adamw"] = "sgd"
    momentum: float = 0.0
    nesterov: bool = False
    weight_decay: float = 0.0
    schedule: Literal["constant", "cosine"] = "constant"
    epochs: int = 1
    batch: int = 128
    horizontal_flip: bool = False
    crop_padding: int = 0
    validation: float = 0.2
    precision: Literal["float32", "float64"] = "float32"

    def __post_init__(self) -> None:
        ranges = {
            "epochs": (1, 10**6, "train at least once"),
            "batch": (1, 10**6, "give images per step"),
            "momentum": (0, 0.999999, "give a number in [0, 1)"),
            "weight_decay": (0, 1e3, "give zero or more"),
            "crop_padding": (0, 64, "give pixels"),
            "validation": (0.01, 0.9, "hold out between 1% and 90%"),
        }
        for name, (low, high, mend) in ranges.items():
            if not low <= getattr(self, name) <= high:
                raise InvalidInput(f"recipe field {name}={getattr(self, name)}: {mend}")
        choices = {
            "optimizer": ("sgd", "adamw"),
            "schedule": ("constant", "cosine"),
            "precision": ("float32", "float64"),
        }
        for name, allowed in choices.items():
            if getattr(self, name) not in allowed:
                raise InvalidInput(
                    f"recipe field {name}={getattr(self, name)!r}: use one of {', '.join(allowed)}"
                )
        if self.nesterov and not self.momentum:
            raise InvalidInput("recipe field nesterov needs momentum above 0; set one")


NAS_BENCH_201 = Recipe(
    momentum=0.9,
    nesterov=True,
    weight_decay=5e-4,
    schedule="cosine",
    epochs=200,
    batch=256,
    horizontal_flip=True,
    crop_padding=4,
)
"""The protocol of NAS-Bench-201's 200-epoch records (Dong and Yang, ICLR 2020)."""

PLAIN_SGD = Recipe()
"""The depth papers' protocol: an epoch of SGD, nothing else (arXiv 2402.17440, 2510.04327)."""
