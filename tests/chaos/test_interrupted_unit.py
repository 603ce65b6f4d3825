"""A unit that is killed goes on from its checkpoint, and ends with the bytes of one that ran."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from support.commands import environment, wait_until
from support.replicas import replica

from benchmark.datasets import catalog
from benchmark.engine import checkpoint, chunk_size, costs, engine
from benchmark.study.recipe import Recipe
from benchmark.study.unit import Unit
from search_spaces.registry import create

CELL = "|nor_conv_3x3~0|+|avg_pool_3x3~0|nor_conv_1x1~1|+|skip_connect~0|nor_conv_3x3~1|none~2|"
RECIPES = {
    "sgd": Recipe(
        momentum=0.9, nesterov=True, schedule="cosine", epochs=2, batch=96, crop_padding=1
    ),
    "adamw": Recipe(
        optimizer="adamw",
        weight_decay=0.1,
        steps=22,
        batch=96,
        horizontal_flip=True,
        update_every=5,
    ),
}
NETWORKS: list[tuple[str, dict[str, Any], str, str]] = [
    ("nasbench201", {"channels": 2, "cells": 1}, CELL, "sgd"),
    ("mlp", {"width": 8, "dropout": 0.3, "normalization": "bn"}, "mlp-2", "adamw"),
]
STEPS = 22  # of every replica: 11 an epoch, in two chunks of 2 and 3 replicas


class Killed(Exception):  # noqa: N818 -- stands for a kill
    """The process is gone."""


def unit(number: int) -> Unit:
    space, options, architecture, recipe = NETWORKS[number]
    return Unit(
        measure="training",
        space=space,
        space_version=1,
        space_options=tuple(options.items()),
        architecture=create(space, **options).parse(architecture),
        replicas=tuple(replica(0.01 * (1 + index), index % 2) for index in range(5)),
        recipe=RECIPES[recipe],
        dataset="digits",
        dataset_checksum=catalog.load("digits").checksum,
    )


def after(steps: int) -> Callable[[int], None]:
    """Stops a unit after so many replica-steps."""
    told = 0

    def on_progress(count: int) -> None:
        nonlocal told
        told += count
        if told >= steps:
            raise Killed

    return on_progress


@pytest.fixture(autouse=True)
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    """A checkpoint before every step, and two chunks."""
    monkeypatch.setattr(checkpoint, "EVERY", 0.0)
    monkeypatch.setattr(chunk_size.ChunkLimits, "choose", lambda *_: 2)


@pytest.mark.parametrize("number", range(len(NETWORKS)), ids=[n[0] for n in NETWORKS])
def test_a_resumed_unit_ends_with_the_same_bytes(number: int, tmp_path: Path) -> None:
    """Stopped in mid-epoch, between two epochs, in the second chunk, and twice in a row."""
    whole = unit(number)
    rows = engine.run(whole)
    path = tmp_path / f"{whole.id}.pt"
    for stops in ([2 * 5], [2 * 11], [2 * STEPS + 3 * 7], [2 * 4, 2 * 15, 2 * STEPS + 3]):
        for stop in stops:
            with pytest.raises(Killed):
                engine.run(whole, after(stop), checkpoint=path)
            assert path.exists()
        told: list[int] = []
        assert engine.run(whole, told.append, checkpoint=path) == rows
        assert sum(told) == costs.count_replica_steps(whole)
        assert len(told) < 2 * STEPS  # what was done before counts, and is not done again
        assert not path.exists()


KILLED = """
import sys, time
sys.path[:0] = {paths!r}
from pathlib import Path
from benchmark.engine import checkpoint, chunk_size, costs, engine
from test_interrupted_unit import unit
checkpoint.EVERY = 0.0
chunk_size.ChunkLimits.choose = lambda *_: 2
engine.run(unit(0), lambda _: time.sleep(0.02), checkpoint=Path({path!r}))
"""


def test_kill_9_in_mid_unit(tmp_path: Path) -> None:
    rows = engine.run(unit(0))
    path = tmp_path / "unit.pt"
    code = KILLED.format(paths=sys.path, path=str(path))
    process = subprocess.Popen([sys.executable, "-c", code], env=environment())
    wait_until(path.exists)
    for _ in range(3):
        before = path.stat().st_mtime_ns
        wait_until(lambda before=before: path.stat().st_mtime_ns > before)  # type: ignore[misc]
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    told: list[int] = []
    assert engine.run(unit(0), told.append, checkpoint=path) == rows
    assert len(told) < 2 * STEPS
    assert list(tmp_path.glob("*.pt")) == []


def test_a_short_unit_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoint, "EVERY", 60.0)
    with pytest.raises(Killed):
        engine.run(unit(0), after(20), checkpoint=tmp_path / "unit.pt")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", [b"", b"torn", None], ids=["empty", "torn", "another unit's"])
def test_what_cannot_be_used_costs_only_its_steps(content: bytes | None, tmp_path: Path) -> None:
    path = tmp_path / "unit.pt"
    if content is None:
        with pytest.raises(Killed):
            engine.run(unit(1), after(20), checkpoint=path)
    else:
        path.write_bytes(content)
    assert engine.run(unit(0), checkpoint=path) == engine.run(unit(0))


def test_a_checkpoint_is_read_without_running_what_it_names(tmp_path: Path) -> None:
    class Malicious:
        def __reduce__(self) -> Any:
            return os.mkdir, (str(tmp_path / "pwned"),)

    path = tmp_path / "unit.pt"
    torch.save({"format": 1, "unit": unit(0).id, "sizes": Malicious()}, path)
    assert len(engine.run(unit(0), checkpoint=path)) == 5
    assert not (tmp_path / "pwned").exists()
