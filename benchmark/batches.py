"""The images each replica sees: in the order of its seed, augmented by the stream of its seed.

Shape suffixes: R replicas, S seeds, B batch, C channels, K = R x C, H height, W width.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor

from benchmark.augmentation import Augmentation
from benchmark.datasets import Dataset
from benchmark.initialization import stream
from benchmark.ranks import Ranks
from benchmark.recipes import Recipe

EVALUATION_BATCH = 256
"""Images per replica at a time where nothing is learnt."""


class Batches:
    """Batches (x_BKHW, y_RB) for replicas of the given seeds, on a device.

    Replicas of one seed get the same images, so that comparisons between rules are paired. An
    incomplete last batch of an epoch is left out; ``steps`` counts those that remain. Of several
    ranks each gets its slice of every batch (all draw the random numbers of the whole), and its
    share of the images that are only evaluated.
    """

    def __init__(
        self,
        data: Dataset,
        recipe: Recipe,
        seeds: Sequence[int],
        dtype: torch.dtype,
        device: torch.device | None = None,
        ranks: Ranks | None = None,
    ) -> None:
        self.data, self.recipe, self.ranks = data, recipe, ranks or Ranks()
        self.device = device or torch.device("cpu")
        self.distinct = sorted(set(seeds))
        self.seed_R = torch.tensor([self.distinct.index(seed) for seed in seeds])
        splits = [data.split(seed, recipe.validation) for seed in self.distinct]
        self.train_SN = torch.stack([train for train, _ in splits])
        self.valid_SN = torch.stack([valid for _, valid in splits])
        self.orders = [stream(seed, "order") for seed in self.distinct]
        self.augmentations = [stream(seed, "augmentation") for seed in self.distinct]
        self.augmentation = Augmentation(recipe, *data.shape[1:])
        self.x_train = data.x_train.to(self.device, dtype)
        self.x_test = data.x_test.to(self.device, dtype)
        self.y_train, self.y_test = data.y_train.to(self.device), data.y_test.to(self.device)
        self.batch = min(recipe.batch, self.train_SN.shape[1])
        self.steps = self.train_SN.shape[1] // self.batch
        self.slice = self.ranks.slice(self.batch)
        self.epoch_orders = [order.get_state() for order in self.orders]

    def epoch(self, begin: int = 0) -> Iterator[tuple[Tensor, Tensor]]:
        """One pass over the training images from step ``begin`` on, each seed in a new order."""
        self.epoch_orders = [order.get_state() for order in self.orders]
        images = self.train_SN.shape[1]
        order_SN = torch.stack([torch.randperm(images, generator=g) for g in self.orders])
        index_SN = self.train_SN.gather(1, order_SN)
        for step in range(begin, self.steps):
            index_SB = index_SN[:, step * self.batch : (step + 1) * self.batch]
            draw = self.augmentation.draw(self.batch, self.augmentations)
            index_SB = index_SB[:, self.slice].to(self.device)
            x_SBCHW = self.x_train[index_SB]
            if self.augmentation.active:
                mine = {n: v[:, self.slice].flatten().to(self.device) for n, v in draw.items()}
                x_NCHW = self.augmentation.apply(x_SBCHW.flatten(0, 1), mine)
                x_SBCHW = x_NCHW.view(x_SBCHW.shape)
            yield self.deal(x_SBCHW, self.y_train[index_SB])

    def state(self) -> dict[str, list[Tensor]]:
        """Where the streams stand: the order's at the epoch's begin, the augmentation's now."""
        return {
            "orders": self.epoch_orders,
            "augmentations": [stream.get_state() for stream in self.augmentations],
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Take up the streams of ``state()``, at the epoch and step where it was taken."""
        for streams, name in ((self.orders, "orders"), (self.augmentations, "augmentations")):
            for generator, value in zip(streams, state[name], strict=True):
                generator.set_state(value)

    def valid(self) -> Iterator[tuple[Tensor, Tensor]]:
        """The held-out images of each seed."""
        for index_SB in self.share(self.valid_SN.split(EVALUATION_BATCH, 1)):
            device_SB = index_SB.to(self.device)
            yield self.deal(self.x_train[device_SB], self.y_train[device_SB])

    def test(self) -> Iterator[tuple[Tensor, Tensor]]:
        """The test images, the same for every replica."""
        seeds = len(self.distinct)
        for index_B in self.share(torch.arange(len(self.y_test)).split(EVALUATION_BATCH)):
            x_BCHW, y_B = self.x_test[index_B.to(self.device)], self.y_test[index_B.to(self.device)]
            yield self.deal(x_BCHW.expand(seeds, *x_BCHW.shape), y_B.expand(seeds, -1))

    def share(self, parts: Sequence[Tensor]) -> Sequence[Tensor]:
        """This rank's parts of what is evaluated."""
        return parts[self.ranks.rank :: self.ranks.size]

    def deal(self, x_SBCHW: Tensor, y_SB: Tensor) -> tuple[Tensor, Tensor]:
        """Give every replica its seed's images, replicas and channels folded into one axis."""
        seed_R = self.seed_R.to(self.device)
        x_BRCHW = x_SBCHW[seed_R].transpose(0, 1)
        return x_BRCHW.flatten(1, 2), y_SB[seed_R]
