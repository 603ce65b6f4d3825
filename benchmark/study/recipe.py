"""The training protocol: everything about training that is not the architecture or its rate."""

from __future__ import annotations

from dataclasses import asdict, field, fields
from typing import Annotated, Any, Literal

from pydantic import Field, Strict
from pydantic.dataclasses import dataclass

from benchmark.study.strict_types import CONFIG, Float, raise_invalid_input
from search_spaces.errors import InvalidInput

VERSION = 1
"""Raised whenever the engine would give other numbers for the same recipe, beyond rounding: the
order of sums differs between processors and versions of libraries too, which are recorded."""

Precision = Literal["float32", "float64", "bfloat16"]


def later(default: Any) -> Any:
    """A field that recipes did not always have: it is part of an id only where it is set, so that
    a recipe that does without it keeps the id, and the stored results, that it had before."""
    return field(default=default, metadata={"later": True})


@raise_invalid_input("recipe field")
@dataclass(frozen=True, kw_only=True, config=CONFIG)
class Recipe:
    """Optimiser, schedule, horizon and precision; each replica gets all of it as if alone.

    ``epochs`` and ``batch`` count passes and images; ``validation`` is the share of the training
    images held out, by seed, for every choice that is made (the test images are read once, at the
    end). ``horizontal_flip``, ``crop_padding`` (pixels) and ``cutout`` (side of the blanked square
    in pixels) augment the training images. ``bfloat16`` computes under autocast, with weights,
    losses and the optimiser in float32.

    The rate follows ``schedule``: constant, half a cosine from 1 to 0, or steps, times
    ``decay_factor`` after each of the ``milestones`` (epochs). Before, it rises linearly over
    ``warmup_steps`` steps or ``warmup_epochs`` epochs. ``label_smoothing`` is the share of the
    target given to all classes alike; ``gradient_clip`` the largest L2 norm of a replica's gradient
    (0: any).

    Raises ``InvalidInput`` for a value of another type or out of range, and for fields that exclude
    one another. A whole number given for a float becomes one: equal recipes have equal ids.
    """

    optimizer: Literal["sgd", "adamw"] = "sgd"
    momentum: Annotated[Float, Field(ge=0, lt=1)] = 0.0
    nesterov: bool = False
    weight_decay: Annotated[Float, Field(ge=0, le=1e3)] = 0.0
    schedule: Literal["constant", "cosine", "step"] = "constant"
    epochs: Annotated[int, Field(ge=1, le=10**6)] = 1
    batch: Annotated[int, Field(ge=1, le=10**6)] = 128
    horizontal_flip: bool = False
    crop_padding: Annotated[int, Field(ge=0, le=64)] = 0
    validation: Annotated[Float, Field(ge=0.01, le=0.9)] = 0.2
    precision: Precision = "float32"
    milestones: Annotated[tuple[int, ...], Strict(False)] = later(())
    decay_factor: Annotated[Float, Field(ge=0, le=1)] = later(0.0)
    warmup_steps: Annotated[int, Field(ge=0, le=10**9)] = later(0)
    warmup_epochs: Annotated[Float, Field(ge=0)] = later(0.0)
    label_smoothing: Annotated[Float, Field(ge=0, lt=1)] = later(0.0)
    gradient_clip: Annotated[Float, Field(ge=0, le=1e9)] = later(0.0)
    cutout: Annotated[int, Field(ge=0, le=512)] = later(0)

    def __post_init__(self) -> None:
        """The checks of several fields together."""
        if self.warmup_epochs > self.epochs:
            raise InvalidInput(
                f"recipe field warmup_epochs={self.warmup_epochs} should be at most "
                f"epochs={self.epochs}"
            )
        if self.nesterov and not self.momentum:
            raise InvalidInput("recipe field nesterov needs momentum above 0; set one")
        if self.warmup_steps and self.warmup_epochs:
            raise InvalidInput("recipe fields warmup_steps and warmup_epochs exclude each other")
        self._check_milestones()

    def _check_milestones(self) -> None:
        inside = all(0 < epoch < self.epochs for epoch in self.milestones)
        rising = list(self.milestones) == sorted(set(self.milestones))
        if not inside or not rising:
            raise InvalidInput(
                f"recipe field milestones={list(self.milestones)}: give rising epochs between 0 "
                f"and {self.epochs}"
            )
        if self.schedule == "step" and not (self.milestones and self.decay_factor):
            raise InvalidInput("recipe field schedule='step' needs milestones and decay_factor")
        if self.schedule != "step" and (self.milestones or self.decay_factor):
            raise InvalidInput(
                f"recipe fields milestones and decay_factor need schedule='step', "
                f"not {self.schedule!r}"
            )

    @property
    def identity(self) -> dict[str, Any]:
        """What goes into a unit's id: every field, but ``later`` ones only where they are set."""
        unset = {f.name for f in fields(self) if "later" in f.metadata}
        unset -= {f.name for f in fields(self) if getattr(self, f.name) != f.default}
        return {name: value for name, value in asdict(self).items() if name not in unset}


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
