"""Two processes with half of every batch each are one process with the whole."""

import math
import multiprocessing
from itertools import combinations, product
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.distributed as dist
from support.replicas import replica

from benchmark.datasets import catalog
from benchmark.engine import engine
from benchmark.study.recipe import Recipe
from benchmark.study.unit import Unit
from benchmark.training.batches import Batches
from benchmark.training.loop import Training
from benchmark.training.process_group import ProcessGroup, Ranks
from benchmark.training.step import weight_dtype
from benchmark.training.weights.initialization import initialize
from search_spaces.errors import InvalidInput
from search_spaces.registry import create

FULL = "|nor_conv_3x3~0|+|avg_pool_3x3~0|nor_conv_1x1~1|+|skip_connect~0|nor_conv_3x3~1|none~2|"
NETWORKS: list[tuple[str, dict[str, Any], str]] = [
    ("nasbench201", {"channels": 2, "cells": 1}, FULL),
    ("resnet", {"width": 4, "normalization": "bn", "dropout": 0.2}, "resnet-2"),
    ("mlp", {"width": 8, "normalization": "bn", "dropout": 0.3}, "mlp-2"),
    ("cnn", {"width": 4, "normalization": "bn", "dimensions": 1}, "cnn-2"),
    ("vit", {"width": 8, "heads": 2, "dropout": 0.2}, "vit-1"),
    ("module", {"width": 4}, "module-2"),
]
RECIPE = Recipe(
    momentum=0.9,
    weight_decay=5e-4,
    gradient_clip=1.0,
    crop_padding=1,
    horizontal_flip=True,
    batch=38,
    precision="float64",
)
REPLICAS = (replica(0.1, 0), replica(0.02, 1), replica(1e6, 0))
SIZE = 2
CHOICES: dict[str, tuple[Any, ...]] = {
    "precision": ("float64", "float32", "bfloat16"),
    "normalization": ("bn", "none", "ln"),
    "dropout": (0.2, 0.0),
    "optimizer": ("sgd", "adamw"),
    "network": (("mlp", "mlp-2"), ("cnn", "cnn-2"), ("resnet", "resnet-2"), ("vit", "vit-1")),
}
TOLERANCE = {"float64": 1e-10, "float32": 1e-4, "bfloat16": 0.05}
"""Between one process and two, after 4 steps: their sums have another order."""


def every_pair(choices: dict[str, tuple[Any, ...]]) -> list[dict[str, Any]]:
    """Rows in which every pair of values of two factors occurs (greedily, few rows)."""
    names = list(choices)
    every = [dict(zip(names, values, strict=True)) for values in product(*choices.values())]

    def pairs(row: dict[str, Any]) -> set[tuple[tuple[str, Any], ...]]:
        return set(combinations(row.items(), 2))

    missing = set().union(*map(pairs, every))
    rows: list[dict[str, Any]] = []
    while missing:
        rows.append(max(every, key=lambda row: len(pairs(row) & missing)))
        missing -= pairs(rows[-1])
    return rows


PAIRS = every_pair(CHOICES)


def trained_pair(row: dict[str, Any], ranks: Ranks) -> dict[str, Any]:
    """What a unit of these choices trains to in 4 steps."""
    space, architecture = row["network"]
    options = {"width": 8, "normalization": row["normalization"], "dropout": row["dropout"]}
    built = create(space, **options | ({"heads": 2} if space == "vit" else {}))
    recipe = Recipe(
        optimizer=row["optimizer"], batch=64, validation=0.8, precision=row["precision"]
    )
    # AdamW's first steps are signs, which rounding turns where a gradient is nearly nothing.
    slower = 0.02 if row["optimizer"] == "adamw" else 1.0
    replicas = [replica(slower * each.lr, each.seed) for each in REPLICAS[:2]]
    dtype = weight_dtype(recipe)
    module = built.build(architecture, len(replicas), (1, 8, 8), 10).to(dtype)
    initialize(module, replicas, built.topology(architecture).residual_blocks)
    seeds = [each.seed for each in replicas]
    batches = Batches(catalog.load("digits"), recipe, seeds, dtype, ranks=ranks)
    training = Training(module, replicas, batches)
    training.run()
    return module.state_dict() | {"losses": training.loss_SR}


def unit() -> Unit:
    space, options, architecture = NETWORKS[0]
    return Unit(
        measure="training",
        space=space,
        space_version=1,
        space_options=tuple(options.items()),
        architecture=architecture,
        replicas=REPLICAS,
        recipe=RECIPE,
        dataset="digits",
        dataset_checksum=catalog.load("digits").checksum,
    )


