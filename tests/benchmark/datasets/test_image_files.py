"""Files of every kind that Pillow writes, whole and damaged: the picture, or one sentence."""

import hashlib
import io
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from benchmark.datasets import catalog
from benchmark.datasets.__main__ import main
from benchmark.datasets.images import file_hashes
from benchmark.datasets.images.dataset import StreamedDataset
from benchmark.datasets.images.file_hashes import cache_path, hash_files
from benchmark.datasets.images.image_files import DEVIATION, MEAN, ImageFiles
from benchmark.datasets.images.sample import check_sample
from search_spaces.errors import InvalidInput


@pytest.fixture(autouse=True)
def cache(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Path]:
    """An empty cache of hashes, and no data set in memory."""
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder))
    catalog.load_named.cache_clear()
    yield folder
    catalog.load_named.cache_clear()


def decode(path: Path, size: int = 8) -> torch.Tensor:
    """The pixels of a file in [0, 1]: 3 x size x size."""
    hashed = np.frombuffer(hashlib.sha256(path.read_bytes()).digest(), np.uint8).reshape(1, 32)
    x_CHW = ImageFiles(path.parent, [str(path)], hashed, size).decode(0)
    return x_CHW * torch.tensor(DEVIATION).view(3, 1, 1) + torch.tensor(MEAN).view(3, 1, 1)


RAMP = np.linspace(0, 1, 40)[:, None] * np.ones((40, 40))
"""Black above, white below."""


def encode(mode: str) -> Image.Image:
    """The ramp as an image of a mode."""
    gray = Image.fromarray((RAMP * 255).astype(np.uint8))
    if mode.startswith("I;16"):
        return Image.fromarray((RAMP * 65535).astype("<u2"))
    if mode == "I":
        return Image.fromarray((RAMP * 65535).astype(np.int32))
    if mode == "F":
        return Image.fromarray(RAMP.astype(np.float32))
    if mode == "P":
        return gray.convert("RGB").quantize(256)
    return gray.convert(mode)


KINDS = [
    ("png", "L"),
    ("png", "LA"),
    ("png", "P"),
    ("png", "RGB"),
    ("png", "RGBA"),
    ("png", "I;16"),
    ("png", "1"),
    ("jpg", "L"),
    ("jpg", "RGB"),
    ("jpg", "CMYK"),
    ("webp", "RGB"),
    ("bmp", "L"),
    ("bmp", "RGB"),
    ("ppm", "RGB"),
    ("pgm", "L"),
    ("pgm", "I"),
    ("tif", "L"),
    ("tif", "RGB"),
    ("tif", "CMYK"),
    ("tif", "I;16"),
    ("tif", "I"),
    ("tif", "F"),
    ("gif", "P"),
]


@pytest.mark.parametrize(("ending", "mode"), KINDS)
def test_every_kind_of_file_keeps_its_picture(ending: str, mode: str, tmp_path: Path) -> None:
    path = tmp_path / f"x.{ending}"
    encode(mode).save(path)
    rows = decode(path).mean((0, 2))
    if mode == "1":  # dithered
        assert rows[:2].mean() < 0.35
        assert rows[-2:].mean() > 0.65
        return
    assert torch.equal(rows, rows.sort().values)
    expected = (torch.arange(8) + 0.5) / 9  # resized to 9 x 9, of which 8 x 8 are cut out
    torch.testing.assert_close(rows.double(), expected.double(), atol=0.03, rtol=0)


