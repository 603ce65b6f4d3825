"""Photographs in folders, decoded as they are needed."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from support.replicas import replica
from torchvision import transforms

from benchmark.datasets import catalog
from benchmark.datasets.images import image_files
from benchmark.datasets.images.dataset import StreamedDataset
from benchmark.engine import engine
from benchmark.study.recipe import Recipe
from benchmark.study.unit import Unit
from benchmark.training.batches import Batches
from search_spaces.errors import InvalidInput


@pytest.fixture(autouse=True)
def nothing_loaded() -> Iterator[None]:
    catalog.load_named.cache_clear()
    yield
    catalog.load_named.cache_clear()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two classes of images of many sizes, one of them gray: reddish and bluish."""
    rng = np.random.default_rng(0)
    for part, count in (("train", 12), ("val", 5)):
        for label, name in enumerate(("red", "blue")):
            home = tmp_path / part / name
            home.mkdir(parents=True)
            for number in range(count):
                height, width = rng.integers(9, 40, 2)
                pixels = rng.integers(0, 120, (height, width, 3), dtype=np.uint8)
                pixels[..., 2 * label] += 100
                image = Image.fromarray(pixels)
                if number == 0:
                    image = image.convert("L")
                image.save(home / f"{number}.png")
    return tmp_path


def test_images_are_torchvisions_and_labels_the_folders(folder: Path) -> None:
    data = catalog.load(f"imagefolder:{folder}?size=16")
    assert data.shape == (3, 16, 16)
    assert (len(data.y_train), len(data.y_test), data.classes) == (24, 10, 2)
    assert data.y_train.tolist() == [0] * 12 + [1] * 12  # blue before red
    reference = transforms.Compose(
        [
            transforms.Resize(round(16 * 256 / 224)),
            transforms.CenterCrop(16),
            transforms.ToTensor(),
            transforms.Normalize((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
        ]
    )
    paths = [*sorted((folder / "train/blue").iterdir()), *sorted((folder / "train/red").iterdir())]
    index = torch.tensor([[3, 20, 0], [0, 3, 3]])
    found = data.train(index)
    assert found.shape == (2, 3, 3, 16, 16)
    for number, image in zip(index.flatten(), found.flatten(0, 1), strict=True):
        expected = reference(Image.open(paths[number]).convert("RGB"))
        torch.testing.assert_close(image, expected, rtol=0, atol=1e-6)


def test_nothing_is_decoded_before_it_is_needed(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    decoded: list[int] = []
    decode = image_files.ImageFiles.decode

    def watched(files: image_files.ImageFiles, number: int) -> torch.Tensor:
        decoded.append(number)
        return decode(files, number)

    monkeypatch.setattr(image_files.ImageFiles, "decode", watched)
    data = catalog.load(f"imagefolder:{folder}")
    assert isinstance(data, StreamedDataset)
    assert data.shape == (3, 224, 224)
    assert decoded == []
    data.train(torch.tensor([5, 5, 7]))
    assert sorted(decoded) == [5, 7]


def test_replicas_see_the_images_of_their_seed_in_its_order(folder: Path) -> None:
    data = catalog.load(f"imagefolder:{folder}?size=8")
    recipe = Recipe(batch=4, horizontal_flip=True, crop_padding=1)
    epochs = []
    for seeds in ([0, 1, 0], [1]):
        batches = Batches(data, recipe, seeds, torch.float32)
        epochs.append(list(batches.epoch()))
    for (x, y), (x_solo, y_solo) in zip(*epochs, strict=True):
        assert torch.equal(x[:, 3:6], x_solo)
        assert torch.equal(x[:, :3], x[:, 6:])
        assert torch.equal(y[1], y_solo[0])


def test_it_can_be_trained_on(folder: Path) -> None:
    name = f"imagefolder:{folder}?size=8"
    unit = Unit(
        measure="training",
        space="cnn",
        space_version=1,
        space_options=(("width", 8),),
        architecture="cnn-2",
        replicas=(replica(0.3, 0), replica(0.1, 1)),
        recipe=Recipe(batch=8, epochs=12, momentum=0.9),
        dataset=name,
        dataset_checksum=catalog.load(name).checksum,
    )
    rows = engine.run(unit)
    assert rows == engine.run(unit)
    assert max(row["test_accuracy"] for row in rows) >= 0.9


def test_the_checksum_follows_the_files_and_the_size(folder: Path) -> None:
    first = catalog.load(f"imagefolder:{folder}?size=16").checksum
    assert first != catalog.load(f"imagefolder:{folder}?size=8").checksum
    catalog.load_named.cache_clear()
    assert first == catalog.load(f"imagefolder:{folder}?size=16").checksum
    (folder / "val/red/0.png").write_bytes((folder / "val/red/1.png").read_bytes())
    catalog.load_named.cache_clear()
    assert first != catalog.load(f"imagefolder:{folder}?size=16").checksum


def test_what_is_wrong_is_one_sentence(folder: Path) -> None:
    for name, said in (
        ("imagefolder:/no/such/place", "/no/such/place/train is no folder"),
        (f"imagefolder:{folder}?size=4", "8 to 1024"),
        (f"imagefolder:{folder}?side=64", "write [?]size=N"),
    ):
        with pytest.raises(InvalidInput, match=said) as refused:
            catalog.load(name)
        assert "\n" not in str(refused.value)
    (folder / "train/red/3.png").write_bytes(b"torn")
    data = catalog.load(f"imagefolder:{folder}?size=8")
    with pytest.raises(InvalidInput, match=r"red/3\.png is no image"):
        data.train(torch.arange(24))
    (folder / "val/blue").rename(folder / "val/green")
    catalog.load_named.cache_clear()
    with pytest.raises(InvalidInput, match="other classes"):
        catalog.load(f"imagefolder:{folder}?size=8")