def trained(number: int, ranks: Ranks) -> dict[str, Any]:
    """Weights, running statistics and losses after an epoch of 30 steps."""
    space, options, architecture = NETWORKS[number]
    built = create(space, **options)
    module = built.build(architecture, len(REPLICAS), (1, 8, 8), 10).double()
    initialize(module, REPLICAS, built.topology(architecture).residual_blocks)
    seeds = [each.seed for each in REPLICAS]
    batches = Batches(catalog.load("digits"), RECIPE, seeds, torch.float64, ranks=ranks)
    training = Training(module, REPLICAS, batches)
    training.run()
    return module.state_dict() | {"losses": training.loss_SR, "accuracies": training.valid_ER}


def work(rank: int, folder: str) -> None:
    """One of two processes."""
    torch.set_num_threads(1)
    store = f"file://{folder}/store"
    dist.init_process_group("gloo", init_method=store, rank=rank, world_size=SIZE)
    ranks = ProcessGroup()
    states = [trained(number, ranks) for number in range(len(NETWORKS))]
    rows = engine.run_on_ranks(unit(), ranks)
    pairs = [trained_pair(row, ranks) for row in PAIRS]
    torch.save({"states": states, "rows": rows, "pairs": pairs}, f"{folder}/{rank}.pt")
    dist.destroy_process_group()


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """What each of two processes got."""
    folder: Path = tmp_path_factory.mktemp("ranks")
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=work, args=(rank, str(folder))) for rank in range(SIZE)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0] * SIZE
    return [torch.load(folder / f"{rank}.pt", weights_only=True) for rank in range(SIZE)]


@pytest.mark.parametrize("number", range(len(NETWORKS)), ids=[n for n, _, _ in NETWORKS])
def test_two_processes_train_what_one_does(number: int, found: list[dict[str, Any]]) -> None:
    alone = trained(number, Ranks())
    assert len(alone["losses"]) == 30
    for key, value in alone.items():
        one, other = (each["states"][number][key] for each in found)
        finite = value[..., :2] if key in ("losses", "accuracies") else value[:2]
        mine = one[..., :2] if key in ("losses", "accuracies") else one[:2]
        torch.testing.assert_close(mine, finite, rtol=0, atol=1e-10)
        assert torch.equal(one.nan_to_num(), other.nan_to_num()), key


@pytest.mark.parametrize("number", range(len(PAIRS)), ids=lambda n: str([*PAIRS[n].values()]))
def test_every_pair_of_options_trains_on_ranks(number: int, found: list[dict[str, Any]]) -> None:
    row = PAIRS[number]
    alone = trained_pair(row, Ranks())
    assert len(alone["losses"]) == 4
    near = TOLERANCE[row["precision"]]
    for key, value in alone.items():
        one, other = (each["pairs"][number][key] for each in found)
        assert torch.equal(one, other), key
        assert one.dtype == value.dtype
        torch.testing.assert_close(one, value, rtol=near, atol=near, msg=key)


def test_the_rows_hold_every_pair() -> None:
    """Of 2 x 2 x 2 choices 4 rows do, of which leaving one out leaves a pair out."""
    rows = every_pair({"a": (0, 1), "b": (0, 1), "c": (0, 1)})
    assert len(rows) == 4
    for x, y in combinations("abc", 2):
        assert {(row[x], row[y]) for row in rows} == {(0, 0), (0, 1), (1, 0), (1, 1)}
    assert len(PAIRS) < 20


def test_all_ranks_agree_on_rows_and_divergence(found: list[dict[str, Any]]) -> None:
    one, other = (each["rows"] for each in found)
    assert one == other
    for mine, row in zip(one, engine.run(unit()), strict=True):
        assert mine["unit_id"] == row["unit_id"]
        assert mine["status"] == row["status"]
        if row["status"] == "done":
            for name in ("train_loss", "valid_loss", "test_accuracy"):
                assert math.isclose(mine[name], row[name], rel_tol=0, abs_tol=1e-10), name
    assert {row["status"] for row in one} == {"done", "diverged"}


def test_a_batch_that_does_not_divide_is_refused() -> None:
    ranks = Ranks()
    ranks.size = 3
    with pytest.raises(InvalidInput, match="batch=128 does not divide over 3 ranks"):
        ranks.slice(128)
