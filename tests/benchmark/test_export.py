"""A study's rows as one file that other programs read, and its state as JSON."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from pyarrow import parquet
from support.planted_units import planted_manifest, planted_provenance, planted_rows, planted_unit

from benchmark import export, status
from benchmark.store.results import Results
from benchmark.store.store import Store

UNITS = [planted_unit(f"mlp-{depth}") for depth in range(2, 5)]


def write_results(place: Path, done: int = len(UNITS)) -> str:
    store = Store.open(str(place), create=True)
    for unit in UNITS[:done]:
        store.write(unit, planted_rows(unit, 1 / 3), planted_provenance())
    store.write_manifest(planted_manifest(UNITS))
    return str(place)


def test_parquet_is_the_table_itself(tmp_path: Path) -> None:
    place, file = write_results(tmp_path / "results"), tmp_path / "rows.parquet"
    assert export.main([place, "--out", str(file)]) == 0
    assert parquet.read_table(file).equals(Results.load(place).table)
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["rows.parquet"]


def test_csv_has_every_row_column_and_digit(tmp_path: Path) -> None:
    place, file = write_results(tmp_path / "results"), tmp_path / "rows.csv"
    assert export.main([place, "--out", str(file)]) == 0
    with file.open(newline="", encoding="utf-8") as stream:
        written = list(csv.DictReader(stream))
    rows = Results.load(place).table.to_pylist()
    assert len(written) == len(rows)
    for told, row in zip(written, rows, strict=True):
        assert list(told) == list(row)
        for name, value in row.items():
            if value is None:
                assert told[name] == ""
            elif isinstance(value, list):
                assert json.loads(told[name]) == value
            elif isinstance(value, float):
                np.testing.assert_equal(float(told[name]), value)
            else:
                assert told[name] == str(value)
    assert {(told["part"], told["stage"]) for told in written} == {
        (row["part"], row["stage"]) for row in rows
    }


def test_an_incomplete_study_is_exported_and_said_to_be(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place, file = write_results(tmp_path / "results", done=1), tmp_path / "rows.csv"
    assert export.main([place, "--out", str(file)]) == 3
    assert "the study is incomplete" in capsys.readouterr().out
    assert len(file.read_text().splitlines()) == 1 + len(Results.load(place).table)


@pytest.mark.parametrize(
    ("name", "said"),
    [("rows.xlsx", "use .csv or .parquet"), ("nowhere/rows.csv", "a folder that exists")],
)
def test_a_file_that_cannot_be_is_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, said: str
) -> None:
    place = write_results(tmp_path / "results")
    assert export.main([place, "--out", str(tmp_path / name)]) == 2
    assert said in capsys.readouterr().err


def test_the_status_is_the_same_as_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = write_results(tmp_path / "results", done=2)
    assert status.main([place, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["complete"] is False
    assert [(s["planned"], s["done"], s["missing"]) for s in told["stages"]] == [
        (count.planned, count.done, count.missing) for count in Results.load(place).counts
    ]
    assert sum(stage["done"] for stage in told["stages"]) == 2
    assert told["failures"] == []
