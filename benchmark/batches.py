"""The images each replica sees: in the order of its seed, augmented by the stream of its seed.

Shape suffixes: R replicas, S seeds, B batch, C channels, K = R x C, H height, W width.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from benchmark.datasets import Dataset
from benchmark.initialization import stream
from benchmark.recipes import Recipe

EVALUATION_BATCH = 256
"""Images per replica at a time where nothing is learnt."""


class Batches:
    """Batches (x_BKHW, y_RB) for replicas of the given seeds.

    Replicas of one seed get the same images, so that comparisons between rules are paired. An
    incomplete last batch of an epoch is left out; ``steps`` counts those that remain.
    """

    def __init__(
        self, data: Dataset, recipe: Recipe, seeds: Sequence[int], dtype: torch.dtype
    ) -> None:
        self.data, self.recipe = data, recipe
        self.distinct = sorted(set(seeds))
        self.seed_R = torch.tensor([self.distinct.index(seed) for seed in seeds])
        splits = [data.split(seed, recipe.validation) for seed in self.distinct]
        self.train_SN = torch.stack([train for train, _ in splits])
        self.valid_SN = torch.stack([valid for _, valid in splits])
        self.orders = [stream(seed, "order") for seed in self.distinct]
        self.augmentations = [stream(seed, "augmentation") for seed in self.distinct]
        self.x_train, self.x_test = data.x_train.to(dtype), data.x_test.to(dtype)
        self.batch = min(recipe.batch, self.train_SN.shape[1])
        self.steps = self.train_SN.shape[1] // self.batch

    def epoch(self) -> Iterator[tuple[Tensor, Tensor]]:
        """One pass over the training images, each seed in a new order of its own."""
        images = self.train_SN.shape[1]
        order_SN = torch.stack([torch.randperm(images, generator=g) for g in self.orders])
        index_SN = self.train_SN.gather(1, order_SN)
        for step in range(self.steps):
            index_SB = index_SN[:, step * self.batch : (step + 1) * self.batch]
            x_SBCHW = self.augment(self.x_train[index_SB])
            yield self.deal(x_SBCHW, self.data.y_train[index_SB])

    def valid(self) -> Iterator[tuple[Tensor, Tensor]]:
        """The held-out images of each seed."""
        for index_SB in self.valid_SN.split(EVALUATION_BATCH, 1):
            yield self.deal(self.x_train[index_SB], self.data.y_train[index_SB])

    def test(self) -> Iterator[tuple[Tensor, Tensor]]:
        """The test images, the same for every replica."""
        seeds = len(self.distinct)
        for x_BCHW, y_B in zip(
            self.x_test.split(EVALUATION_BATCH),
            self.data.y_test.split(EVALUATION_BATCH),
            strict=True,
        ):
            yield self.deal(x_BCHW.expand(seeds, *x_BCHW.shape), y_B.expand(seeds, -1))

    def deal(self, x_SBCHW: Tensor, y_SB: Tensor) -> tuple[Tensor, Tensor]:
        """Give every replica its seed's images, replicas and channels folded into one axis."""
        x_BRCHW = x_SBCHW[self.seed_R].transpose(0, 1)
        return x_BRCHW.flatten(1, 2), y_SB[self.seed_R]

    def augment(self, x_SBCHW: Tensor) -> Tensor:
        """Random horizontal flips and padded crops, by each seed's own stream."""
        flip, padding = self.recipe.horizontal_flip, self.recipe.crop_padding
        if not flip and not padding:
            return x_SBCHW
        return torch.stack(
            [
                _augment(x_BCHW, generator, flip, padding)
                for x_BCHW, generator in zip(x_SBCHW, self.augmentations, strict=True)
            ]
        )


def _augment(x_BCHW: Tensor, generator: torch.Generator, flip: bool, padding: int) -> Tensor:
    B, C, H, W = x_BCHW.shape
    if flip:
        chosen = torch.rand(B, generator=generator) < 0.5
        x_BCHW = torch.where(chosen[:, None, None, None], x_BCHW.flip(3), x_BCHW)
    if not padding:
        return x_BCHW
    corner_2B = torch.randint(2 * padding + 1, (2, B), generator=generator)
    row_BH = corner_2B[0][:, None] + torch.arange(H)
    column_BW = corner_2B[1][:, None] + torch.arange(W)
    padded = F.pad(x_BCHW, (padding,) * 4)
    image = torch.arange(B)[:, None, None, None]
    channel = torch.arange(C)[:, None, None]
    return padded[image, channel, row_BH[:, None, :, None], column_BW[:, None, None, :]]
