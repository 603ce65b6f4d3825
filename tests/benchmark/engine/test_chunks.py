"""How replicas are dealt into networks: sizes, the timed choice, its bytes, and lack of memory."""

import subprocess
import sys
from dataclasses import replace
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from support.commands import environment
from support.replicas import replica

from benchmark.datasets import catalog
from benchmark.engine import chunk_size, costs, engine
from benchmark.engine.build import Builder
from benchmark.engine.chunk_size import (
    GRAIN,
    ChunkLimits,
    SizeTrial,
    find_fastest_limit,
    halve_chunk,
    limit_by_rule,
    split_replicas,
    time_chunk,
)
from benchmark.study.recipe import Recipe
from benchmark.study.unit import Unit
from benchmark.training import loop
from benchmark.training.process_group import Ranks
from search_spaces.registry import create

LIMITS = st.integers(0, 6).map(lambda power: 2**power)


@given(replicas=st.integers(1, 300), limit=LIMITS)
def test_every_replica_is_in_a_chunk(replicas: int, limit: int) -> None:
    found = split_replicas(replicas, limit)
    assert sum(found) == replicas
    assert min(found) >= min(limit, replicas, GRAIN)
    assert max(found) < limit + GRAIN
    if replicas > limit:
        assert all(size % min(GRAIN, limit) == 0 for size in found[:-1])


@given(replicas=st.integers(2, 300), one=LIMITS, other=LIMITS)
def test_the_last_chunk_does_not_depend_on_the_limit(replicas: int, one: int, other: int) -> None:
    """What is over goes into a chunk of its own size, whatever the others' is."""
    rest = replicas % GRAIN
    if rest and min(one, other) >= GRAIN and max(one, other) < replicas >= 2 * GRAIN:
        assert (
            split_replicas(replicas, one)[-1] == split_replicas(replicas, other)[-1] == GRAIN + rest
        )


@given(size=st.integers(2, 300))
def test_halving_ends_at_one(size: int) -> None:
    smaller = halve_chunk(size)
    assert sum(smaller) == size
    assert max(smaller) < size


@given(elements=st.integers(1, 2**22), parameters=st.integers(1, 2**28))
def test_the_reference_keeps_activations_in_the_cache_and_weights_in_memory(
    elements: int, parameters: int
) -> None:
    limit = limit_by_rule(elements, parameters)
    assert limit == 1 or (limit * elements <= 2**18 and limit * parameters <= 2**26)
    assert limit == 64 or 2 * limit * elements > 2**18 or 2 * limit * parameters > 2**26


def test_one_step_of_a_wide_and_deep_network_has_few_replicas_in_company() -> None:
    """24 replicas of 128 layers of width 1024 are 3.2 billion weights, in double precision."""
    wide = replace(unit("mlp", {"width": 1024}, "mlp-128", 24), measure="updates")
    builder = Builder.of(wide, torch.device("cpu"), Ranks())
    assert ChunkLimits().choose(builder, wide.replicas, 1) == 1
    assert builder.parameters > 2**26


@pytest.mark.parametrize(
    ("seconds", "start", "best"),
    [
        ({4: 1.0, 8: 0.8, 16: 0.6, 32: 0.7}, 4, 16),
        ({4: 1.0, 8: 0.8, 16: 0.6, 32: 0.7}, 32, 16),
        ({4: 1.0, 8: 0.97, 16: 0.1, 32: 0.1}, 4, 4),  # 3% is noise
        ({4: 1.0, 8: 1.1, 16: 1.2, 32: 1.3}, 16, 4),
        ({4: 1.0, 8: None, 16: None, 32: None}, 32, 4),
    ],
)
def test_the_fastest_is_found_from_where_the_rule_starts(
    seconds: dict[int, float | None], start: int, best: int
) -> None:
    def trial(size: int) -> SizeTrial | None:
        taken = seconds.get(size, 2.0)
        return None if taken is None else SizeTrial(taken, frozenset([b"same"]))

    assert find_fastest_limit(32, start, trial) == best


def test_a_start_above_the_number_of_replicas_is_no_dead_end() -> None:
    def trial(size: int) -> SizeTrial:
        return SizeTrial(float(size), frozenset([b"same"]))

    assert split_replicas(18, find_fastest_limit(18, 64, trial)) == [1] * 18


def test_a_faster_chunk_with_other_bytes_is_not_taken() -> None:
    def trial(size: int) -> SizeTrial:
        return SizeTrial(1 / size, frozenset([b"few" if size < 8 else b"many"]))

    assert find_fastest_limit(64, 4, trial) == 4
    assert find_fastest_limit(64, 8, trial) == 64
    assert find_fastest_limit(64, 4, trial, exact=False) == 64


