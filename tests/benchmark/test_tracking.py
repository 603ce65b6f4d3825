"""Stored results as runs of a tracker, read back from the files that its own reader knows."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.planted_units import planted_manifest, planted_provenance, planted_rows, planted_unit

from benchmark import export
from benchmark.store.results import Results
from benchmark.store.store import Store
from benchmark.tracking import TRACKERS, LoggedRun, list_runs

UNITS = [planted_unit(f"mlp-{depth}", replicas=2) for depth in (2, 3)]


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> str:
    place = tmp_path_factory.mktemp("tracked") / "results"
    store = Store.open(str(place), create=True)
    for unit in UNITS:
        store.write(unit, planted_rows(unit, 0.25), planted_provenance())
    store.write_manifest(planted_manifest(UNITS))
    return str(place)


def runs_of(results: str) -> Iterator[LoggedRun]:
    return list_runs(Results.load(results).table)


def test_every_row_is_a_run_of_its_own_with_curves_and_a_summary(results: str) -> None:
    runs = list(runs_of(results))
    assert len({run.name for run in runs}) == 4
    first = runs[0]
    assert first.name.startswith("rungs/grid/mlp-2/default/lr 0.1")
    assert first.curves == {"train_loss": [2.0, 0.25]}
    assert first.summary["train_loss"] == 0.25
    assert "valid_loss" not in first.summary  # it was not measured
    assert (first.parameters["seed"], first.parameters["status"]) == (0, "done")


def test_tensorboard_reads_the_curves_back(results: str, tmp_path: Path) -> None:
    pytest.importorskip("tensorboard", reason="tensorboard is not installed")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    assert export.main([results, "--to", "tensorboard", "--out", str(tmp_path)]) == 0
    folders = sorted({path.parent for path in tmp_path.rglob("events.out.tfevents.*")})
    assert len(folders) == 4
    read = EventAccumulator(str(folders[0])).Reload()
    assert [(each.step, each.value) for each in read.Scalars("train_loss")] == [(1, 2.0), (2, 0.25)]
    assert [each.value for each in read.Scalars("final/train_loss")] == [0.25]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of what mlflow itself calls
def test_mlflow_has_every_run_in_its_database(results: str, tmp_path: Path) -> None:
    pytest.importorskip("mlflow", reason="mlflow is not installed")
    assert export.main([results, "--to", "mlflow", "--out", str(tmp_path)]) == 0
    with sqlite3.connect(tmp_path / "mlflow.db") as database:
        (count,) = database.execute("select count(*) from runs").fetchone()
        values = database.execute(
            "select step, value from metrics where key = 'train_loss' order by step"
        ).fetchall()
    assert count == 4
    assert values == [(1, 2.0)] * 4 + [(2, 0.25)] * 4


def test_wandb_writes_offline_runs(results: str, tmp_path: Path) -> None:
    pytest.importorskip("wandb", reason="wandb is not installed")
    assert export.main([results, "--to", "wandb", "--out", str(tmp_path)]) == 0
    assert len(list(tmp_path.glob("wandb/offline-run-*/*.wandb"))) == 4


@pytest.mark.parametrize("tracker", TRACKERS)
def test_what_cannot_be_written_is_a_sentence(
    tracker: str,
    results: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    command = [results, "--to", tracker, "--out", str(tmp_path)]
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert export.main(command) == 2
    assert f"--to {tracker} needs {tracker}, which is not installed" in capsys.readouterr().err
    monkeypatch.setattr("importlib.util.find_spec", lambda name: name)
    (tmp_path / "mine").write_text("")
    assert export.main(command) == 2
    assert f"--out {tmp_path} is not empty; name a new folder" in capsys.readouterr().err
    assert export.main([*command, "--part", "nosuch"]) == 2
    assert "--part nosuch is no part of this study; use one of rungs" in capsys.readouterr().err
