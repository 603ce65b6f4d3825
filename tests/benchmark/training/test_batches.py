"""Each replica sees the images of its seed, whoever trains beside it."""

from dataclasses import replace

import pytest
import torch
from sklearn.datasets import load_digits

from benchmark.datasets import catalog
from benchmark.datasets.images.dataset import Dataset
from benchmark.study.recipe import Recipe
from benchmark.training.batches import Batches
from search_spaces.errors import InvalidInput

AUGMENTED = Recipe(batch=32, horizontal_flip=True, crop_padding=2)


@pytest.mark.parametrize("recipe", [Recipe(batch=32), AUGMENTED], ids=["plain", "augmented"])
def test_a_replica_sees_the_same_images_in_any_company(recipe: Recipe) -> None:
    data = catalog.load("digits")
    together = Batches(data, recipe, [0, 1, 0, 2], torch.float32)
    alone = Batches(data, recipe, [2], torch.float32)
    for _ in range(2):
        for (x, y), (x_solo, y_solo) in zip(together.epoch(), alone.epoch(), strict=True):
            assert torch.equal(x[:, 3:4], x_solo)
            assert torch.equal(y[3], y_solo[0])
            assert torch.equal(x[:, 0], x[:, 2])
            assert not torch.equal(x[:, 0], x[:, 1])


def test_an_epoch_shows_every_training_image_at_most_once_and_no_held_out_one() -> None:
    data = catalog.load("digits")
    batches = Batches(data, Recipe(batch=50), [7], torch.float32)
    train, valid = data.split(7, 0.2)
    assert set(train.tolist()).isdisjoint(valid.tolist())
    assert len(train) + len(valid) == len(data.y_train)
    rows = torch.cat([x.flatten(1) for x, _ in batches.epoch()])
    assert len(rows) == batches.steps * 50 <= len(train)
    pool = {tuple(row) for row in data.x_train[train].flatten(1).tolist()}
    assert {tuple(row) for row in rows.tolist()} <= pool
    assert sum(len(y[0]) for _, y in batches.valid()) == len(valid)


def test_a_crop_without_shift_and_flip_is_the_image() -> None:
    data = catalog.load("digits")
    plain = Batches(data, Recipe(batch=8), [0], torch.float32)
    shifted = Batches(data, Recipe(batch=8, crop_padding=1), [0], torch.float32)
    (x, _), (moved, _) = next(plain.epoch()), next(shifted.epoch())
    padded = torch.nn.functional.pad(x, (1, 1, 1, 1))
    windows = padded.unfold(2, 8, 1).unfold(3, 8, 1).flatten(2, 3)  # every shift of every image
    matches = (windows == moved[:, :, None]).flatten(3).all(-1).any(-1)
    assert matches.all()


def test_a_last_batch_that_is_kept_holds_the_rest() -> None:
    data = catalog.load("digits")
    recipe = Recipe(batch=100, keep_last_batch=True, crop_padding=1, horizontal_flip=True)
    batches = Batches(data, recipe, [3, 4], torch.float32)
    train, _ = data.split(3, 0.2)
    sizes = [y.shape[1] for _, y in batches.epoch()]
    assert sizes == [100] * (len(train) // 100) + [len(train) % 100]
    assert sum(sizes) == len(train) == 1150
    with pytest.raises(InvalidInput, match="1150 training images in batches of 383 leave a last"):
        Batches(data, replace(recipe, batch=383), [3], torch.float32)


def test_black_padding_is_padding_before_the_images_are_standardized() -> None:
    """Raw images padded with 0 and then standardized, as torchvision's transforms do it."""
    generator = torch.Generator().manual_seed(0)
    raw = torch.randint(256, (40, 3, 6, 6), generator=generator).float()
    mean, deviation = raw.mean((0, 2, 3), keepdim=True), raw.std((0, 2, 3), keepdim=True)
    images = (raw - mean) / deviation
    black = tuple((-mean / deviation).flatten().tolist())
    labels = torch.arange(40) % 2
    data = Dataset("raw", images, labels, images, labels, 2, "raw", black=black)
    recipe = Recipe(batch=8, crop_padding=2, black_padding=True)
    x, _ = next(Batches(data, recipe, [0], torch.float64).epoch())
    padded = (torch.nn.functional.pad(raw, (2,) * 4) - mean) / deviation
    windows = padded.unfold(2, 6, 1).unfold(3, 6, 1).permute(0, 2, 3, 1, 4, 5).reshape(-1, 3, 6, 6)
    for image in x:
        assert (windows.double() - image).abs().amax((1, 2, 3)).min() < 1e-6
    mean_padded, _ = next(
        Batches(data, replace(recipe, black_padding=False), [0], torch.float64).epoch()
    )
    assert not torch.equal(x, mean_padded)


def test_black_is_what_a_pixel_of_zero_became() -> None:
    data = catalog.load("digits")
    assert data.x_train.min() == pytest.approx(data.black[0], abs=1e-6)  # most corners are blank


def test_digits_are_scikit_learns() -> None:
    images, labels = load_digits(return_X_y=True)
    data = catalog.load("digits")
    ours = torch.cat([data.x_train, data.x_test]).flatten(1).double()
    assert torch.equal(
        torch.cat([data.y_train, data.y_test]).bincount(), torch.tensor(labels).bincount()
    )
    scale = (ours.max() - ours.min()) / 16
    pixels = ((ours - ours.min()) / scale).round()
    theirs = {tuple(row) for row in images.tolist()}
    assert {tuple(row) for row in pixels.tolist()} == theirs


def test_digits_are_whole_and_standardized() -> None:
    data = catalog.load("digits")
    assert len(data.y_train) + len(data.y_test) == 1797
    assert data.shape == (1, 8, 8)
    assert data.classes == 10
    assert abs(float(data.x_train.mean())) < 1e-5
    assert abs(float(data.x_train.std(unbiased=False)) - 1) < 1e-5
    assert torch.bincount(data.y_test).min() > 20


@pytest.mark.parametrize(
    ("name", "piece"), [("imagenet", "imagenet"), ("npz:/no/such.npz", "/no/such.npz")]
)
def test_an_unknown_dataset_is_one_sentence(name: str, piece: str) -> None:
    with pytest.raises(InvalidInput, match=piece):
        catalog.load(name)
