"""Data sets through the code that reads them: real file formats, missing and damaged files."""

import hashlib
import io
import os
import pickle
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torchvision
from numpy.typing import NDArray

from benchmark.datasets import catalog
from benchmark.datasets.__main__ import main
from benchmark.datasets.kinds import imagenet16
from benchmark.datasets.kinds.sources import CIFAR
from benchmark.datasets.names import data_folder
from benchmark.engine import engine
from benchmark.plan.units import plan_grid, plan_unit
from benchmark.study import Depth
from benchmark.study.recipe import Recipe
from search_spaces.errors import InvalidInput


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of published data sets, and no memory of others."""
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    catalog.load_named.cache_clear()
    yield tmp_path
    catalog.load_named.cache_clear()


class Python2Pickler(pickle.Pickler):
    """Writes arrays as Python 2 and an old numpy did: protocol 2, align=0."""

    def reducer_override(self, value: Any) -> Any:
        if isinstance(value, np.dtype):
            return np.dtype, (value.str[1:], 0, 1), value.__reduce__()[2]
        return NotImplemented


def write(path: Path, content: Any) -> str:
    """Pickle it, and return the MD5 sum of the file."""
    file = io.BytesIO()
    Python2Pickler(file, protocol=2).dump(content)
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(file.getvalue())
    return hashlib.md5(file.getvalue()).hexdigest()


def pixels(count: int, side: int, seed: int) -> NDArray[np.uint8]:
    """N x (3 side side), channels first, as CIFAR's and ImageNet16's files have them."""
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, (count, 3 * side * side), dtype=np.uint8)


@pytest.mark.parametrize(("name", "labels"), [("cifar10", "labels"), ("cifar100", "fine_labels")])
def test_cifar_is_read_from_its_published_format(
    name: str, labels: str, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind = getattr(torchvision.datasets, CIFAR[name])
    folder = here / kind.base_folder
    files: dict[str, list[list[str]]] = {}
    x: list[NDArray[np.uint8]] = []
    y: list[list[int]] = []
    for split in ("train_list", "test_list"):
        sums = []
        for number, (file, _) in enumerate(getattr(kind, split)):
            x.append(pixels(20, 32, seed=len(x)))
            y.append([(i + number) % 10 for i in range(20)])
            sums.append([file, write(folder / file, {"data": x[-1], labels: y[-1]})])
        files[split] = sums
    names = {kind.meta["key"]: [str(label) for label in range(10)]}
    meta = kind.meta | {"md5": write(folder / kind.meta["filename"], names)}
    # The integrity check stays: it is told the sums of these files instead of the published ones.
    for field, value in (*files.items(), ("meta", meta)):
        monkeypatch.setattr(kind, field, value)
    data = catalog.load(name)
    assert data.shape == (3, 32, 32)
    assert data.classes == 10
    assert data.y_train.tolist() == [label for batch in y[:-1] for label in batch]
    assert data.y_test.tolist() == y[-1]
    raw = np.concatenate(x[:-1]).reshape(-1, 3, 32, 32).astype(np.float64)
    expected = (raw - raw.mean((0, 2, 3), keepdims=True)) / raw.std((0, 2, 3), keepdims=True)
    torch.testing.assert_close(data.x_train.double(), torch.as_tensor(expected), rtol=0, atol=1e-5)
    damaged = folder / files["train_list"][0][0]
    damaged.write_bytes(damaged.read_bytes()[:-1])
    catalog.load_named.cache_clear()
    with pytest.raises(InvalidInput, match="missing or damaged"):
        catalog.load(name)


@pytest.fixture
def batches(here: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """ImageNet16 in small: every file with a few images of classes 1 to 1,000."""
    contents = {}
    for seed, file in enumerate([*imagenet16.TRAIN, *imagenet16.TEST]):
        labels = [1, 120, 121, 1000, 1 + seed]
        contents[file] = {"data": pixels(5, 16, seed), "labels": labels}
        md5 = write(here / "ImageNet16" / file, contents[file])
        monkeypatch.setitem(imagenet16.TEST if file == "val_data" else imagenet16.TRAIN, file, md5)
    return contents


def test_imagenet16_keeps_the_first_120_classes(batches: dict[str, Any]) -> None:
    data = catalog.load("imagenet16-120")
    assert data.shape == (3, 16, 16)
    assert data.classes == 120
    assert data.y_train.tolist() == [label for n in range(10) for label in (0, 119, n)]
    assert data.y_test.tolist() == [0, 119, 10]
    first = batches["train_data_batch_1"]["data"][0].reshape(3, 16, 16)
    raw = np.concatenate([b["data"][[0, 1, 4]] for f, b in batches.items() if f != "val_data"])
    raw = raw.reshape(-1, 3, 16, 16).astype(np.float64)
    mean, deviation = raw.mean((0, 2, 3)), raw.std((0, 2, 3))
    expected = (first - mean[:, None, None]) / deviation[:, None, None]
    np.testing.assert_allclose(data.x_train[0], expected, atol=1e-5)


def test_imagenet16_of_other_content_is_refused(batches: dict[str, Any], here: Path) -> None:
    write(here / "ImageNet16/train_data_batch_3", batches["val_data"])
    with pytest.raises(InvalidInput, match=r"train_data_batch_3 in .*not the published files"):
        catalog.load("imagenet16-120")


class Malicious:
    def __reduce__(self) -> Any:
        return os.mkdir, ("pwned",)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (Malicious(), "mkdir"),
        ({"data": np.zeros((2, 768), np.uint8), "labels": [1]}, "for 1 labels"),
        ({"data": np.zeros((2, 768), np.uint8)}, "labels"),
        ([1, 2], "no batch of images"),
    ],
)
def test_a_pickle_that_is_no_batch_is_refused_and_nothing_of_it_runs(
    content: Any,
    said: str,
    batches: dict[str, Any],
    here: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(here)
    md5 = write(here / "ImageNet16/train_data_batch_1", content)
    monkeypatch.setitem(imagenet16.TRAIN, "train_data_batch_1", md5)
    with pytest.raises(InvalidInput, match=said):
        catalog.load("imagenet16-120")
    assert not (here / "pwned").exists()


@pytest.mark.parametrize("protocol", [2, 3, 4])
def test_the_unpickler_reads_arrays_of_newer_protocols(protocol: int) -> None:
    array = np.arange(6, dtype=np.uint8).reshape(2, 3)
    file = io.BytesIO(pickle.dumps({"data": array, "labels": [1, 2]}, protocol=protocol))
    np.testing.assert_array_equal(imagenet16.ArraysOnly(file).load()["data"], array)


@pytest.mark.parametrize(
    ("name", "pieces"),
    [
        ("cifar10", ["cifar-10-batches-py", "DATA_DIR", "benchmark.datasets download cifar10"]),
        ("cifar100", ["cifar-100-python", "DATA_DIR", "benchmark.datasets download cifar100"]),
        ("imagenet16-120", ["train_data_batch_1, train_data_batch_2 and 9 more", "image-net.org"]),
        ("npz:/no/such.npz", ["/no/such.npz"]),
        ("mnist", ["unknown dataset 'mnist'", "digits, synthetic, cifar10"]),
    ],
)
def test_a_missing_set_says_where_to_put_it(name: str, pieces: list[str]) -> None:
    with pytest.raises(InvalidInput) as refused:
        catalog.load(name)
    assert all(piece in str(refused.value) for piece in pieces)
    assert "\n" not in str(refused.value)


def test_without_the_variable_data_lies_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATA_DIR")
    assert data_folder() == str(Path("data").absolute())


def planted(**changes: Any) -> dict[str, Any]:
    arrays = {
        "x_train": np.arange(6 * 4 * 4, dtype=np.uint8).reshape(6, 4, 4),
        "y_train": np.array([0, 1, 2, 0, 1, 2]),
        "x_test": np.arange(3 * 4 * 4, dtype=np.float64).reshape(3, 4, 4),
        "y_test": np.array([2, 1, 0]),
    }
    return {key: value for key, value in (arrays | changes).items() if value is not None}


def test_npz_is_read_and_named_by_its_content(here: Path) -> None:
    found = []
    for number, changes in enumerate(({}, {}, {"y_test": np.array([2, 1, 1])})):
        np.savez(here / f"{number}.npz", **planted(**changes))
        found.append(catalog.load(f"npz:{here}/{number}.npz"))
    assert found[0].shape == (1, 4, 4)
    assert found[0].checksum == found[1].checksum != found[2].checksum


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"y_test": None}, "lacks y_test"),
        ({"x_train": np.zeros((6, 16))}, r"x_train has shape \(6, 16\)"),
        ({"y_train": np.zeros(5)}, r"y_train \(5,\)"),
        ({"y_train": np.full(6, 0.5)}, "N whole labels"),
        ({"y_train": np.array([0, 1, 2, 0, 1, -1])}, "labels below 0"),
        ({"x_test": np.full((3, 4, 4), np.nan)}, "pixels that are not finite"),
        ({"x_test": np.zeros((3, 4, 5))}, "do not fit training images"),
        ({"y_test": np.array([2, 1, 3])}, "labels to 3 do not fit"),
        ({"x_train": np.array([object()] * 6)}, "no .npz of plain arrays"),
    ],
)
def test_a_malformed_npz_is_one_sentence(changes: dict[str, Any], said: str, here: Path) -> None:
    np.savez(here / "wrong.npz", **planted(**changes))
    with pytest.raises(InvalidInput, match=said):
        catalog.load(f"npz:{here}/wrong.npz")


def test_a_file_that_is_no_npz_is_one_sentence(here: Path) -> None:
    for content in (b"", b"PK\x03\x04 torn", b"text"):
        (here / "wrong.npz").write_bytes(content)
        with pytest.raises(InvalidInput, match=r"no \.npz of plain arrays"):
            catalog.load(f"npz:{here}/wrong.npz")


def test_the_planted_teacher_is_one_set_and_can_be_learned() -> None:
    data = catalog.load("synthetic")
    catalog.load_named.cache_clear()
    assert catalog.load("synthetic").checksum == data.checksum
    assert torch.bincount(data.y_train).min() > 50
    part = Depth(
        name="learn",
        space="mlp",
        options={"width": 64},
        rules=("tuned-constant",),
        dataset="synthetic",
        depths=(1, 2),
        rates=(0.1, 0.2),
        recipe=Recipe(batch=32, epochs=20, momentum=0.9),
    )
    rows = engine.run(plan_unit(part, "mlp-1", plan_grid(part, "tuned-constant", None, [0.03])))
    assert all(row["test_accuracy"] > 0.4 for row in rows)  # guessing gets 0.1 to 0.17


def test_the_download_command_reports_in_one_sentence(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for arguments, said in (
        (
            ["download", "imagenet16-120"],
            r"image-net\.org/download-images \(it asks for an account",
        ),
        (["download", "mnist"], "invalid choice: 'mnist'"),
        (["upload", "cifar10"], "invalid choice: 'upload'"),
    ):
        assert main(arguments) == 2
        error = capsys.readouterr().err
        assert error.startswith("error: ")
        assert error.count("\n") == 1
        assert re.search(said, error)
    assert list(here.iterdir()) == []
