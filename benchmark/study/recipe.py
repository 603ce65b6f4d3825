"""The training protocol: everything about training that is not the architecture or its rate."""

from __future__ import annotations

from dataclasses import asdict, field, fields, replace
from typing import Annotated, Any, Literal

from pydantic import Field, Strict
from pydantic.dataclasses import dataclass

from benchmark.study.strict_types import CONFIG, Float, raise_invalid_input
from search_spaces.errors import InvalidInput

VERSION = 1
"""Raised whenever the engine would give other numbers for the same recipe, beyond rounding: the
order of sums differs between processors and versions of libraries too, which are recorded."""

ONE_STEP_VERSION = 2
"""The same for one-step measurements under AdamW or with factors, which version 1 took no account
of."""

Precision = Literal["float32", "float64", "bfloat16", "tf32"]


def later(default: Any) -> Any:
    """A field that recipes did not always have: it is part of an id only where it is set, so that
    a recipe that does without it keeps the id, and the stored results, that it had before."""
    return field(default=default, metadata={"later": True})


@raise_invalid_input("recipe field")
@dataclass(frozen=True, kw_only=True, config=CONFIG)
class Recipe:
    """Optimizer, schedule, horizon and precision; each replica gets all of it as if alone.

    ``epochs`` and ``batch`` count passes and images; ``validation`` is the share of the training
    images held out, by seed, for every choice that is made (the test images are read once, at the
    end). ``horizontal_flip``, ``crop_padding`` (pixels) and ``cutout`` (side of the blanked square
    in pixels) augment the training images. ``bfloat16`` computes under autocast, with weights,
    losses and the optimizer in float32. ``tf32`` is float32 whose products a GPU's tensor cores may
    compute from factors of 10 bits; on a CPU it is float32.

    The rate follows ``schedule``: constant, half a cosine from 1 to 0, or steps, times
    ``decay_factor`` after each of the ``milestones`` (epochs). Before, it rises linearly over
    ``warmup_steps`` steps or ``warmup_epochs`` epochs. ``label_smoothing`` is the share of the
    target given to all classes alike; ``gradient_clip`` the largest L2 norm of a replica's gradient
    (0: any).

    ``steps`` ends training after so many steps in place of ``epochs`` (0: after the epochs), be
    they many passes or a part of one. ``update_every`` measures in training, every so many steps,
    how far a step moves the nodes (0: never). ``pin_forward_moments`` rescales the weights of
    one-step measurements so that every layer passes on the second moment that its scheme intends
    (``benchmark.training.weights.pinning``).

    Four fields follow protocols as their code has them, and are off unless a recipe sets them:
    ``keep_last_batch`` trains on an epoch's last, smaller batch too; ``rate_per_epoch`` holds the
    rate of a cosine constant within an epoch; ``black_padding`` pads crops with black, not with the
    mean; ``torch_default_weights`` draws weights as torch's layers do where a rule asks for He's.

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
    steps: Annotated[int, Field(ge=0, le=10**9)] = later(0)
    update_every: Annotated[int, Field(ge=0, le=10**9)] = later(0)
    pin_forward_moments: bool = later(False)
    keep_last_batch: bool = later(False)
    rate_per_epoch: bool = later(False)
    black_padding: bool = later(False)
    torch_default_weights: bool = later(False)

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
        if self.rate_per_epoch and self.schedule != "cosine":
            raise InvalidInput("recipe field rate_per_epoch needs schedule='cosine'; set it")
        if self.black_padding and not self.crop_padding:
            raise InvalidInput("recipe field black_padding needs crop_padding above 0; set one")
        self._check_steps()
        self._check_milestones()

    def _check_steps(self) -> None:
        if self.steps and self.epochs != 1:
            raise InvalidInput(
                f"recipe fields steps={self.steps} and epochs={self.epochs} both end training; "
                "give one of them"
            )
        if self.steps and (self.warmup_epochs or self.rate_per_epoch or self.milestones):
            raise InvalidInput(
                f"recipe field steps={self.steps}: training that ends after steps has no epochs "
                "for warmup_epochs, rate_per_epoch or milestones; leave these out"
            )
        if self.steps and self.warmup_steps > self.steps:
            raise InvalidInput(
                f"recipe field warmup_steps={self.warmup_steps} should be at most "
                f"steps={self.steps}"
            )

    def _check_milestones(self) -> None:
        before = 0
        for place, epoch in enumerate(self.milestones):
            if not before < epoch < self.epochs:
                raise InvalidInput(
                    f"recipe field milestones[{place}]={epoch}: give rising epochs between 0 and "
                    f"{self.epochs}"
                )
            before = epoch
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
"""The protocol of NAS-Bench-201's 200-epoch records (Dong and Yang, ICLR 2020), but for He's
weights, mean padding, a rate per step and whole batches."""

NAS_BENCH_201_CODE = replace(
    NAS_BENCH_201,
    keep_last_batch=True,
    rate_per_epoch=True,
    black_padding=True,
    torch_default_weights=True,
)
"""The protocol as the benchmark's released code has it (AutoDL-Projects): torch's default weights
and biases, crops padded with black before they are standardized, a rate per epoch, the last batch
kept. On ImageNet16-120 its ``crop_padding`` is 2."""

PLAIN_SGD = Recipe()
"""The depth papers' protocol: an epoch of SGD, nothing else (arXiv 2402.17440, 2510.04327)."""