def test_sixteen_bits_are_kept(tmp_path: Path) -> None:
    levels = np.repeat(np.arange(1000, 1064, dtype=np.uint16).reshape(8, 8), 8, 0).repeat(8, 1)
    Image.fromarray(levels).save(tmp_path / "x.png")
    found = decode(tmp_path / "x.png", 56)
    assert len(found[0].unique()) > 60
    assert float(found.max()) < 1064 / 65535 + 1e-4
    torch.testing.assert_close(found[0], found[2], atol=1e-6, rtol=0)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (np.full((9, 9), 70000, np.int32), "from 70000 to 70000, not from 0 to 65535"),
        (np.full((9, 9), -1, np.int32), "from -1 to -1"),
        (np.full((9, 9), 255, np.float32), "from 255 to 255, not from 0 to 1"),
        (np.full((9, 9), np.nan, np.float32), "from nan to nan"),
    ],
)
def test_gray_values_without_a_scale_are_refused(
    values: np.ndarray[tuple[int, ...], np.dtype[np.float32]], said: str, tmp_path: Path
) -> None:
    Image.fromarray(values).save(tmp_path / "x.tif")
    with pytest.raises(InvalidInput, match=said):
        decode(tmp_path / "x.tif")


def whole_files() -> dict[str, bytes]:
    """A small file of every kind."""
    found = {}
    for ending, mode in KINDS:
        file = io.BytesIO()
        image = encode(mode).resize((12, 12), Image.Resampling.NEAREST)
        image.save(file, {"jpg": "jpeg", "tif": "tiff", "pgm": "ppm"}.get(ending, ending))
        found[f"{mode}.{ending}".replace(";", "")] = file.getvalue()
    return found


WHOLE = whole_files()


