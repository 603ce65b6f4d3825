"""The images each replica sees: in the order of its seed, augmented by the stream of its seed.

Shape suffixes: R replicas, S seeds, B batch, C channels, K = R x C, H height, W width.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from benchmark.datasets.images.dataset import Dataset, place_on_device
from benchmark.datasets.streams import create_stream
from benchmark.study.recipe import Recipe
from benchmark.training.augmentation import Augmentation
from benchmark.training.process_group import Ranks
from benchmark.training.schedules import count_epoch_steps
from search_spaces.errors import InvalidInput

EVALUATION_BATCH = 256
"""Images per replica at a time where nothing is learned."""


class Batches:
    """Batches (x_BKHW, y_RB) for replicas of the given seeds, on a device.

    With ``channels_last`` the images lie so in memory, as convolutions like them best.

    Replicas of one seed get the same images, so that comparisons between rules are paired. An
    incomplete last batch of an epoch is left out unless the recipe keeps it; ``steps`` counts the
    batches of an epoch. Of several ranks each gets its slice of every batch (all draw the random
    numbers of the whole), and its share of the images that are only evaluated. Raises
    ``InvalidInput`` where a batch does not divide over the ranks, or a last one has one image.
    """

    def __init__(
        self,
        data: Dataset,
        recipe: Recipe,
        seeds: Sequence[int],
        dtype: torch.dtype,
        device: torch.device | None = None,
        ranks: Ranks | None = None,
        channels_last: bool = False,
    ) -> None:
        self.recipe, self.ranks = recipe, ranks or Ranks()
        self.device = device or torch.device("cpu")
        self.data = place_on_device(data, self.device, dtype)
        self.channels_last = channels_last
        self.distinct = sorted(set(seeds))
        numbers = [self.distinct.index(seed) for seed in seeds]
        self.seed_R = torch.tensor(numbers, device=self.device)
        splits = [data.split(seed, recipe.validation) for seed in self.distinct]
        self.train_SN = torch.stack([train for train, _ in splits])
        self.valid_SN = torch.stack([valid for _, valid in splits])
        self.orders = [create_stream(seed, "order") for seed in self.distinct]
        self.augmentations = [create_stream(seed, "augmentation") for seed in self.distinct]
        black = data.black if recipe.black_padding else ()
        self.augmentation = Augmentation(recipe, *data.shape[1:], self.device, black)
        self.images = self.train_SN.shape[1]
        self.batch = min(recipe.batch, self.images)
        self.steps = count_epoch_steps(recipe, self.images)
        self.slices = [self.slice_of(step) for step in range(self.steps)]
        self.streams = [*self.orders, *self.augmentations]
        self.epoch_state = [generator.get_state() for generator in self.streams]

    def epoch(self, begin: int = 0) -> Iterator[tuple[Tensor, Tensor]]:
        """One pass over the training images from step ``begin`` on, each seed in a new order."""
        self.epoch_state = [generator.get_state() for generator in self.streams]
        order_SN = torch.stack([torch.randperm(self.images, generator=g) for g in self.orders])
        index_SN = self.train_SN.gather(1, order_SN).to(self.device)
        draw = self.augmentation.draw(self.steps, self.batch, self.augmentations)
        for step in range(begin, self.steps):
            mine = self.slices[step]
            index_SB = index_SN[:, mine]
            x_SBCHW = self.data.train(index_SB)
            if draw:
                now = {name: value_SN[:, mine].flatten() for name, value_SN in draw.items()}
                x_SBCHW = self.augmentation.apply(x_SBCHW.flatten(0, 1), now).view(x_SBCHW.shape)
            yield self.deal(x_SBCHW, self.data.y_train[index_SB])

    def slice_of(self, step: int) -> slice:
        """This rank's places in an epoch's order, at a step."""
        begin = step * self.batch
        size = min(self.batch, self.images - begin)
        if size == 1 < self.batch:
            raise InvalidInput(
                f"recipe field keep_last_batch: {self.images} training images in batches of "
                f"{self.batch} leave a last batch of one; change the batch"
            )
        own = self.ranks.slice(size)
        return slice(begin + own.start, begin + own.stop)

    def state(self) -> list[Tensor]:
        """Where the streams stood when this epoch began."""
        return self.epoch_state

    def restore(self, state: list[Tensor]) -> None:
        """Take up the streams of ``state()``; the epoch that is begun next is that one."""
        for generator, value in zip(self.streams, state, strict=True):
            generator.set_state(value)

    def valid(self) -> Iterator[tuple[Tensor, Tensor]]:
        """The held-out images of each seed."""
        for index_SB in self.share(self.valid_SN.to(self.device).split(EVALUATION_BATCH, 1)):
            yield self.deal(self.data.train(index_SB), self.data.y_train[index_SB])

    def test(self) -> Iterator[tuple[Tensor, Tensor]]:
        """The test images, the same for every replica."""
        seeds = len(self.distinct)
        every = torch.arange(len(self.data.y_test), device=self.device)
        for index_B in self.share(every.split(EVALUATION_BATCH)):
            x_BCHW, y_B = self.data.test(index_B), self.data.y_test[index_B]
            yield self.deal(x_BCHW.expand(seeds, *x_BCHW.shape), y_B.expand(seeds, -1))

    def share(self, parts: Sequence[Tensor]) -> Sequence[Tensor]:
        """This rank's parts of what is evaluated."""
        return parts[self.ranks.rank :: self.ranks.size]

    def deal(self, x_SBCHW: Tensor, y_SB: Tensor) -> tuple[Tensor, Tensor]:
        """Give every replica its seed's images, replicas and channels folded into one axis."""
        if self.channels_last:
            x_BHWRC = x_SBCHW.permute(1, 3, 4, 0, 2).index_select(3, self.seed_R)
            return x_BHWRC.flatten(3).permute(0, 3, 1, 2), y_SB[self.seed_R]
        return x_SBCHW.transpose(0, 1).index_select(1, self.seed_R).flatten(1, 2), y_SB[self.seed_R]
