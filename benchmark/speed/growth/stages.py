"""What surrounds training, for a study of any number of units: its plan, store, status and page.

The units get made-up rows, as a dry run assumes them, and nothing is trained.
"""

from __future__ import annotations

import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from benchmark.plan.planner import plan
from benchmark.report import page
from benchmark.speed.growth.memory import read_peak_memory
from benchmark.store import provenance
from benchmark.store.formats.manifest import make_manifest
from benchmark.store.results import Results
from benchmark.store.store import Store
from benchmark.study import Rank, Study
from benchmark.study.recipe import Recipe
from benchmark.study.stage import Stage
from benchmark.study.unit import Unit
from benchmark.sweep.rehearsal import assume_rows

CELLS = 15_625
SEEDS = 3


@dataclass(frozen=True)
class StageTimes:
    """Seconds of each, and bytes of this process at its peak: after writing, and after the page."""

    units: int
    rows: int
    planning: float
    writing: float
    status: float
    report: float
    driver_memory: int
    report_memory: int


def make_study(units: int) -> Study:
    """Two rules and three seeds on so many cells, at several batches beyond 15,625."""
    sizes = [CELLS] * (units // CELLS) + ([units % CELLS] if units % CELLS else [])
    parts = tuple(
        Rank(
            name=f"cells{number}",
            space="nasbench201",
            rules=("default", "effective-depth"),
            seeds=SEEDS,
            sample=None if size == CELLS else size,
            rates=(0.01, 0.1, 1.0),
            recipe=Recipe(batch=64 + number),
        )
        for number, size in enumerate(sizes)
    )
    return Study(name="scale", question="What does a study of this size cost?", parts=parts)


def measure_stages(units: int) -> StageTimes:
    """Plan, store, load and show a study of about so many units, in a temporary folder."""
    study, origin = make_study(units), provenance.make_record("scale", 0.0)
    planning = writing = 0.0
    with tempfile.TemporaryDirectory() as folder:
        store = Store.open(f"{folder}/results", create=True)
        known: set[str] = set()
        while True:
            begin = time.perf_counter()
            stages: list[Stage[Unit]] = plan(study, store.read)
            store.write_manifest(make_manifest(study, stages))
            new = [u for stage in stages for u in stage.units or () if u.id not in known]
            planned = time.perf_counter()
            planning += planned - begin
            if not new:
                break
            for unit in new:
                store.write(unit, assume_rows(unit), origin)
            known |= {unit.id for unit in new}
            writing += time.perf_counter() - planned
        driver = read_peak_memory()
        begin = time.perf_counter()
        results = Results.load(store.uri)
        loaded = time.perf_counter()
        page.build_page(results).write(Path(folder) / "page")
        shown = time.perf_counter()
        return StageTimes(
            len(known),
            len(results.table),
            planning,
            writing,
            loaded - begin,
            shown - loaded,
            driver,
            read_peak_memory(),
        )
