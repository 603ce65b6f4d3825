"""Everything a results folder says, read once: the table, its gaps, and where it came from."""

from __future__ import annotations

import importlib.util
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from benchmark.store.formats import manifest, schema
from benchmark.store.formats.unit_rows import Collection
from benchmark.store.provenance import list_records
from benchmark.store.store import Failure, Store
from benchmark.study.stage import Stage
from search_spaces.errors import InvalidInput

if TYPE_CHECKING:
    import pandas as pd


STAGE: Final = {"part": "part", "kind": "kind", "stage": "name"}
"""The columns that say where a row belongs, and the fields of a stage that they show."""


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
    stages: tuple[Stage[str], ...]
    table: pa.Table
    counts: tuple[Count, ...]
    failures: dict[str, Failure]
    quarantined: int
    extra: int
    provenance: Summary
    stuck: int = 0
    """Damaged files that could not be set aside: the folder cannot be written."""
    command: str = ""
    """What was typed to plan it, without the user's paths; empty where none was recorded."""

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
        stages = manifest.read_stages(stored)
        ids = dict.fromkeys(unit_id for stage in stages for unit_id in stage.units or ())
        loaded = store.load(ids)
        failures = {i: failure for i, failure in store.failures().items() if i in ids}
        counts = tuple(count(stage, loaded, failures) for stage in stages)
        origins = summary(
            [each for record in loaded.provenance.values() for each in list_records(record)]
        )
        places, columns = (
            [loaded.find_rows(stage.units or ()) for stage in stages],
            loaded.rows.columns,
        )
        del loaded  # so that a column is freed as soon as it is arranged
        return cls(
            uri=store.files.name,
            study=stored["study"],
            stages=stages,
            table=arrange(stages, places, columns),
            counts=counts,
            failures=failures,
            quarantined=store.quarantined(),
            extra=len(store.done() - ids.keys()),
            provenance=origins,
            stuck=len(store.stuck),
            command=stored.get("command", ""),
        )

    @classmethod
    def of_units(
        cls, uri: str, study: dict[str, Any], stages: Sequence[Stage[str]], units: Collection
    ) -> Results:
        """Results of units in memory: none failed, was set aside or lies outside the plan."""
        places = [units.find_rows(stage.units or ()) for stage in stages]
        return cls(
            uri=uri,
            study=study,
            stages=tuple(stages),
            table=arrange(stages, places, units.rows.columns),
            counts=tuple(count(stage, units, {}) for stage in stages),
            failures={},
            quarantined=0,
            extra=0,
            provenance=summary(list(units.provenance.values())),
        )


def arrange(
    stages: Sequence[Stage[str]],
    places: Sequence[NDArray[np.int64]],
    columns: list[pa.ChunkedArray],
) -> pa.Table:
    """The rows of every stage in the plan's order, with the stage's columns before them.

    ``places`` are the numbers of each stage's rows. ``columns`` are those of ``schema.SCHEMA`` and
    are taken out of the list one by one: there is never a second copy of all rows.
    """
    order = np.concatenate([np.empty(0, np.int64), *places])
    lengths = [len(place) for place in places]
    arranged: dict[str, pa.Array | pa.ChunkedArray] = {}
    for name, field in STAGE.items():
        parts = [
            pa.repeat(getattr(stage, field), length)
            for stage, length in zip(stages, lengths, strict=True)
        ]
        arranged[name] = pa.chunked_array(parts, pa.string())
    for name in schema.SCHEMA.names:
        arranged[name] = columns.pop(0).take(order)
    first = [pa.field(name, pa.string()) for name in STAGE]
    return pa.table(arranged, schema=pa.schema([*first, *schema.SCHEMA]))


def tell_stuck(files: int) -> str:
    """A sentence on damaged files that could not be set aside."""
    what = "1 damaged file was" if files == 1 else f"{files} damaged files were"
    return f"{what} not read, and not set aside: the results folder cannot be written."


def count(stage: Stage[str], loaded: Collection, failures: dict[str, Failure]) -> Count:
    """What became of a stage's units and replicas."""
    units = stage.units or ()
    statuses = Counter(loaded.rows["status"].take(loaded.find_rows(units)).to_pylist())
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
