"""Each replica sees the images of its seed, whoever trains beside it."""

import pytest
import torch
from sklearn.datasets import load_digits

from benchmark.datasets import catalogue
from benchmark.study.recipe import Recipe
from benchmark.training.batches import Batches
from search_spaces.errors import InvalidInput

AUGMENTED = Recipe(batch=32, horizontal_flip=True, crop_padding=2)


@pytest.mark.parametrize("recipe", [Recipe(batch=32), AUGMENTED], ids=["plain", "augmented"])
def test_a_replica_sees_the_same_images_in_any_company(recipe: Recipe) -> None:
    data = catalogue.load("digits")
    together = Batches(data, recipe, [0, 1, 0, 2], torch.float32)
    alone = Batches(data, recipe, [2], torch.float32)
    for _ in range(2):
        for (x, y), (x_solo, y_solo) in zip(together.epoch(), alone.epoch(), strict=True):
            assert torch.equal(x[:, 3:4], x_solo)
            assert torch.equal(y[3], y_solo[0])
            assert torch.equal(x[:, 0], x[:, 2])
            assert not torch.equal(x[:, 0], x[:, 1])


def test_an_epoch_shows_every_training_image_at_most_once_and_no_held_out_one() -> None:
    data = catalogue.load("digits")
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
    data = catalogue.load("digits")
    plain = Batches(data, Recipe(batch=8), [0], torch.float32)
    shifted = Batches(data, Recipe(batch=8, crop_padding=1), [0], torch.float32)
    (x, _), (moved, _) = next(plain.epoch()), next(shifted.epoch())
    padded = torch.nn.functional.pad(x, (1, 1, 1, 1))
    windows = padded.unfold(2, 8, 1).unfold(3, 8, 1).flatten(2, 3)  # every shift of every image
    matches = (windows == moved[:, :, None]).flatten(3).all(-1).any(-1)
    assert matches.all()


def test_digits_are_scikit_learns() -> None:
    images, labels = load_digits(return_X_y=True)
    data = catalogue.load("digits")
    ours = torch.cat([data.x_train, data.x_test]).flatten(1).double()
    assert torch.equal(
        torch.cat([data.y_train, data.y_test]).bincount(), torch.tensor(labels).bincount()
    )
    scale = (ours.max() - ours.min()) / 16
    pixels = ((ours - ours.min()) / scale).round()
    theirs = {tuple(row) for row in images.tolist()}
    assert {tuple(row) for row in pixels.tolist()} == theirs


def test_digits_are_whole_and_standardized() -> None:
    data = catalogue.load("digits")
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
        catalogue.load(name)
