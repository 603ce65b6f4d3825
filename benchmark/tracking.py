"""Stored results as runs of an experiment tracker: TensorBoard, MLflow or Weights & Biases.

One run per replica: what was asked as its parameters, losses and accuracies by epoch as its curves,
and what came out as its summary. Nothing is sent anywhere: MLflow and Weights & Biases write files
that their own commands show or upload.
"""

from __future__ import annotations

import importlib.util
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pyarrow as pa

from benchmark.store.formats import schema
from search_spaces.errors import InvalidInput

PARAMETERS: Final = ("part", "stage", *sorted(schema.ASKED - {"unit_id", "space_version"}))
CURVES: Final = {"train_loss_curve": "train_loss", "valid_accuracy_curve": "valid_accuracy"}


@dataclass(frozen=True)
class LoggedRun:
    """One replica: ``curves`` hold a number per epoch, ``summary`` what came out in the end."""

    name: str
    parameters: dict[str, str | int | float]
    curves: dict[str, list[float]]
    summary: dict[str, float]


def list_runs(table: pa.Table) -> Iterator[LoggedRun]:
    """A run per row of ``Results.table``, in its order; numbers that are missing are left out."""
    for batch in table.to_batches(max_chunksize=1000):
        for row in batch.to_pylist():
            curves = {
                name: [value for value in row[column] or () if value is not None]
                for column, name in CURVES.items()
            }
            summary = {
                name: float(value)
                for name, value in row.items()
                if name not in PARAMETERS
                and isinstance(value, int | float)
                and math.isfinite(value)
            }
            named = (row[each] for each in ("part", "stage", "architecture", "rule"))
            yield LoggedRun(
                "/".join([*named, f"lr {row['lr']:.6g}", f"seed {row['seed']}"]),
                {name: row[name] for name in PARAMETERS if row[name] is not None}
                | {"status": row["status"]},
                {name: values for name, values in curves.items() if values},
                summary,
            )


def log_tensorboard(runs: Iterator[LoggedRun], out: Path, study: str) -> None:
    """Write an event file per run; ``tensorboard --logdir OUT`` shows them."""
    from torch.utils.tensorboard import SummaryWriter

    for run in runs:
        folder = out.joinpath(*(make_file_name(each) for each in run.name.split("/")))
        with SummaryWriter(str(folder)) as writer:
            for name, values in run.curves.items():
                for epoch, value in enumerate(values, start=1):
                    writer.add_scalar(name, value, epoch)
            final = {f"final/{name}": value for name, value in run.summary.items()}
            writer.add_hparams(run.parameters, final, run_name=".")


def log_mlflow(runs: Iterator[LoggedRun], out: Path, study: str) -> None:
    """Write an experiment named after the study to ``OUT/mlflow.db``.

    ``mlflow ui --backend-store-uri sqlite:///OUT/mlflow.db`` shows it.
    """
    from mlflow.entities import Metric, Param
    from mlflow.tracking import MlflowClient

    client = MlflowClient(tracking_uri=f"sqlite:///{out.absolute() / 'mlflow.db'}")
    experiment = client.create_experiment(study)
    for run in runs:
        started = client.create_run(experiment, run_name=run.name)
        metrics = [
            Metric(name, value, 0, epoch)
            for name, values in run.curves.items()
            for epoch, value in enumerate(values, start=1)
        ]
        metrics += [Metric(f"final_{name}", value, 0, 0) for name, value in run.summary.items()]
        parameters = [Param(name, str(value)) for name, value in run.parameters.items()]
        client.log_batch(started.info.run_id, metrics, parameters)
        client.set_terminated(started.info.run_id)


def log_wandb(runs: Iterator[LoggedRun], out: Path, study: str) -> None:
    """Write offline runs below ``out``; ``wandb sync OUT/wandb/offline-run-*`` uploads them."""
    import wandb

    for run in runs:
        settings = wandb.Settings(silent=True, console="off", x_disable_stats=True)
        with wandb.init(
            mode="offline",
            dir=str(out),
            project=study,
            name=run.name,
            config=dict(run.parameters),
            settings=settings,
        ) as logged:
            epochs = max(map(len, run.curves.values()), default=0)
            for epoch in range(epochs):
                reached = {n: v[epoch] for n, v in run.curves.items() if epoch < len(v)}
                logged.log(reached, step=epoch + 1)
            logged.summary.update(run.summary)


TRACKERS: Final[Mapping[str, Callable[[Iterator[LoggedRun], Path, str], None]]] = {
    "tensorboard": log_tensorboard,
    "mlflow": log_mlflow,
    "wandb": log_wandb,
}
"""The writers, by the package that each imports."""


def log_results(table: pa.Table, study: str, tracker: str, out: Path) -> int:
    """Write the rows of a study for a tracker to the new folder ``out``; returns how many runs.

    Raises ``InvalidInput`` where the tracker is not installed, and where the folder is not empty or
    cannot be made.
    """
    if importlib.util.find_spec(tracker) is None:
        raise InvalidInput(
            f"--to {tracker} needs {tracker}, which is not installed; "
            f"install the suite with its extra: pip install '.[{tracker}]'"
        )
    try:
        out.mkdir(parents=True, exist_ok=True)
        if any(out.iterdir()):
            raise InvalidInput(f"--out {out} is not empty; name a new folder")
    except OSError as error:
        raise InvalidInput(
            f"--out {out} cannot be made ({error.strerror or error}); name a new folder"
        ) from error
    TRACKERS[tracker](list_runs(table), out, study)
    return len(table)


def make_file_name(text: str) -> str:
    """The text with everything that a file's name may not hold as a dash."""
    kept = [each if each.isalnum() or each in "._ +~=" else "-" for each in text]
    return "".join(kept).strip() or "-"
