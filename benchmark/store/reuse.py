"""Replicas that a unit asks for and that other stored units hold: they are not trained again.

A unit's id holds its replicas, so a study with more seeds, rules or rates asks for other units of
the same networks. What was measured of a replica does not depend on which rule asked for it
(``Replica.training_key``), so a new unit takes those rows over and trains the rest. The units that
the rows come from stay as they are.

Such rows equal those of a run from nothing to the last bit where a replica's bytes do not depend on
its company (``benchmark.engine.chunk_size``): in networks of matrix products always, in
convolutional ones where the channels fill whole vectors and the replicas come in fours; elsewhere
they differ by rounding.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from benchmark.store.formats import schema
from benchmark.store.provenance import list_records
from benchmark.store.store import Store
from benchmark.study.unit import Replica, Unit, canonical_json

TrainingKey = tuple[object, ...]
"""A replica's training key."""

OUTCOMES: Final = sorted(schema.COLUMNS - schema.ASKED)
"""The columns that training gives, whatever unit and rule asked for it."""


@dataclass
class ReplicaIndex:
    """Which training keys the stored units hold, by everything of a unit but its replicas."""

    store: Store
    keys: dict[str, dict[str, frozenset[TrainingKey]]] = field(default_factory=dict)
    known: set[str] = field(default_factory=set)

    def add_stored(self, ids: Collection[str]) -> None:
        """Read what these units ask for; each is read once."""
        new = sorted(set(ids) - self.known)
        for files in self.store.read_units(new):
            for unit_id, file in files.items():
                keys = frozenset(each.training_key for each in read_replicas(file.unit))
                self.keys.setdefault(hash_frame(file.unit), {})[unit_id] = keys
        self.known.update(new)

    def find_all_sources(self, units: Sequence[Unit]) -> dict[str, tuple[str, ...]]:
        """What ``find_sources`` finds, for those of these units that are not stored, by their ids.

        ``units`` are all that are planned: what is planned itself is trained as it is planned, so
        that a run that was interrupted trains what one that was not would have trained.
        """
        done = self.store.done()
        missing = [unit for unit in units if unit.id not in done]
        if missing:
            self.add_stored(done - {unit.id for unit in units})
        if not self.keys:
            return {}
        found = {unit.id: self.find_sources(unit) for unit in missing}
        return {unit_id: sources for unit_id, sources in found.items() if sources}

    def find_sources(self, unit: Unit) -> tuple[str, ...]:
        """The stored units that hold replicas of this one, the fullest first; each adds some."""
        missing = {each.training_key for each in unit.replicas}
        holders: dict[str, frozenset[TrainingKey]] = {}
        for frame in list_frames(unit):
            holders |= self.keys.get(frame, {})
        sources = []
        while holders:
            best = min(holders, key=lambda name: (-len(holders[name] & missing), name))
            if not holders[best] & missing:
                break
            missing -= holders.pop(best)
            sources.append(best)
        return tuple(sources)

    def select_missing(self, unit: Unit, sources: Sequence[str]) -> Unit:
        """The unit with the replicas alone that no source holds."""
        frames = [self.keys.get(frame, {}) for frame in list_frames(unit)] if sources else []
        held = {key for frame in frames for name in sources for key in frame.get(name, ())}
        return keep_replicas(unit, held)


@dataclass(frozen=True)
class Recalled:
    """What is stored of a unit's replicas by training key, and where it came from."""

    unit: Unit
    outcomes: dict[TrainingKey, dict[str, Any]]
    records: tuple[dict[str, Any], ...]

    @property
    def rest(self) -> Unit:
        """The unit with the replicas alone that are to be trained (the unit itself: all)."""
        return keep_replicas(self.unit, self.outcomes) if self.outcomes else self.unit

    def complete_rows(self, rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        """A row per replica of the unit, from the rows of ``rest`` and what was stored."""
        if not self.outcomes:
            return list(rows)
        measured = self.outcomes | {
            replica.training_key: select_outcome(row)
            for replica, row in zip(self.rest.replicas, rows, strict=True)
        }
        return [
            schema.make_row(self.unit, replica, measured[replica.training_key])
            for replica in self.unit.replicas
        ]

    def credit(self, record: dict[str, Any]) -> dict[str, Any]:
        """The provenance of the whole: that of the rest, and ``earlier`` that of what was stored.

        Where nothing is left to be trained, the newest earlier record leads.
        """
        if not self.records:
            return record
        if not self.rest.replicas:
            *others, record = sorted(self.records, key=lambda each: str(each["finished"]))
            return record | {"earlier": others}
        return record | {"earlier": list(self.records)}


def compose_units(
    store: Store, units: Iterable[Unit], sources: Mapping[str, Sequence[str]]
) -> set[str]:
    """Store those of these units whose replicas are all held by their sources; returns their ids.

    Raises ``StoreUnwritable``.
    """
    composed = set()
    for unit in units:
        recalled = recall_replicas(store, unit, sources[unit.id])
        if not recalled.rest.replicas:
            store.write(unit, recalled.complete_rows([]), recalled.credit({}))
            composed.add(unit.id)
    return composed


def recall_replicas(store: Store, unit: Unit, sources: Sequence[str]) -> Recalled:
    """Read from ``sources`` what they hold of a unit's replicas; the first that has one gives it.

    A source that is gone or damaged gives nothing, so that more is left to be trained.
    """
    wanted = {each.training_key for each in unit.replicas}
    files = {name: file for some in store.read_units(sources) for name, file in some.items()}
    outcomes: dict[TrainingKey, dict[str, Any]] = {}
    records: list[dict[str, Any]] = []
    for name in sources:
        if name not in files:
            continue
        held = read_replicas(files[name].unit)
        rows = files[name].rows.to_pylist()
        taken = {
            replica.training_key: select_outcome(row)
            for replica, row in zip(held, rows, strict=True)
            if replica.training_key in wanted - outcomes.keys()
        }
        share = len(taken) / len({each.training_key for each in held})
        outcomes |= taken
        records += [
            record | {"seconds": record["seconds"] * share}
            for record in list_records(files[name].provenance)
        ]
    return Recalled(unit, outcomes, tuple(records))


def select_outcome(row: dict[str, Any]) -> dict[str, Any]:
    """What training gave."""
    return {name: row[name] for name in OUTCOMES}


def keep_replicas(unit: Unit, held: Collection[TrainingKey]) -> Unit:
    """The unit without the replicas that are held, at this code's version."""
    missing = tuple(each for each in unit.replicas if each.training_key not in held)
    return unit if missing == unit.replicas else replace(unit, replicas=missing, recipe_version=0)


def read_replicas(canonical: str) -> list[Replica]:
    """The replicas in a unit's canonical JSON."""
    return [
        Replica(**each | {"factors": tuple((name, value) for name, value in each["factors"])})
        for each in json.loads(canonical)["replicas"]
    ]


def list_frames(unit: Unit) -> Iterable[str]:
    """The frames of a unit under today's name of its data set and under former ones."""
    yield hash_frame(unit.canonical)
    for name, checksum in unit.dataset_former:
        yield hash_frame(replace(unit, dataset=name, dataset_checksum=checksum).canonical)


def hash_frame(canonical: str) -> str:
    """The sha256 of a unit's canonical JSON without its replicas."""
    frame = {name: value for name, value in json.loads(canonical).items() if name != "replicas"}
    return hashlib.sha256(canonical_json(frame).encode()).hexdigest()
