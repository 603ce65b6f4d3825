"""Replicas trained together equal replicas trained alone, and do not disturb one another."""

import math
from dataclasses import replace
from itertools import islice
from typing import Any

import pytest
import torch
from support.replicas import replica
from torch import nn
from torch.nn import functional as F

from benchmark.datasets import catalog
from benchmark.engine import chunk_size, costs, engine
from benchmark.engine.build import Builder
from benchmark.study.recipe import Recipe
from benchmark.study.unit import Replica, Unit
from benchmark.training.batches import Batches
from benchmark.training.optimizers.sgd import ReplicatedSGD
from benchmark.training.outcome import describe_outcome
from benchmark.training.process_group import Ranks
from benchmark.training.schedules import schedule_factor
from benchmark.training.step import compute_losses
from benchmark.training.weights.initialization import initialize
from search_spaces.registry import create

FULL = "|nor_conv_3x3~0|+|avg_pool_3x3~0|nor_conv_1x1~1|+|skip_connect~0|nor_conv_3x3~1|none~2|"
STEPS = 30
RECIPE = Recipe(
    momentum=0.9, nesterov=True, weight_decay=5e-4, schedule="cosine", batch=16, precision="float64"
)
NETWORKS: dict[str, tuple[str, dict[str, Any], str]] = {
    "cell with batch norm": ("nasbench201", {"channels": 4, "cells": 1}, FULL),
    "resnet": ("resnet", {"width": 6}, "resnet-4"),
    "resnet with batch norm": ("resnet", {"width": 6, "normalization": "bn"}, "resnet-3"),
    "chain": ("cnn", {"width": 6}, "cnn-4"),
}


REPLICAS = [
    replica(0.1, 0),
    replica(0.02, 0, "residual-aware"),
    replica(0.3, 1, "in-degree-target"),
    replica(0.05, 2),
]


def unit(name: str, replicas: list[Replica], **changes: Any) -> Unit:
    space, options, architecture = NETWORKS[name]
    built = create(space, **options)
    values: dict[str, Any] = {
        "measure": "training",
        "space": space,
        "space_version": built.version,
        "space_options": tuple(options.items()),
        "architecture": architecture,
        "replicas": tuple(replicas),
        "recipe": Recipe(momentum=0.9, batch=64),
        "dataset": "digits",
        "dataset_checksum": catalog.load("digits").checksum,
    }
    return Unit(**values | changes)


def after_steps(name: str, replicas: list[Replica], poison: int | None = None) -> nn.Module:
    """The module after some steps of real training, one replica poisoned half-way if asked."""
    space, options, architecture = NETWORKS[name]
    built = create(space, **options)
    module = built.build(architecture, len(replicas), (1, 8, 8), 10).double()
    initialize(module, replicas, built.topology(architecture).residual_blocks)
    batches = Batches(catalog.load("digits"), RECIPE, [r.seed for r in replicas], torch.float64)
    rates = torch.tensor([r.lr for r in replicas], dtype=torch.float64)
    optimizer = ReplicatedSGD(module, rates, RECIPE)
    module.train()
    for step, (x, y) in zip(range(STEPS), batches.epoch(), strict=False):
        if step == STEPS // 2 and poison is not None:
            with torch.no_grad():
                next(module.parameters())[poison] = math.nan
        optimizer.zero_grad()
        compute_losses(module(x), y).sum().backward()
        optimizer.step(schedule_factor(RECIPE, step, STEPS))
    return module


@pytest.mark.parametrize("name", NETWORKS)
def test_together_equals_alone_to_1e_10_over_30_steps(name: str) -> None:
    together = after_steps(name, REPLICAS).state_dict()
    for index, each in enumerate(REPLICAS):
        alone = after_steps(name, [each]).state_dict()
        for key, value in together.items():
            torch.testing.assert_close(value[index], alone[key][0], rtol=0, atol=1e-10)


@pytest.mark.parametrize("name", NETWORKS)
def test_nan_in_one_replica_leaves_the_others_bitwise_unchanged(name: str) -> None:
    healthy = after_steps(name, REPLICAS).state_dict()
    poisoned = after_steps(name, REPLICAS, poison=1).state_dict()
    sick = False
    for key, value in poisoned.items():
        for index in (0, 2, 3):
            assert torch.equal(value[index], healthy[key][index]), key
        sick = sick or bool(value[1].isnan().any())
    assert sick


