"""Reading published accuracies: two layouts, one sentence for anything else."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from support import planted_published as planted

from benchmark.published.table import SCHEMA, read_table
from search_spaces.errors import InvalidInput
from search_spaces.nasbench201.cell import official_order, write

NAMES = [write(cell) for cell in official_order()]
ROW = {
    "index": 11,
    "arch": NAMES[11],
    "dataset": "cifar10",
    "split": "test",
    "epochs": 200,
    "seed": None,
    "accuracy": 0.9158,
}


def wide(**columns: list[float | None]) -> pa.Table:
    return pa.table(
        {"nats_index": [0, 11, 284], "arch": [NAMES[i] for i in (0, 11, 284)]} | columns
    )


def test_a_wide_table_reads_as_its_cells_shares(tmp_path: Path) -> None:
    table = wide(
        c10_test_200=[85.86, 91.58, 88.79],
        c10_valid_12=[63.36, float("nan"), 72.876],
        in16_valid_12=[18.4, None, 22.2],
        c10_test_200_s0_v10=[85.62, 91.79, 88.73],
        c10_test_200_s1_v10=[86.18, None, 88.55],
        c10_test_200_nseeds_v10=[3, 1, 2],
    )
    published = read_table(planted.save(table, tmp_path / "wide.parquet"))
    at = [0, 11, 284]
    np.testing.assert_allclose(published.accuracy_A("cifar10")[at], [0.8586, 0.9158, 0.8879])
    np.testing.assert_allclose(
        published.accuracy_A("cifar10-valid", 12, "valid")[at], [0.6336, np.nan, 0.72876]
    )
    np.testing.assert_allclose(
        published.accuracy_A("imagenet16-120", 12, "valid")[at], [0.184, np.nan, 0.222]
    )
    np.testing.assert_allclose(
        published.seeds_AS("cifar10")[at], [[0.8562, 0.8618], [0.9179, np.nan], [0.8873, 0.8855]]
    )
    assert published.source.startswith("wide.parquet (sha256 ")


def test_the_two_layouts_read_alike(tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    value_A = np.full(15_625, np.nan)
    value_A[[0, 11, 284]] = generator.uniform(0.1, 0.9, 3).round(4)
    long = planted.long_table({("cifar100", "test", 200, None): value_A})
    percent = (100 * value_A[[0, 11, 284]]).tolist()
    one = read_table(planted.save(long, tmp_path / "long.parquet"))
    other = read_table(planted.save(wide(c100_test_200=percent), tmp_path / "wide.parquet"))
    np.testing.assert_array_equal(one.accuracy_A("cifar100"), other.accuracy_A("cifar100"))


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"accuracy": 91.58}, "shares in [0, 1]"),
        ({"accuracy": None}, "row without accuracy"),
        ({"accuracy": float("nan")}, "shares in [0, 1]"),
        ({"dataset": None}, "row without dataset"),
        ({"index": 12}, "is not the cell of index 12"),
        ({"index": -1}, "is not the cell of index -1"),
        ({"index": 15_625}, "is not the cell of index 15625"),
        ({"seed": 777}, "two rows"),
    ],
)
def test_rows_that_cannot_be_right_are_refused(
    tmp_path: Path, changed: dict[str, object], said: str
) -> None:
    rows = [ROW | changed, ROW | {"index": 0, "arch": NAMES[0]}]
    if "seed" in changed:
        rows.append(ROW | changed)
    path = planted.save(pa.Table.from_pylist(rows, schema=SCHEMA), tmp_path / "t.parquet")
    with pytest.raises(InvalidInput, match=said.replace("[", r"\[")):
        read_table(path)


def test_other_columns_are_refused_and_named(tmp_path: Path) -> None:
    path = planted.save(pa.table({"net": [1], "error": [0.1]}), tmp_path / "t.parquet")
    with pytest.raises(InvalidInput, match=r"columns net, error; it needs index, arch"):
        read_table(path)


def test_columns_of_another_type_are_refused(tmp_path: Path) -> None:
    table = pa.table({name: ["a"] for name in SCHEMA.names})
    with pytest.raises(InvalidInput, match=r"t\.parquet"):
        read_table(planted.save(table, tmp_path / "t.parquet"))


def test_a_missing_file_and_a_file_of_another_kind_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="no such file"):
        read_table(tmp_path / "none.parquet")
    (tmp_path / "text.parquet").write_text("index,arch\n")
    with pytest.raises(InvalidInput, match="no Parquet file"):
        read_table(tmp_path / "text.parquet")
