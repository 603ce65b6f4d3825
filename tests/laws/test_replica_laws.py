"""What the engine promises of replicas, for every space of the registry and every option."""

import io
import math
from collections.abc import Sequence

import pytest
import torch
from support.networks import CASES, LARGE, MODULE_CASES, Options
from support.replicas import replica
from torch import Tensor

from benchmark.datasets import catalog
from benchmark.engine.build import Builder
from benchmark.study.recipe import Recipe
from benchmark.study.unit import Replica, Unit
from benchmark.training.loop import Training
from benchmark.training.process_group import Ranks
from search_spaces.registry import create, names

STEPS = 30
RECIPE = Recipe(
    momentum=0.9,
    nesterov=True,
    weight_decay=5e-4,
    schedule="cosine",
    batch=9,
    validation=0.8,
    precision="float64",
)
REPLICAS = (replica(0.03, 0), replica(0.003, 0, "residual-aware"), replica(0.01, 1))
"""At rates that every network bears: what diverges multiplies rounding errors without bound."""
cases = pytest.mark.parametrize(("name", "options", "architecture"), CASES + MODULE_CASES)


def training(
    name: str, options: Options, architecture: str, replicas: Sequence[Replica]
) -> Training:
    """What the engine makes of a unit, before its first step."""
    space = create(name, **options)
    unit = Unit(
        measure="training",
        space=name,
        space_version=1,
        space_options=tuple(options.items()),  # type: ignore[arg-type]
        architecture=space.parse(architecture),
        replicas=tuple(replicas),
        recipe=RECIPE,
        dataset="digits",
        dataset_checksum=catalog.load("digits").checksum,
    )
    return Builder.of(unit, torch.device("cpu"), Ranks()).build_training(replicas)


def advance(trained: Training, steps: int) -> None:
    """Train from where the training stands to a step."""
    trained.module.train()
    for x_BKHW, y_RB in trained.batches.epoch(trained.step):
        if trained.step == steps:
            return
        trained.advance(x_BKHW, y_RB)


def numbers(trained: Training) -> dict[str, Tensor]:
    """Weights, running statistics and losses, replicas first."""
    return {**trained.module.state_dict(), "losses": trained.loss_SR[: trained.step].T}


def test_the_cases_are_of_every_space() -> None:
    assert {name for name, _, _ in CASES + MODULE_CASES} == set(names()) - LARGE


@cases
def test_together_equals_alone_to_1e_10_over_30_steps(
    name: str, options: Options, architecture: str
) -> None:
    together = training(name, options, architecture, REPLICAS)
    advance(together, STEPS)
    assert together.step == STEPS
    for index, each in enumerate(REPLICAS):
        alone = training(name, options, architecture, [each])
        advance(alone, STEPS)
        for key, value in numbers(alone).items():
            mine = numbers(together)[key][index]
            torch.testing.assert_close(mine, value[0], rtol=0, atol=1e-10, msg=key)


@cases
def test_nan_in_one_replica_leaves_the_others_bitwise_unchanged(
    name: str, options: Options, architecture: str
) -> None:
    found = []
    for poison in (False, True):
        trained = training(name, options, architecture, REPLICAS)
        advance(trained, 3)
        if poison:
            with torch.no_grad():
                next(trained.module.parameters())[1] = math.nan
        trained = resumed(trained, training(name, options, architecture, REPLICAS))
        advance(trained, 8)
        found.append(numbers(trained))
    healthy, ill = found
    for key, value in ill.items():
        assert torch.equal(value[[0, 2]], healthy[key][[0, 2]]), key
    assert ill["losses"][1, 3:].isnan().all()


@cases
def test_a_training_taken_up_again_goes_on_bitwise(
    name: str, options: Options, architecture: str
) -> None:
    straight = training(name, options, architecture, REPLICAS)
    advance(straight, 8)
    stopped = training(name, options, architecture, REPLICAS)
    advance(stopped, 5)
    again = resumed(stopped, training(name, options, architecture, REPLICAS))
    advance(again, 8)
    for key, value in numbers(straight).items():
        assert torch.equal(value, numbers(again)[key]), key


def resumed(stopped: Training, fresh: Training) -> Training:
    """Another process's training, from the bytes of this one's state."""
    buffer = io.BytesIO()
    torch.save(stopped.state(), buffer)
    buffer.seek(0)
    fresh.restore(torch.load(buffer, weights_only=True))
    return fresh