def test_one_replica_equals_plain_torch() -> None:
    """The whole path against torch.nn and torch.optim, written out by hand."""
    module = after_steps("resnet", [REPLICAS[0]])
    built = create("resnet", width=6)
    start = built.build("resnet-4", 1, (1, 8, 8), 10).double()
    initialize(start, [REPLICAS[0]], 4)
    convolutions = [nn.Conv2d(c, 6, 3, padding=1, bias=False).double() for c in (1, 6, 6, 6, 6)]
    readout = nn.Linear(6, 10).double()
    ours = [p.detach()[0] for p in start.parameters()]
    theirs = [*(c.weight for c in convolutions), readout.weight, readout.bias]
    assert [p.shape for p in ours] == [p.shape for p in theirs]
    with torch.no_grad():
        for mine, peer in zip(ours, theirs, strict=True):
            peer.copy_(mine)
    optimizer = torch.optim.SGD(theirs, lr=0.1, momentum=0.9, nesterov=True, weight_decay=5e-4)
    batches = Batches(catalog.load("digits"), RECIPE, [0], torch.float64)
    for step, (x, y) in zip(range(STEPS), batches.epoch(), strict=False):
        z = convolutions[0](x)
        for convolution in convolutions[1:]:
            z = z + convolution(F.relu(z))
        loss = F.cross_entropy(readout(F.relu(z).mean((2, 3))), y[0])
        optimizer.zero_grad()
        loss.backward()
        optimizer.param_groups[0]["lr"] = 0.1 * schedule_factor(RECIPE, step, STEPS)
        optimizer.step()
    for mine, peer in zip(module.parameters(), theirs, strict=True):
        torch.testing.assert_close(mine[0], peer.detach(), rtol=0, atol=1e-10)


