"""Everything a results folder says, read once: the table, its gaps, and where it came from."""

from __future__ import annotations

import importlib.util
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from benchmark.store.formats import manifest, schema
from benchmark.store.formats.manifest import StoredStage
from benchmark.store.formats.unit_rows import Collection
from benchmark.store.provenance import list_records
from benchmark.store.store import Failure, Store
from search_spaces.errors import InvalidInput

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Count:
    """One stage: units ``planned = done + failed + missing``; replicas are rows of done units.

    A stage that ``waits`` for another one is not planned yet: its units are counted as missing.
    """

    part: str
    kind: str
    stage: str
    planned: int
    done: int
    failed: int
    missing: int
    replicas: int
    diverged: int
    untrainable: int
    waits: bool


@dataclass(frozen=True)
class Summary:
    """Where the done units came from; ``seconds`` add up over units, ``finished`` is the newest."""

    versions: dict[str, list[str]]
    commits: list[str]
    platforms: list[str]
    processors: list[str]
    machines: int
    cores: list[int]
    accelerators: list[str]
    seconds: float
    finished: str | None


@dataclass(frozen=True)
class Results:
    """A results folder.

    ``table`` has the columns part, kind and stage before those of ``schema.SCHEMA``; rows are in
    the order of the plan, and a unit of two stages has its rows in both. ``failures`` has the last
    attempt at each planned unit that failed; ``extra`` counts stored units that the plan does not
    name (those of earlier fields).
    """

    uri: str
    study: dict[str, Any]
    stages: tuple[StoredStage, ...]
    table: pa.Table
    counts: tuple[Count, ...]
    failures: dict[str, Failure]
    quarantined: int
    extra: int
    provenance: Summary

    @property
    def complete(self) -> bool:
        """Whether every planned unit is done."""
        return all(count.done == count.planned for count in self.counts)

    def to_pandas(self) -> pd.DataFrame:
        """The table as a data frame, part, kind and stage first; null numbers are NaN.

        Raises ``InvalidInput`` where pandas is not installed.
        """
        if importlib.util.find_spec("pandas") is None:
            raise InvalidInput("to_pandas needs pandas, which is not installed; pip install pandas")
        frame: pd.DataFrame = self.table.to_pandas()
        return frame

    @classmethod
    def load(cls, uri: str, planned: dict[str, Any] | None = None) -> Results:
        """Read a results folder; raises ``InvalidInput`` where there is none.

        ``planned`` is the manifest to go by, where it is not the stored one: a driver's own plan,
        which another driver may have replaced there. Writes nothing, but moves files that fail
        their checks to ``quarantine/``.
        """
        store = Store.open(uri)
        stored = planned or store.manifest()
        stages = manifest.stages(stored)
        ids = dict.fromkeys(unit_id for stage in stages for unit_id in stage.units or ())
        loaded = store.load(ids)
        failures = {i: failure for i, failure in store.failures().items() if i in ids}
        return cls(
            uri=store.files.name,
            study=stored["study"],
            stages=stages,
            table=table(stages, loaded),
            counts=tuple(count(stage, loaded, failures) for stage in stages),
            failures=failures,
            quarantined=store.quarantined(),
            extra=len(store.done() - ids.keys()),
            provenance=summary(
                [each for record in loaded.provenance.values() for each in list_records(record)]
            ),
        )


def table(stages: Iterable[StoredStage], loaded: Collection) -> pa.Table:
    """The rows of every stage in the plan's order, with the stage's columns before them."""
    first = [pa.field(name, pa.string()) for name in ("part", "kind", "stage")]
    tables = [pa.schema([*first, *schema.SCHEMA]).empty_table()]
    for stage in stages:
        rows = loaded.select(stage.units or ())
        for field, value in zip(reversed(first), (stage.name, stage.kind, stage.part), strict=True):
            rows = rows.add_column(0, field, pa.repeat(value, len(rows)))
        tables.append(rows)
    return pa.concat_tables(tables).combine_chunks()


def count(stage: StoredStage, loaded: Collection, failures: dict[str, Failure]) -> Count:
    """What became of a stage's units and replicas."""
    units = stage.units or ()
    statuses = Counter(loaded.select(units)["status"].to_pylist())
    planned = stage.expected if stage.units is None else len(units)
    done = sum(unit_id in loaded for unit_id in units)
    failed = sum(unit_id in failures for unit_id in units)
    return Count(
        part=stage.part,
        kind=stage.kind,
        stage=stage.name,
        planned=planned,
        done=done,
        failed=failed,
        missing=planned - done - failed,
        replicas=statuses.total(),
        diverged=statuses["diverged"],
        untrainable=statuses["untrainable"],
        waits=stage.units is None,
    )


def summary(records: list[dict[str, Any]]) -> Summary:
    """The distinct origins of units."""
    versions: dict[str, set[str]] = {}
    for record in records:
        for package, installed in record["versions"].items():
            versions.setdefault(package, set()).add(installed)
    machines = {(r["platform"], r["processor"], r["cores"]) for r in records}
    return Summary(
        versions={package: sorted(installed) for package, installed in sorted(versions.items())},
        commits=sorted({record["commit"] for record in records}),
        platforms=sorted({record["platform"] for record in records}),
        processors=sorted({record["processor"] for record in records}),
        machines=len(machines),
        cores=sorted({record["cores"] for record in records if record["cores"]}),
        accelerators=sorted({record.get("accelerator", "none") for record in records} - {"none"}),
        seconds=sum(record["seconds"] for record in records),
        finished=max((record["finished"] for record in records), default=None),
    )
