"""Arrays become the images that training sees, or one sentence: generated, whatever they hold."""

import io
import itertools
import os
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from benchmark.datasets import catalog
from benchmark.datasets.images.checks import check_split
from benchmark.datasets.images.dataset import Dataset
from benchmark.datasets.kinds.arrays import build_dataset
from benchmark.datasets.names import Name
from search_spaces.errors import InvalidInput

NAME = Name("npz", "/somewhere/x.npz")
Arrays = dict[str, NDArray[Any]]


def draw_arrays(seed: int = 0, side: int = 12, channels: int = 3, classes: int = 4) -> Arrays:
    """Images of 8 bits, N x H x W x C, with every label in both splits."""
    rng = np.random.default_rng(seed)
    found: Arrays = {}
    for split, count in (("train", 24), ("test", 12)):
        found[f"x_{split}"] = rng.integers(0, 256, (count, side, side, channels), dtype=np.uint8)
        found[f"y_{split}"] = np.arange(count) % classes
    return found


def build(arrays: Arrays) -> Dataset:
    return build_dataset(
        NAME, (arrays["x_train"], arrays["y_train"], arrays["x_test"], arrays["y_test"])
    )


def refusal(arrays: Arrays) -> str:
    """The sentence that refuses these arrays."""
    with pytest.raises(InvalidInput) as refused:
        build(arrays)
    sentence = str(refused.value)
    assert sentence.startswith("dataset npz:/somewhere/x.npz")
    assert "\n" not in sentence
    assert len(sentence) < 400
    return sentence


def assert_trainable(data: Dataset) -> None:
    """What every set that is let through promises to training."""
    assert data.x_train.dtype == data.x_test.dtype == torch.float32
    assert torch.isfinite(data.x_train).all()
    assert torch.isfinite(data.x_test).all()
    assert (data.x_train.double().mean((0, 2, 3)).abs() < 0.06).all()
    assert ((data.x_train.double().std((0, 2, 3), unbiased=False) - 1).abs() < 0.06).all()
    assert 0.15 < float(data.x_test.std(unbiased=False)) < 6
    assert data.classes >= 2
    assert data.y_train.unique().tolist() == list(range(data.classes))
    assert set(data.y_test.tolist()) <= set(range(data.classes))


REAL = ["?", "u1", "u2", "u8", "i1", "i8", ">i4", "f2", "f4", "f8", ">f8", "g"]