def unit(space: str, options: dict[str, Any], architecture: str, count: int, **recipe: Any) -> Unit:
    return Unit(
        measure="training",
        space=space,
        space_version=1,
        space_options=tuple(options.items()),
        architecture=create(space, **options).parse(architecture),
        replicas=tuple(replica(0.01 * (1 + index), index % 2) for index in range(count)),
        recipe=Recipe(**{"momentum": 0.9, "batch": 64} | recipe),
        dataset="digits",
        dataset_checksum=catalog.load("digits").checksum,
    )


NETWORKS: list[tuple[str, dict[str, Any], str]] = [
    ("mlp", {"width": 8, "normalization": "bn"}, "mlp-2"),
    ("cnn", {"width": 8}, "cnn-2"),
    ("resnet", {"width": 8, "normalization": "bn"}, "resnet-2"),
    ("nasbench201", {"channels": 4, "cells": 1}, "6111"),
    ("vit", {"width": 8, "heads": 2}, "vit-1"),
]


@pytest.mark.parametrize(("space", "options", "architecture"), NETWORKS)
def test_the_timed_choice_does_not_show(
    space: str, options: dict[str, Any], architecture: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rows are the same bytes for every limit that the timing may choose."""
    whole = unit(space, options, architecture, 13)
    builder = Builder.of(whole, torch.device("cpu"), Ranks())
    digests: set[bytes] = set()
    for limit in (4, 8):
        found = [
            time_chunk(builder, whole.replicas[0], size) for size in split_replicas(13, limit)[:-1]
        ]
        for each in found:
            assert each is not None
            digests |= each.digests
    assert len(digests) == 1
    rows = []
    for limit in (4, 8):
        monkeypatch.setattr(chunk_size.ChunkLimits, "choose", lambda *_, limit=limit: limit)
        rows.append(engine.run(whole))
    assert rows[0] == rows[1]


def test_timing_is_remembered_for_the_class_and_skipped_for_little_work() -> None:
    big = unit("cnn", {"width": 8}, "cnn-3", 12, epochs=40)
    builder = Builder.of(big, torch.device("cpu"), Ranks())
    limits = ChunkLimits()
    found = limits.choose(builder, big.replicas, costs.count_steps(big))
    assert list(limits.known.values()) == [found]
    deeper = unit("cnn", {"width": 8}, "cnn-6", 12, epochs=40)
    other = Builder.of(deeper, torch.device("cpu"), Ranks())
    assert limits.choose(other, deeper.replicas, costs.count_steps(deeper)) == found
    assert len(limits.known) == 1
    fresh = ChunkLimits()
    small = unit("cnn", {"width": 8}, "cnn-3", 12)
    assert fresh.choose(builder, small.replicas, 1) == limit_by_rule(
        builder.largest_activation, builder.parameters
    )
    assert fresh.known == {}


LIMITED = """
import resource, sys
sys.path[:0] = {paths!r}
from test_chunks import unit
from benchmark.engine import chunk_size, costs, engine
chunk_size.ChunkLimits.choose = lambda *_: 64
whole = unit("cnn", {{"width": 16}}, "cnn-4", 16, batch=256)
alone = engine.run(unit("cnn", {{"width": 16}}, "cnn-4", 1, batch=256))  # libraries are loaded
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + {room}, -1))
sizes = []
measure = engine.measure_chunk
def watched(builder, chunk, *rest):
    sizes.append(len(chunk))
    return measure(builder, chunk, *rest)
engine.measure_chunk = watched
rows = engine.run(whole)
print(len(rows), sizes[0], sizes[-1], {{row["status"] for row in rows}})
"""


@pytest.mark.skipif(sys.platform != "linux", reason="limits address space as Linux counts it")
def test_a_chunk_that_does_not_fit_is_halved() -> None:
    code = LIMITED.format(paths=sys.path, room=150 * 2**20)
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment(), check=False
    )
    assert done.returncode == 0, done.stderr
    rows, first, last, statuses = done.stdout.split(maxsplit=3)
    assert (rows, first) == ("16", "16")
    assert int(last) < 16
    assert "done" in statuses


def test_the_memory_of_evaluation_counts_in_the_trials(monkeypatch: pytest.MonkeyPatch) -> None:
    """Training fits at any size and evaluation does not: no epoch is trained to find that out."""
    whole = unit("cnn", {"width": 4}, "cnn-2", 12, epochs=40)
    builder = Builder.of(whole, torch.device("cpu"), Ranks())
    evaluate, sizes = loop.evaluate, []

    def limited(module: Any, batches: Any, images: Any) -> Any:
        sizes.append(len(batches.seed_R))
        if sizes[-1] > 3:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return evaluate(module, batches, images)

    monkeypatch.setattr(loop, "evaluate", limited)
    found = ChunkLimits().choose(builder, whole.replicas, costs.count_steps(whole))
    assert max(split_replicas(12, found)) <= 3
    assert max(sizes) > 3  # it was tried with more