@settings(max_examples=500, deadline=None)
@given(
    name=st.sampled_from(sorted(WHOLE)),
    where=st.floats(0, 1),
    new=st.binary(max_size=6),
    cut=st.booleans(),
    early=st.booleans(),
)
def test_a_damaged_file_is_a_picture_or_one_sentence_with_its_name(
    name: str,
    where: float,
    new: bytes,
    cut: bool,
    early: bool,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    path = tmp_path_factory.getbasetemp() / name
    data = WHOLE[name]
    at = int(where * (min(len(data), 64) if early else len(data)))
    path.write_bytes(data[:at] + new + (b"" if cut else data[at + len(new) :]))
    try:
        found = decode(path)
    except InvalidInput as error:
        sentence = str(error)
    else:
        assert found.shape == (3, 8, 8)
        assert torch.isfinite(found).all()
        return
    assert sentence.startswith(f"{name} is no image (")
    assert "\n" not in sentence


def test_a_header_that_claims_a_huge_size_is_one_sentence(tmp_path: Path) -> None:
    file = io.BytesIO()
    Image.new("RGB", (8, 8)).save(file, "jpeg")
    data = bytearray(file.getvalue())
    frame = data.index(b"\xff\xc0")
    data[frame + 5 : frame + 9] = b"\xff\xdc\xff\xdc"
    (tmp_path / "huge.jpg").write_bytes(data)
    with pytest.raises(InvalidInput, match=r"^huge\.jpg is no image \(DecompressionBombError"):
        decode(tmp_path / "huge.jpg")


# Folders


def write_folder(folder: Path, size: int = 16, count: int = 6) -> Path:
    rng = np.random.default_rng(0)
    for part in ("train", "val"):
        for label in ("bird", "cat"):
            (folder / part / label).mkdir(parents=True)
            for number in range(count):
                pixels = rng.integers(0, 256, (size, size, 3), dtype=np.uint8)
                Image.fromarray(pixels).save(folder / part / label / f"{number}.png")
    return folder


def load(folder: Path) -> StreamedDataset:
    data = catalog.load(f"imagefolder:{folder}?size=8")
    assert isinstance(data, StreamedDataset)
    return data


def refusal(folder: Path) -> str:
    with pytest.raises(InvalidInput) as refused:
        check_sample(load(folder))
    assert "\n" not in str(refused.value)
    assert str(refused.value).startswith(f"dataset imagefolder:{folder}")
    return str(refused.value)


@pytest.mark.parametrize(
    "path",
    [
        "train/.ipynb_checkpoints/0-checkpoint.png",
        "val/.ipynb_checkpoints/0-checkpoint.png",
        "train/cat/.ipynb_checkpoints/0-checkpoint.png",
        "train/cat/._0.png",
        "val/.hidden/deep/0.png",
        "train/.Trash-1000/notes.txt",
        "train/@eaDir/SYNOPHOTO_THUMB.png",
        "val/cat/@eaDir/0.png",
        "train/lost+found/0.png",
    ],
)
def test_hidden_folders_and_files_are_named(path: str, tmp_path: Path) -> None:
    write_folder(tmp_path)
    (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / path).write_bytes((tmp_path / "train/cat/0.png").read_bytes())
    said = refusal(tmp_path)
    assert "is hidden" in said
    pieces = Path(path).parts
    assert next(piece for piece in pieces if piece[0] in ".@" or piece == "lost+found") in said


def test_a_pipe_among_the_images_is_a_sentence_and_no_wait(tmp_path: Path) -> None:
    write_folder(tmp_path)
    os.mkfifo(tmp_path / "train/cat/pipe.png")
    assert "train/cat/pipe.png is no regular file" in refusal(tmp_path)


def test_hidden_files_that_are_no_images_do_not_matter(tmp_path: Path) -> None:
    write_folder(tmp_path)
    for name in (".DS_Store", "train/.DS_Store", "train/cat/.DS_Store", "train/cat/notes.txt"):
        (tmp_path / name).write_bytes(b"\0\0\0\1Bud1")
    check_sample(load(tmp_path))


def test_a_folder_of_one_class_is_refused(tmp_path: Path) -> None:
    write_folder(tmp_path)
    for part in ("train", "val"):
        (tmp_path / part / "cat").rename(tmp_path / f"{part}-cat")
    assert "has one class" in refusal(tmp_path)


def test_folders_of_equal_or_unlike_pixels_are_refused(tmp_path: Path) -> None:
    write_folder(tmp_path)
    for path in tmp_path.rglob("val/*/*.png"):
        Image.fromarray(np.asarray(Image.open(path)) // 60).save(path)
    assert "not on one scale" in refusal(tmp_path)
    for path in tmp_path.rglob("*.png"):
        Image.new("RGB", (9, 9), (255, 255, 255)).save(path)
    catalog.load_named.cache_clear()
    assert "are equal" in refusal(tmp_path)


def test_a_broken_file_of_a_small_folder_is_found_when_the_study_is_planned(tmp_path: Path) -> None:
    write_folder(tmp_path)
    (tmp_path / "val/cat/5.png").write_bytes(b"\x89PNG\r\n\x1a\n torn")
    assert "val/cat/5.png is no image" in refusal(tmp_path)


def test_an_image_that_changes_while_a_study_runs_is_noticed(tmp_path: Path) -> None:
    data = load(write_folder(tmp_path))
    (tmp_path / "train/cat/0.png").write_bytes((tmp_path / "train/cat/1.png").read_bytes())
    data.train(torch.tensor([0]))
    with pytest.raises(InvalidInput, match=r"^image train/cat/0\.png has changed"):
        data.train(torch.tensor([6]))
    (tmp_path / "train/cat/0.png").unlink()
    with pytest.raises(InvalidInput, match=r"^image train/cat/0\.png cannot be read"):
        data.train(torch.tensor([6]))


# Hashes


def true_hashes(paths: list[str]) -> list[str]:
    return [hashlib.sha256(Path(path).read_bytes()).hexdigest() for path in paths]


def find_hashes(folder: Path, paths: list[str]) -> list[str]:
    return [row.tobytes().hex() for row in hash_files(folder, paths)]


@pytest.fixture
def paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Files whose hashes are remembered at once."""
    monkeypatch.setattr(file_hashes, "SETTLED_SECONDS", -60.0)
    names = [tmp_path / f"{number}.bin" for number in range(9)]
    for number, name in enumerate(names):
        name.write_bytes(bytes([number]) * 50)
    return [str(name) for name in names]


def test_what_is_remembered_is_not_read_again(
    paths: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert find_hashes(tmp_path, paths) == true_hashes(paths)
    read: list[str] = []
    digest = hashlib.file_digest

    def watched(file: io.BufferedReader, name: str) -> object:
        read.append(str(file.name))
        return digest(file, name)

    monkeypatch.setattr(hashlib, "file_digest", watched)
    assert find_hashes(tmp_path, paths[::-1]) == true_hashes(paths)[::-1]
    assert read == []
    Path(paths[3]).write_bytes(b"other")
    assert find_hashes(tmp_path, paths) == true_hashes(paths)
    assert read == [paths[3]]


def test_a_change_that_keeps_size_and_time_is_noticed(paths: list[str], tmp_path: Path) -> None:
    find_hashes(tmp_path, paths)
    for path in paths:
        before = Path(path).stat()
        with Path(path).open("r+b") as file:
            file.write(b"new")
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
        assert Path(path).stat().st_mtime_ns == before.st_mtime_ns
    assert find_hashes(tmp_path, paths) == true_hashes(paths)


def test_a_file_that_was_just_written_is_not_remembered(
    paths: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file_hashes, "SETTLED_SECONDS", 10.0)
    find_hashes(tmp_path, paths)
    memory = cache_path(tmp_path)
    assert memory is not None
    assert not memory.exists()


@pytest.mark.parametrize("cache", ["", ".", "relative/cache"])
@pytest.mark.parametrize("home", [True, False])
def test_nothing_is_remembered_in_the_working_folder(
    home: bool, cache: str, paths: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither below a relative cache, nor below a folder named ~ where this user has no home."""

    def refuse(_: int) -> None:
        raise KeyError

    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    monkeypatch.setenv("XDG_CACHE_HOME", cache)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    if not home:
        monkeypatch.delenv("HOME")
        monkeypatch.setattr("pwd.getpwuid", refuse)
    assert find_hashes(tmp_path, paths) == true_hashes(paths)
    assert not list(here.iterdir())
    assert (tmp_path / "home").exists() == home


@settings(max_examples=60, deadline=None)
@given(at=st.integers(0, 10**9), bit=st.integers(0, 7), cut=st.booleans())
def test_a_damaged_memory_is_not_believed(
    at: int, bit: int, cut: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("damaged")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(file_hashes, "SETTLED_SECONDS", -60.0)
        names = [str(folder / str(number)) for number in range(3)]
        for name in names:
            Path(name).write_bytes(name.encode())
        find_hashes(folder, names)
        memory = cache_path(folder)
        assert memory is not None
        data = bytearray(memory.read_bytes())
        data[at % len(data)] ^= 1 << bit
        memory.write_bytes(data[: at % len(data)] if cut else data)
        assert find_hashes(folder, names) == true_hashes(names)


def test_a_memory_that_cannot_be_written_costs_time_alone(
    paths: list[str], tmp_path: Path, cache: Path
) -> None:
    (cache / "architecture-aware-rates").write_text("a file where a folder should be")
    assert find_hashes(tmp_path, paths) == true_hashes(paths)
    assert find_hashes(tmp_path, paths) == true_hashes(paths)


# What a user is told


def test_the_check_command_says_what_training_will_see(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", f"imagefolder:{write_folder(tmp_path)}?size=8"]) == 0
    told = capsys.readouterr().out
    for piece in (
        "name in results: imagefolder:",
        f"read as: imagefolder:{tmp_path}?size=8",
        "images: 8 x 8 pixels, 3 channels",
        "classes: 2",
        "training images: 12 (6 to 6 per class)",
        "test images: 12 (6 to 6 per class)",
        "(of 12 images)",
        "checksum: sha256 ",
    ):
        assert piece in told
    assert main(["check", "digits"]) == 0
    told = capsys.readouterr().out
    assert "training pixels: 0 to 16, mean 4.8" in told
    assert "images: 8 x 8 pixels, 1 channel\n" in told
    assert main(["check", "npz:nowhere.npz"]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_a_path_that_is_no_text_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff"))
    folder.mkdir()
    assert main(["check", f"imagefolder:{write_folder(folder)}?size=8"]) == 0
    assert "udcff?size=8" in capsys.readouterr().out