@settings(max_examples=60, deadline=None)
@given(
    kind=st.sampled_from(REAL),
    label_kind=st.sampled_from(["u1", "u8", "i8", "f4", "f8", ">i2"]),
    scale=st.integers(-6, 30),
    offset=st.integers(-20, 20),
    channels=st.integers(0, 6),
    column=st.booleans(),
)
def test_images_of_every_real_type_and_scale_are_standardized(
    kind: str, label_kind: str, scale: int, offset: int, channels: int, column: bool
) -> None:
    arrays = draw_arrays(channels=max(1, channels))
    for split in ("train", "test"):
        x = arrays[f"x_{split}"][..., 0] if not channels else arrays[f"x_{split}"]
        if kind in ("f4", "f8", ">f8", "g"):
            arrays[f"x_{split}"] = ((x / 255.0 + offset) * 10.0**scale).astype(kind)
        elif kind == "?":
            arrays[f"x_{split}"] = x > 127
        else:
            arrays[f"x_{split}"] = (x // 2).astype(kind)
        labels = arrays[f"y_{split}"].astype(label_kind)
        arrays[f"y_{split}"] = labels[:, None] if column else labels
    data = build(arrays)
    assert_trainable(data)
    raw = arrays["x_train"].astype(np.float64).reshape(24, 12, 12, -1)
    expected = (raw - raw.mean((0, 1, 2))) / raw.std((0, 1, 2))
    found = data.x_train.permute(0, 2, 3, 1).double().numpy()
    np.testing.assert_allclose(found, expected, atol=2e-3)
    assert data.shape == (max(1, channels), 12, 12)


ANYTHING = hnp.arrays(
    dtype=st.one_of(
        hnp.boolean_dtypes(),
        hnp.integer_dtypes(endianness="?"),
        hnp.unsigned_integer_dtypes(),
        hnp.floating_dtypes(endianness="?"),
        hnp.complex_number_dtypes(),
        hnp.unicode_string_dtypes(max_len=3),
        hnp.byte_string_dtypes(max_len=3),
        hnp.datetime64_dtypes(),
    ),
    shape=hnp.array_shapes(min_dims=0, max_dims=5, min_side=0, max_side=6),
)


@settings(max_examples=300, deadline=None)
@given(
    changes=st.dictionaries(
        st.sampled_from(["x_train", "y_train", "x_test", "y_test"]), ANYTHING, min_size=1
    )
)
def test_whatever_arrays_hold_they_are_trainable_or_one_sentence(changes: Arrays) -> None:
    arrays = draw_arrays(side=3) | changes
    try:
        data = build(arrays)
    except InvalidInput:
        refusal(arrays)
        return
    assert_trainable(data)


@pytest.mark.parametrize("channels", [1, 2, 3, 4, 6, 13])
@pytest.mark.parametrize("order", list(itertools.permutations("NHWC")), ids="".join)
def test_only_orders_that_begin_with_images_and_end_with_channels_are_read(
    order: tuple[str, ...], channels: int
) -> None:
    arrays = draw_arrays(side=16, channels=channels)
    axes = ["NHWC".index(axis) for axis in order]
    for split in ("train", "test"):
        arrays[f"x_{split}"] = arrays[f"x_{split}"].transpose(axes)
    if "".join(order) in ("NHWC", "NWHC"):  # of square images
        assert build(arrays).shape == (channels, 16, 16)
    else:
        assert "N x H x W x C" in refusal(arrays) or "N images" in refusal(arrays)


@pytest.mark.parametrize(("side", "channels"), [(4, 3), (4, 1), (2, 1), (28, 1), (8, 4)])
def test_small_images_with_channels_first_are_refused_too(side: int, channels: int) -> None:
    arrays = draw_arrays(side=side, channels=channels)
    if channels == side:
        return
    for split in ("train", "test"):
        arrays[f"x_{split}"] = arrays[f"x_{split}"].transpose(0, 3, 1, 2)
    assert "put channels last" in refusal(arrays)


@settings(max_examples=60, deadline=None)
@given(factor=st.floats(6, 1e30), up=st.booleans(), offset=st.floats(0, 3))
def test_splits_of_other_scales_are_refused(factor: float, up: bool, offset: float) -> None:
    arrays = draw_arrays()
    change = factor if up else 1 / factor
    arrays["x_test"] = (arrays["x_test"] + offset) * change
    assert "not on one scale" in refusal(arrays) or "not finite" in refusal(arrays)


@settings(max_examples=40, deadline=None)
@given(shift=st.floats(3, 1e6), sign=st.sampled_from([-1, 1]))
def test_splits_that_are_shifted_are_refused(shift: float, sign: int) -> None:
    arrays = draw_arrays()
    arrays["x_test"] = arrays["x_test"] + sign * shift * arrays["x_test"].std()
    assert "not on one scale" in refusal(arrays)


@pytest.mark.parametrize("seed", range(40))
def test_a_single_test_image_is_on_the_scale_of_its_set(seed: int) -> None:
    data = catalog.load("digits")
    raw = catalog.load_arrays(Name("digits"))
    one = (raw[0], raw[1], raw[2][seed : seed + 1], raw[3][seed : seed + 1])
    assert build_dataset(NAME, one).classes == data.classes


@settings(max_examples=80, deadline=None)
@given(
    fault=st.sampled_from(["nan", "inf", "-inf", "overflow"]),
    split=st.sampled_from(["train", "test"]),
    at=st.integers(0, 10**9),
)
def test_one_pixel_that_is_not_finite_in_float32_is_refused(
    fault: str, split: str, at: int
) -> None:
    arrays = draw_arrays()
    x = arrays[f"x_{split}"].astype(np.float64)
    x.flat[at % x.size] = 1e300 if fault == "overflow" else float(fault)
    arrays[f"x_{split}"] = x
    assert "not finite numbers in float32" in refusal(arrays)


@pytest.mark.parametrize("value", [0.0, 7.0, 1e30])
def test_a_channel_without_variance_is_refused(value: float) -> None:
    arrays = draw_arrays()
    arrays["x_train"] = arrays["x_train"].astype(np.float32)
    arrays["x_train"][..., 1] = value
    assert "channel 1 of the training images" in refusal(arrays)


@pytest.mark.parametrize(("factor", "offset"), [(1e-30, 0), (1e-12, 0), (1, 1e9)])
def test_pixels_that_float32_cannot_tell_apart_are_refused(factor: float, offset: float) -> None:
    arrays = draw_arrays()
    for split in ("train", "test"):
        arrays[f"x_{split}"] = arrays[f"x_{split}"] * factor + offset
    assert "cannot be brought to mean 0" in refusal(arrays)


LABELS: list[tuple[Any, str]] = [
    (np.arange(24) % 4 + 1, "labels run from 1 to 4; number classes from 0"),
    (np.arange(24) % 4 + 10**9, "number classes from 0"),
    (np.array([0, 10**9] * 12), "labels run to 1000000000 and none is 1"),
    (np.array([0, 2**63] * 12, np.uint64), "labels run to 9223372036854775808 and none is 1"),
    (np.array([0.0, 1e300] * 12), "and none is 1"),
    (np.array([0, 1, 3, 4] * 6), "labels run to 4 and none is 2"),
    (np.zeros(24, int), "one class"),
    (np.array([0, -(2**63)] * 12), "labels below 0"),
    (np.array([0, np.nan] * 12), "not whole"),
    (np.array([0, np.inf] * 12), "not whole"),
    (np.array(["cat", "dog"] * 12), "holds <U3 values; number the classes from 0"),
    (np.array([b"cat", b"dog"] * 12), "number the classes from 0"),
    (np.array([0j, 1j] * 12), "holds complex128 values"),
    (np.arange(24).astype("M8[D]"), "number the classes from 0"),
]


@pytest.mark.parametrize(("labels", "said"), LABELS)
def test_labels_that_are_no_classes_are_one_sentence(labels: NDArray[Any], said: str) -> None:
    assert said in refusal(draw_arrays() | {"y_train": labels})


def test_a_label_of_the_test_images_alone_is_refused() -> None:
    y_test = np.array([0, 1, 2, 2**63] * 3, np.uint64)
    assert "do not fit the 4 classes" in refusal(draw_arrays() | {"y_test": y_test})


def test_complex_pixels_are_refused() -> None:
    assert "holds complex128 values" in refusal(
        draw_arrays() | {"x_train": np.ones((24, 3, 3)) * 1j}
    )


@pytest.mark.parametrize("images", [2, 4, 10])
@pytest.mark.parametrize("validation", [0.01, 0.2, 0.5, 0.9])
def test_a_validation_share_holds_out_an_image_and_leaves_one(
    images: int, validation: float
) -> None:
    arrays = draw_arrays(classes=2)
    arrays["x_train"], arrays["y_train"] = arrays["x_train"][:images], arrays["y_train"][:images]
    data = build(arrays)
    train, valid = data.split(0, validation)
    if len(train) and len(valid):
        check_split(data, validation)
    else:
        with pytest.raises(InvalidInput, match=rf"validation={validation} holds out"):
            check_split(data, validation)


@pytest.fixture(scope="module")
def good_npz() -> bytes:
    file = io.BytesIO()
    np.savez_compressed(file, **draw_arrays(side=4))  # type: ignore[arg-type]
    return file.getvalue()


@settings(max_examples=150, deadline=None)
@given(at=st.integers(0, 10**9), bit=st.integers(0, 7), cut=st.booleans())
def test_a_damaged_npz_is_the_same_images_or_one_sentence(
    at: int, bit: int, cut: bool, good_npz: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / "damaged.npz"
    path.write_bytes(good_npz)
    catalog.load_named.cache_clear()
    checksum = catalog.load(f"npz:{path}").checksum
    data = bytearray(good_npz)
    data[at % len(data)] ^= 1 << bit
    path.write_bytes(data[: at % len(data)] if cut else data)
    catalog.load_named.cache_clear()
    try:
        found = catalog.load(f"npz:{path}").checksum
    except InvalidInput as error:
        found = str(error)
    assert found == checksum or (str(path) in found and "\n" not in found)


def test_an_npz_that_claims_more_than_memory_holds_is_one_sentence(tmp_path: Path) -> None:
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        header, {"descr": "<f8", "fortran_order": False, "shape": (10**15, 8, 8)}
    )
    with zipfile.ZipFile(tmp_path / "huge.npz", "w") as file:
        file.writestr("x_train.npy", header.getvalue())
    with pytest.raises(InvalidInput, match=r"than fits in memory|no \.npz of plain arrays"):
        catalog.load(f"npz:{tmp_path}/huge.npz")


@pytest.mark.parametrize("packed", [0.001, 1.0])
def test_an_npz_that_unpacks_to_more_than_memory_is_not_unpacked(
    packed: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thousandth of its size when packed, or its own: what counts is what is read."""
    arrays = draw_arrays(side=4)
    arrays["x_train"] = np.zeros((4000, 16, 16, 3), np.uint8)
    save = np.savez_compressed if packed < 1 else np.savez
    save(tmp_path / "large.npz", **arrays)  # type: ignore[arg-type]
    assert ((tmp_path / "large.npz").stat().st_size < 100_000) == (packed < 1)
    memory = psutil.virtual_memory()._replace(available=2 * 4000 * 16 * 16 * 3)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: memory)
    with pytest.raises(InvalidInput, match=r"more than fits in memory"):
        catalog.load(f"npz:{tmp_path}/large.npz")


class Marker:
    """Unpickling this would make a folder."""

    def __init__(self, place: Path) -> None:
        self.place = place

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(self.place),)


@pytest.mark.parametrize("array", ["x_train", "y_train", "x_test", "y_test", "notes"])
def test_nothing_in_an_npz_is_unpickled(array: str, tmp_path: Path) -> None:
    arrays: dict[str, object] = dict(draw_arrays(side=4))
    arrays[array] = np.array([Marker(tmp_path / "made")] * 10, dtype=object)
    np.savez(tmp_path / "objects.npz", **arrays)  # type: ignore[arg-type]
    if array == "notes":  # an array that nobody asks for
        assert catalog.load(f"npz:{tmp_path}/objects.npz").classes > 1
    else:
        with pytest.raises(InvalidInput, match=r"no \.npz of plain arrays"):
            catalog.load(f"npz:{tmp_path}/objects.npz")
    assert not (tmp_path / "made").exists()
