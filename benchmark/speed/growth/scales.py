"""What must stay quick when studies grow: paths, plans, stores and the report.

Each is run once, at a size that is named; ``quick`` takes smaller ones.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from benchmark.report import page
from benchmark.speed.growth import planted as planted_ranks
from benchmark.speed.table import SpeedRow
from benchmark.store import provenance
from benchmark.store.compaction import compact_store
from benchmark.store.formats import schema
from benchmark.store.formats.manifest import make_manifest
from benchmark.store.store import Store
from benchmark.study import Rank, Study
from benchmark.study.recipe import NAS_BENCH_201
from benchmark.study.unit import Replica, Unit
from benchmark.sweep.rehearsal import assumed_plan
from search_spaces.graph import ArchGraph
from search_spaces.paths import PathStatistics
from search_spaces.registry import create

SECTION = "scale"


def time_call(work: Callable[[], Any]) -> tuple[float, Any]:
    """How long it took, and what came of it."""
    begin = time.perf_counter()
    found = work()
    return time.perf_counter() - begin, found


def measure_scales(quick: bool) -> Iterator[SpeedRow]:
    """Every row, as it is measured."""
    yield from measure_paths(12 if quick else 16)
    yield measure_plan(*((15_625, 1) if quick else (15_625, 8)))
    yield from measure_store(1_000 if quick else 100_000)
    yield from measure_report(2_000 if quick else 15_625)


def measure_paths(blocks: int) -> Iterator[SpeedRow]:
    """Path statistics of a residual net against enumerating its paths, of which 2^K."""
    graph = create("resnet").topology(f"resnet-{blocks}").network
    subject = f"paths of resnet-{blocks}: 2^{blocks}"
    taken, found = time_call(
        lambda: PathStatistics.of(graph, lambda edge: int(edge.operation.weighted))
    )
    try:
        longer, lengths = time_call(lambda: enumerate_paths(graph))
    except ImportError:
        yield SpeedRow(SECTION, subject, "networkx enumeration", "s", note="skipped: no networkx")
        yield SpeedRow(SECTION, subject, "PathStatistics", "s", [taken])
        return
    assert found.moments == tuple(sum(length**k for length in lengths) for k in range(4))
    yield SpeedRow(SECTION, subject, "networkx enumeration", "s", [longer], 1.0)
    yield SpeedRow(
        SECTION, subject, "PathStatistics", "s", [taken], longer / taken, "equal moments"
    )


def enumerate_paths(graph: ArchGraph) -> list[int]:
    """The weighted length of every path."""
    import networkx as nx  # only tests install it

    edges = list(graph.live_edges)
    directed: nx.MultiDiGraph[int] = nx.MultiDiGraph()
    for number, edge in enumerate(edges):
        directed.add_edge(edge.source, edge.target, key=number)
    return [
        sum(edges[cast(tuple[int, int, int], step)[2]].operation.weighted for step in path)
        for path in nx.all_simple_edge_paths(directed, 0, graph.output)
    ]


def measure_plan(sample: int, seeds: int) -> SpeedRow:
    """Planning a rank study: every unit with its rates and its id."""
    part = Rank(
        name="cells",
        space="nasbench201",
        rules=planted_ranks.RULES,
        seeds=seeds,
        sample=None if sample == 15_625 else sample,
        rates=(0.01, 0.1, 1.0),
        recipe=replace(NAS_BENCH_201, batch=256),
    )
    study = Study(name="plan", question="How long does a plan take?", parts=(part,))
    with tempfile.TemporaryDirectory() as folder:
        empty = Store.open(f"{folder}/results", create=True)

        def ids() -> int:
            units = {u.id: u for stage in assumed_plan(study, empty) for u in stage.units or ()}
            return sum(len(unit.replicas) for unit in units.values())

        taken, replicas = time_call(ids)
    return SpeedRow(SECTION, "plan and ids of a rank study", f"{replicas:,} replicas", "s", [taken])


def measure_store(count: int) -> Iterator[SpeedRow]:
    """Writing units one by one, each synced to the disk; reading all; folding; reading again."""
    subject = f"a store of {count:,} units of 3 replicas"
    origin = provenance.make_record("speed", 0.0)
    units = [plant_unit(f"mlp-{number}") for number in range(count)]
    outcome = {"status": "done", "train_loss": 0.5, "train_loss_curve": [2.0, 0.5]}
    with tempfile.TemporaryDirectory() as folder:
        results = Store.open(f"{folder}/results", create=True)
        nothing = Study(name="speed", question="How long does a store take?", parts=())
        results.write_manifest(make_manifest(nothing, []))

        def write() -> None:
            for unit in units:
                rows = [schema.make_row(unit, replica, outcome) for replica in unit.replicas]
                results.write(unit, rows, origin)

        def scan() -> int:
            fresh = Store.open(results.uri)
            return len(fresh.load(fresh.done()).rows)

        yield SpeedRow(SECTION, subject, "write", "s", [time_call(write)[0]])
        taken, read = time_call(scan)
        assert read == 3 * count
        yield SpeedRow(SECTION, subject, "scan", "s", [taken])
        yield SpeedRow(
            SECTION, subject, "compact", "s", [time_call(lambda: compact_store(results))[0]]
        )
        yield SpeedRow(SECTION, subject, "scan, compacted", "s", [time_call(scan)[0]])


def plant_unit(architecture: str) -> Unit:
    """A unit that nobody trains."""
    replicas = tuple(Replica.plain(0.1, seed) for seed in range(3))
    return Unit(
        measure="training",
        space="mlp",
        space_version=1,
        space_options=(("width", 8),),
        architecture=architecture,
        replicas=replicas,
        recipe=NAS_BENCH_201,
        dataset="digits",
        dataset_checksum="0" * 64,
    )


def measure_report(architectures: int) -> Iterator[SpeedRow]:
    """The page of a table of planted ranks, 64 rows an architecture."""
    results = planted_ranks.results_of(architectures)
    subject = f"report of {len(results.table):,} rows"
    with tempfile.TemporaryDirectory() as folder:
        taken, written = time_call(lambda: page.build_page(results).write(Path(folder)))
        size = written.stat().st_size / 1e6
    yield SpeedRow(SECTION, subject, "page", "s", [taken], note="goal: at most 30")
    yield SpeedRow(SECTION, subject, "page", "MB", [size], note="goal: at most 2")
