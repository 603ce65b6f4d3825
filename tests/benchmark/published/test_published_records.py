"""Records to table: every accuracy that is there, none that is not."""

from __future__ import annotations

import math
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from nats_bench.api_utils import pickle_save
from support import planted_published as planted

from benchmark.published.__main__ import main
from benchmark.published.table import read_table
from search_spaces.nasbench201.cell import official_order, write

CELLS: dict[int, planted.Trials] = {
    6111: {
        ("200", "cifar10"): {777: 94.26, 888: 94.68, 999: 94.18},
        ("12", "cifar10"): {111: 88.79},
        ("12", "cifar10-valid"): {111: 84.0, 777: 85.0},
        ("200", "cifar100"): {777: 73.5},
    },
    7: {("200", "cifar10"): {777: 10.0, 999: 12.0}, ("200", "ImageNet16-120"): {888: 0.83}},
}


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return planted.write_records(tmp_path_factory.mktemp("records"), CELLS)


@pytest.fixture
def folder(written: Path, tmp_path: Path) -> Path:
    return shutil.copytree(written, tmp_path / "records")


def rows(path: Path) -> dict[tuple[Any, ...], float]:
    table = read_table(path).table.to_pylist()
    return {
        (r["index"], r["dataset"], r["split"], r["epochs"], r["seed"]): r["accuracy"] for r in table
    }


def test_every_trial_and_every_mean_is_a_row_and_no_seed_is_made_up(
    folder: Path, tmp_path: Path
) -> None:
    out = tmp_path / "new" / "table.parquet"
    assert main([str(folder), "--out", str(out)]) == 0
    found = rows(out)
    expected: dict[tuple[Any, ...], float] = {}
    splits = {"cifar10": ["test"], "cifar10-valid": ["valid", "test"]}
    for index, trials in CELLS.items():
        for (epochs, dataset), by_seed in trials.items():
            for split in splits.get(dataset, ["valid", "test", "valtest"]):
                head = (index, dataset.lower(), split, int(epochs))
                expected |= {(*head, seed): share / 100 for seed, share in by_seed.items()}
                expected[*head, None] = math.fsum(by_seed.values()) / len(by_seed) / 100
    assert found == pytest.approx(expected, abs=1e-12)


def test_arrays_hold_nan_where_a_seed_is_missing(folder: Path, tmp_path: Path) -> None:
    main([str(folder), "--out", str(tmp_path / "t.parquet")])
    published = read_table(tmp_path / "t.parquet")
    seeds_AS = published.seeds_AS("cifar10")
    assert seeds_AS.shape == (15_625, 3)
    np.testing.assert_array_equal(seeds_AS[7], [0.10, np.nan, 0.12])
    assert np.isfinite(seeds_AS).any(axis=1).sum() == 2
    assert published.accuracy_A("cifar10")[[7, 6111]] == pytest.approx([0.11, 0.943733], abs=1e-6)
    assert published.seeds_AS("cifar100", 12).shape == (15_625, 0)
    assert np.isnan(published.accuracy_A("cifar100", 12)).all()


def test_means_of_equal_accuracies_tie_whatever_their_float_noise(tmp_path: Path) -> None:
    cells: dict[int, planted.Trials] = {
        3: {("200", "cifar100"): {777: 94.26, 888: 94.68, 999: 94.18}},
        4: {("200", "cifar100"): {777: 94.18 + 3e-7, 888: 94.26, 999: 94.68}},
        5: {("200", "cifar100"): {777: 94.18 + 0.02, 888: 94.26, 999: 94.68}},
    }
    folder = planted.write_records(tmp_path / "records", cells)
    main([str(folder), "--out", str(tmp_path / "t.parquet")])
    value_A = read_table(tmp_path / "t.parquet").accuracy_A("cifar100")
    assert value_A[3] == value_A[4] < value_A[5]


def test_the_command_says_that_it_loads_pickles(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(folder), "--out", str(tmp_path / "t.parquet")]) == 0
    said = capsys.readouterr().out
    assert "pickles" in said
    assert "trust" in said
    with pytest.raises(SystemExit):
        main(["--help"])
    assert "trust" in capsys.readouterr().out


def test_a_missing_argument_is_one_sentence(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(folder)]) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert "--out" in error


def test_only_the_files_of_the_named_folder_are_loaded(folder: Path, tmp_path: Path) -> None:
    (folder / "notes.pickle.pbz2").write_bytes(b"not a record, and never opened")
    assert main([str(folder), "--out", str(tmp_path / "t.parquet")]) == 0


def refused(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> str:
    out = tmp_path / "refused.parquet"
    assert main([str(folder), "--out", str(out)]) == 2
    assert not out.exists()
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert error.count("\n") == 1
    return error


def test_a_folder_without_records_is_refused(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "meta.pickle.pbz2" in refused(tmp_path, tmp_path, capsys)
    for index in CELLS:
        (folder / f"{index:06d}.pickle.pbz2").unlink()
    assert "holds no record" in refused(folder, tmp_path, capsys)
    assert str(tmp_path / "none") in refused(tmp_path / "none", tmp_path, capsys)


def test_a_damaged_record_is_named(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record = folder / "006111.pickle.pbz2"
    record.write_bytes(record.read_bytes()[:100])
    assert str(record) in refused(folder, tmp_path, capsys)


def test_a_record_under_another_cells_number_is_named(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "000007.pickle.pbz2").rename(folder / "000008.pickle.pbz2")
    assert write(official_order()[7]) in refused(folder, tmp_path, capsys)


def test_a_list_of_other_architectures_is_refused(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pickle_save({"meta_archs": ["8:8:8:8:8"]}, folder / "meta.pickle")
    assert "other architectures" in refused(folder, tmp_path, capsys)


def test_an_unwritable_out_is_refused(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a-file").write_text("")
    out = tmp_path / "a-file" / "t.parquet"
    assert main([str(folder), "--out", str(out)]) == 2
    assert f"error: --out {out}" in capsys.readouterr().err


def test_the_real_records_read_as_published(tmp_path: Path) -> None:
    folder = os.environ.get("NATS_BENCH_DIR")
    if folder is None:
        pytest.skip("NATS_BENCH_DIR does not point to a folder of NATS-Bench records")
    assert main([folder, "--out", str(tmp_path / "t.parquet")]) == 0
    published = read_table(tmp_path / "t.parquet")
    by_seed = published.seeds_AS("cifar10")
    whole = np.isfinite(by_seed).all(axis=1)
    assert whole.any()
    np.testing.assert_allclose(
        published.accuracy_A("cifar10")[whole], by_seed[whole].mean(axis=1), atol=1e-6
    )
    table = os.environ.get("PUBLISHED_TABLE")
    if table is None:
        pytest.skip("PUBLISHED_TABLE does not point to the full table")
    full = read_table(table)
    for dataset, epochs, split in (
        *(
            (name, epochs, "test")
            for name in ("cifar100", "imagenet16-120")
            for epochs in (12, 200)
        ),
        ("cifar10", 200, "test"),
        ("cifar10", 12, "test"),
        ("cifar10-valid", 12, "valid"),
    ):
        ours, theirs = (each.accuracy_A(dataset, epochs, split) for each in (published, full))
        there = np.isfinite(ours)
        np.testing.assert_allclose(ours[there], theirs[there], atol=2e-6)
