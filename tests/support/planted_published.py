"""Planted published accuracies: records in NATS-Bench's own format, and tables of known truth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from nats_bench.api_utils import ArchResults, ResultsCount, pickle_save

from benchmark.published.table import SCHEMA
from search_spaces.nasbench201.cell import official_order, write

SETS = {
    "cifar10-valid": ("x-valid", "ori-test"),
    "cifar10": ("ori-test",),
    "cifar100": ("x-valid", "x-test", "ori-test"),
    "ImageNet16-120": ("x-valid", "x-test", "ori-test"),
}
"""What each data set is evaluated on, in the API's names."""

Trials = Mapping[tuple[str, str], Mapping[int, float]]
"""(epochs, data set) to accuracy in percent by seed."""


def write_records(folder: Path, cells: Mapping[int, Trials]) -> Path:
    """A folder of records; the accuracy of a trial is the same on each of its splits."""
    folder.mkdir(parents=True, exist_ok=True)
    archs = [write(cell) for cell in official_order()]
    pickle_save({"meta_archs": archs}, folder / "meta.pickle")
    for index, trials in cells.items():
        record = {epochs: ArchResults(index, archs[index]) for epochs, _ in trials}
        for (epochs, dataset), accuracies in trials.items():
            last = int(epochs) - 1
            for seed, accuracy in accuracies.items():
                curves = {last: accuracy}, {last: 0.0}
                trial = ResultsCount(dataset, None, *curves, 0, 0, {}, seed, int(epochs), None)
                for split in SETS[dataset]:
                    # The records hold numpy's scalars here and there.
                    trial.eval_names.append(split)
                    trial.eval_acc1es[f"{split}@{last}"] = np.float64(accuracy)
                    trial.eval_losses[f"{split}@{last}"] = 0.0
                record[epochs].update(dataset, seed, trial)
        states = {epochs: results.state_dict() for epochs, results in record.items()}
        pickle_save(states, folder / f"{index:06d}.pickle")
    return folder


Accuracies = dict[tuple[str, str, int, int | None], np.ndarray]
"""(dataset, split, epochs, seed) to shares by official index."""


def long_table(accuracies: Accuracies) -> pa.Table:
    """The long layout; NaN is no row."""
    archs = np.array([write(cell) for cell in official_order()])
    parts = []
    for (dataset, split, epochs, seed), value_A in accuracies.items():
        index = np.flatnonzero(~np.isnan(value_A))
        constants: Sequence[str | int | None] = (dataset, split, epochs, seed)
        values = [
            pa.repeat(pa.scalar(v, f.type), len(index))
            for v, f in zip(constants, list(SCHEMA)[2:6], strict=True)
        ]
        parts.append(
            pa.table([index, archs[index], *values, value_A[index]], names=SCHEMA.names).cast(
                SCHEMA
            )
        )
    return pa.concat_tables(parts)


def save(table: pa.Table, path: Path) -> Path:
    """Write a table and return where."""
    pq.write_table(table, path)
    return path