def test_rows_of_a_unit_do_not_depend_on_the_chunk(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = engine.run(unit("chain", REPLICAS, recipe=replace(RECIPE, batch=64)))
    monkeypatch.setattr(chunk_size.ChunkLimits, "choose", lambda *_: 1)
    split = engine.run(unit("chain", REPLICAS, recipe=replace(RECIPE, batch=64)))
    for one, other in zip(whole, split, strict=True):
        assert one["train_loss"] == pytest.approx(other["train_loss"], rel=1e-10)
        assert one["test_accuracy"] == other["test_accuracy"]


def test_a_unit_learns_and_is_deterministic() -> None:
    steps: list[int] = []
    learning = unit(
        "cell with batch norm", REPLICAS, recipe=Recipe(momentum=0.9, batch=64, epochs=2)
    )
    rows = engine.run(learning, steps.append)
    assert rows == engine.run(learning)
    assert sum(steps) == costs.count_replica_steps(learning)
    assert [row["seed"] for row in rows] == [0, 0, 1, 2]
    for row in rows:
        assert row["status"] == "done"
        assert row["train_loss_curve"][1] < row["train_loss_curve"][0] < row["initial_loss"]
        assert row["valid_accuracy"] == row["valid_accuracy_curve"][-1] > 0.3
        assert row["train_loss"] == row["train_loss_curve"][-1]


def test_replicas_with_the_same_training_share_it() -> None:
    shared = unit("chain", [REPLICAS[0], replace(REPLICAS[0], rule="tuned-constant")])
    first, second = engine.run(shared)
    assert costs.count_replica_steps(shared) == costs.count_replica_steps(
        unit("chain", [REPLICAS[0]])
    )
    assert first["rule"] != second["rule"]
    assert first["train_loss"] == second["train_loss"]


def test_divergence_is_a_result_with_its_step() -> None:
    fine, gone = engine.run(unit("resnet", [replica(0.01, 0), replica(1e4, 0)]))
    assert fine["status"] == "done"
    assert fine["diverged_step"] is None
    assert gone["status"] == "diverged"
    assert gone["diverged_step"] is None or gone["diverged_step"] > 0


def test_a_high_loss_without_nan_is_diverged_and_a_falling_one_is_not() -> None:
    chance = math.log(10)
    high = describe_outcome(torch.tensor([2.0, 9.0]), 1, torch.zeros(1), {}, chance)
    falling = describe_outcome(torch.tensor([50.0, 9.0]), 2, torch.zeros(1), {}, chance)
    assert (high["status"], falling["status"]) == ("diverged", "done")
    nan = describe_outcome(torch.tensor([2.0, math.nan]), 2, torch.zeros(1), {}, chance)
    assert (nan["status"], nan["diverged_step"], nan["train_loss"]) == ("diverged", 1, None)
    assert nan["train_loss_curve"] == [None]


def test_a_part_of_an_epoch_has_a_mean_of_its_own() -> None:
    """7 steps in epochs of 3: the last epoch is one step, its length a whole one."""
    row = describe_outcome(torch.arange(7.0), 3, torch.zeros(3), {}, 10.0)
    assert row["train_loss_curve"] == [1.0, 4.0, 6.0]
    assert row["train_loss"] == 5.0
    assert (row["steps"], row["train_loss_last_tenth"]) == (7, 6.0)
    long = describe_outcome(torch.arange(100.0), 50, torch.zeros(2), {}, 1000.0)
    assert long["train_loss"] == long["train_loss_curve"][-1] == 74.5
    assert long["train_loss_last_tenth"] == 94.5


def test_a_unit_ends_after_its_steps_and_measures_on_the_way() -> None:
    """30 steps are one epoch of 22 and a part of one; measuring moves does not move anything."""
    capped = unit("resnet with batch norm", REPLICAS, recipe=Recipe(batch=64, steps=30))
    assert costs.count_replica_steps(capped) == 30 * 4
    progress: list[int] = []
    rows = engine.run(capped, progress.append)
    assert sum(progress) == 30 * 4
    measuring = replace(capped, recipe=Recipe(batch=64, steps=30, update_every=12))
    for row, measured in zip(rows, engine.run(measuring), strict=True):
        assert row["steps"] == 30
        assert len(row["valid_accuracy_curve"]) == len(row["train_loss_curve"]) == 2
        assert row["update_curve"] is None
        assert measured["update_curve_steps"] == [0, 12, 24]
        assert [len(moments) for moments in measured["update_curve"]] == [4] * 3
        assert all(m > 0 for moments in measured["update_curve"] for m in moments)
        known = ("unit_id", "update_curve", "update_curve_steps")
        assert {k: v for k, v in row.items() if k not in known} == {
            k: v for k, v in measured.items() if k not in known
        }


def test_a_cell_without_a_path_is_untrainable_and_no_abort() -> None:
    empty = "|none~0|+|none~0|none~1|+|none~0|none~1|none~2|"
    rows = engine.run(unit("cell with batch norm", REPLICAS, architecture=empty))
    assert [row["status"] for row in rows] == ["untrainable"] * 4


def test_bfloat16_keeps_masters_in_float32_and_learns_as_float32_does() -> None:
    """Losses agree to about the eight bits that bfloat16 has."""
    learned = {}
    for precision in ("float32", "bfloat16"):
        recipe = Recipe(momentum=0.9, batch=64, epochs=2, precision=precision)
        cells = unit("cell with batch norm", REPLICAS, recipe=recipe)
        learned[precision] = engine.run(cells)
    assert len({row["initial_loss"] for rows in learned.values() for row in rows}) > len(REPLICAS)
    for exact, rounded in zip(*learned.values(), strict=True):
        assert rounded["initial_loss"] == pytest.approx(exact["initial_loss"], rel=0.02)
        assert rounded["train_loss"] == pytest.approx(exact["train_loss"], rel=0.1)
        assert rounded["train_loss"] < 0.9 * rounded["initial_loss"]
    builder = Builder.of(cells, torch.device("cpu"), Ranks())
    training = builder.build_training(REPLICAS)
    (x, y), _ = islice(training.batches.epoch(), 2)
    training.advance(x, y)
    assert {p.dtype for p in training.module.parameters()} == {torch.float32}
    assert {p.grad.dtype for p in training.module.parameters() if p.grad is not None} == {
        torch.float32
    }
