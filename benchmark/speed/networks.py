"""The networks of the speed table: small ones, where calls cost most, and NAS-Bench-201's."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Final

import torch

from benchmark.datasets.images.dataset import Dataset
from benchmark.engine.build import Builder
from benchmark.study.recipe import Precision, Recipe
from benchmark.study.unit import Replica, Unit
from benchmark.training.process_group import Ranks
from search_spaces.registry import create

LIGHT: Final = "|skip_connect~0|+|none~0|nor_conv_1x1~1|+|skip_connect~0|none~1|avg_pool_3x3~2|"
MEDIAN: Final = (
    "|nor_conv_3x3~0|+|avg_pool_3x3~0|nor_conv_1x1~1|+|skip_connect~0|nor_conv_3x3~1|none~2|"
)
ALL_CONV: Final = (
    "|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+"
    "|nor_conv_3x3~0|nor_conv_3x3~1|nor_conv_3x3~2|"
)
IMAGES: Final = 4096
"""Images of noise: a step takes the same time whatever they show."""


@dataclass(frozen=True)
class TimedNetwork:
    """An architecture at a batch size, trained at ``rates`` rates for ``steps`` steps each.

    ``goal`` is the least ratio of replica-steps per second over one Tune trial per rate with
    ``reuse_actors`` that is wanted on two cores.
    """

    name: str
    space: str
    options: tuple[tuple[str, Any], ...]
    architecture: str
    side: int
    batch: int
    rates: int
    steps: int
    goal: float
    precision: Precision = "float32"

    @property
    def title(self) -> str:
        """The name with the batch."""
        return f"{self.name}, batch {self.batch}"

    @property
    def recipe(self) -> Recipe:
        """NAS-Bench-201's optimizer, without augmentation."""
        return Recipe(
            momentum=0.9,
            nesterov=True,
            weight_decay=5e-4,
            batch=self.batch,
            precision=self.precision,
        )

    def replicas(self, count: int) -> list[Replica]:
        """So many rates, one seed: all see the same images in the same order."""
        return [Replica.plain(rate, 0) for rate in (0.01 * 1.1**index for index in range(count))]

    def create_builder(self, device: str) -> Builder:
        """What the engine trains."""
        space = create(self.space, **dict(self.options))
        data = make_images(self.side)
        unit = Unit(
            measure="training",
            space=self.space,
            space_version=space.version,
            space_options=self.options,
            architecture=space.parse(self.architecture),
            replicas=tuple(self.replicas(self.rates)),
            recipe=self.recipe,
            dataset=data.name,
            dataset_checksum=data.checksum,
        )
        return Builder(unit, space, data, torch.device(device), Ranks())


@cache
def make_images(side: int) -> Dataset:
    """Noise of 1 x 8 x 8 or 3 x 32 x 32, ten classes."""
    generator = torch.Generator().manual_seed(0)
    channels = 1 if side < 32 else 3
    x = torch.randn(IMAGES, channels, side, side, generator=generator)
    y = torch.randint(10, (IMAGES,), generator=generator)
    return Dataset(f"noise-{side}", x, y, x[:64], y[:64], 10, f"noise-{side}")


def list_networks(quick: bool, gpu: bool) -> list[TimedNetwork]:
    """The rows: on a GPU the cells have their published size (N = 5)."""
    mlp = ("MLP, width 16", "mlp", (("width", 16),), "mlp-3", 8)
    vit = ("ViT 8x8", "vit", (("width", 32), ("patch", 2)), "vit-2", 8)
    resnet = ("ResNet 8x8", "resnet", (("width", 8), ("normalization", "bn")), "resnet-3", 8)
    cells = (("channels", 16), ("cells", 5 if gpu else 1))
    found = [
        TimedNetwork(*mlp, batch=32, rates=16, steps=100, goal=4.0),
        TimedNetwork(
            *resnet, batch=32, rates=16, steps=20 if quick else 50, goal=20.0 if gpu else 4.0
        ),
        TimedNetwork(*mlp, batch=256, rates=16, steps=12, goal=1.0),
        TimedNetwork(*resnet, batch=256, rates=16, steps=4 if quick else 10, goal=1.0),
        TimedNetwork(*vit, batch=32, rates=16, steps=20 if quick else 50, goal=1.3),
    ]
    cell_goal = 6.0 if gpu else 1.3
    # A trial's start must stay a small share of its steps, or the peer looks slower than it is.
    for name, cell, steps in (
        ("light", LIGHT, 40),
        ("median", MEDIAN, 20),
        ("all-conv", ALL_CONV, 10),
    ):
        row = (f"NAS-Bench-201 {name} cell 32x32", "nasbench201", cells, cell, 32)
        found.append(TimedNetwork(*row, batch=32, rates=4, steps=steps, goal=cell_goal))
        if not quick:
            found.append(replace(found[-1], batch=256, rates=2, steps=max(4, steps // 4)))
    return [n for n in found if not quick or n.batch == 32]
