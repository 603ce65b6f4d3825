"""One chunk of a unit: a network of some of its replicas, ready to train or to take one step."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import nn

from benchmark import rules
from benchmark.datasets import catalog
from benchmark.datasets.images.dataset import Dataset
from benchmark.study.unit import Replica, Unit
from benchmark.training.batches import Batches
from benchmark.training.loop import Training
from benchmark.training.outcome import Outcome
from benchmark.training.process_group import Ranks
from benchmark.training.step import weight_dtype
from benchmark.training.updates.one_step import measure_one_step
from benchmark.training.weights.initialization import initialize
from benchmark.training.weights.pinning import pin_forward_moments
from search_spaces.errors import InvalidInput
from search_spaces.layers import Conv2d, Node
from search_spaces.space import SearchSpace

LARGE_IMAGE = 256
"""Positions in an image from which on channels lie last."""
VECTOR = 8
"""Channels that a CPU's vector holds."""


@dataclass(frozen=True, eq=False)
class Builder:
    """Builds the networks and trainings of a unit's chunks, from what all of them share."""

    unit: Unit
    space: SearchSpace
    data: Dataset
    device: torch.device
    ranks: Ranks

    @classmethod
    def of(cls, unit: Unit, device: torch.device, ranks: Ranks) -> Builder:
        """The builder of a unit.

        Raises ``InvalidInput`` for an unknown space or data set, and where the images or this
        code's versions are not those that the unit's id stands for.
        """
        space = unit.search_space
        check_versions(unit, space)
        data = catalog.load_planned(unit.dataset_name, unit.dataset_checksum)
        check_images(unit, data)
        return cls(unit, space, data, device, ranks)

    def build_empty(self, replicas: int) -> nn.Module:
        """The architecture, with no numbers in it yet."""
        data = self.data
        return self.space.build(self.unit.architecture, replicas, data.shape, data.classes)

    def build_network(self, replicas: Sequence[Replica], precision: torch.dtype) -> nn.Module:
        """The architecture with these replicas' weights."""
        module = self.build_empty(len(replicas)).to(precision)
        blocks = self.space.topology(self.unit.architecture).residual_blocks
        initialize(module, replicas, blocks)
        return module.to(self.device)

    def build_training(self, replicas: Sequence[Replica]) -> Training:
        """The training of these replicas, before its first step."""
        if self.unit.recipe.pin_forward_moments:
            raise InvalidInput(
                "recipe field pin_forward_moments is for one-step measurements (an updates part); "
                "leave it out where networks are trained"
            )
        precision = weight_dtype(self.unit.recipe)
        module = self.build_network(replicas, precision)
        batches = Batches(
            self.data,
            self.unit.recipe,
            [replica.seed for replica in replicas],
            precision,
            self.device,
            self.ranks,
            channels_last=self.channels_last,
        )
        return Training(module, replicas, batches)

    def measure_one_step(self, replicas: Sequence[Replica]) -> list[Outcome]:
        """The moments of these replicas before and after one step, in float64."""
        module, recipe = self.build_network(replicas, torch.float64), self.unit.recipe
        seeds = [replica.seed for replica in replicas]
        batches = Batches(self.data, recipe, seeds, torch.float64, self.device)
        lr_R = torch.tensor([replica.lr for replica in replicas], dtype=torch.float64)
        x_BKHW, y_RB = next(batches.epoch())
        if recipe.pin_forward_moments:
            blocks = self.space.topology(self.unit.architecture).residual_blocks
            pin_forward_moments(module, replicas, blocks, x_BKHW)
        factors = [dict(replica.factors) for replica in replicas]
        return measure_one_step(module, x_BKHW, y_RB, lr_R.to(self.device), recipe, factors)

    @cached_property
    def facts(self) -> Outcome:
        """Columns that follow from the network and the data: parameters of one replica, ln(C)."""
        return {"parameters": self.parameters, "chance_loss": math.log(self.data.classes)}

    @cached_property
    def parameters(self) -> int:
        """Parameters of one replica."""
        return sum(parameter.numel() for parameter in self.empty_replica.parameters())

    @cached_property
    def channels_last(self) -> bool:
        """Whether convolutions read images channels last.

        On a GPU always. On a CPU, as measured: images of 32 x 32 take 1.0 to 1.8 times as long the
        other way; images of 8 x 8 are quicker channels first (up to 1.3 times), unless there are
        too few channels to fill a vector, or the convolution cuts patches, which become vectors.
        """
        convolutions = [
            layer for layer in self.empty_replica.modules() if isinstance(layer, Conv2d)
        ]
        _, height, width = self.data.shape
        large = height * width >= LARGE_IMAGE or self.device.type == "cuda"
        return any(
            large or layer.weight.shape[1] < VECTOR or layer.stride == layer.weight.shape[-1] > 1
            for layer in convolutions
        )

    @cached_property
    def largest_activation(self) -> int:
        """Numbers in the largest node of one replica, for one batch of training images.

        One image is computed for real: without memory (torch's "meta" device) torch would import
        its compiler first, which takes every worker two seconds.
        """
        found = [0]
        network = self.build_empty(1).eval()
        for node in network.modules():
            if isinstance(node, Node):
                node.register_forward_hook(lambda _node, _inputs, z: found.append(z.numel()))
        with torch.no_grad():
            network(torch.zeros(1, *self.data.shape))
        return max(found) * (self.unit.recipe.batch // self.ranks.size)

    @cached_property
    def layers(self) -> frozenset[tuple[object, ...]]:
        """Kinds and sizes of layers: architectures that share them make the same calls."""
        return frozenset(
            (type(layer).__name__, *(tuple(p.shape) for p in layer.parameters(recurse=False)))
            for layer in self.empty_replica.modules()
            if not list(layer.children())
        )

    @cached_property
    def empty_replica(self) -> nn.Module:
        """One replica without memory behind it, to be counted."""
        with torch.device("meta"):
            return self.build_empty(1)


def check_versions(unit: Unit, space: SearchSpace) -> None:
    """Raise ``InvalidInput`` where this process's code would give other numbers than the unit's.

    A rule that this code does not have is no obstacle: the unit holds what it prescribed.
    """
    versions = {
        (f"search space {unit.space}", unit.space_version, space.version),
        ("the engine", unit.recipe_version, unit.engine_version),
    }
    for name, version in {(replica.rule, replica.rule_version) for replica in unit.replicas}:
        with contextlib.suppress(InvalidInput):
            present = rules.rule(name).version_for(unit.recipe.optimizer)
            versions.add((f"rule {name}", version, present))
    for name, planned, found in sorted(versions):
        if planned != found:
            raise InvalidInput(
                f"unit {unit.id[:12]} was planned with version {planned} of {name}, but this "
                f"node's code has version {found}; install the driver's code on every node"
            )


def check_images(unit: Unit, data: Dataset) -> None:
    """Raise ``InvalidInput`` where the images are not those whose checksum the unit names."""
    if data.checksum != unit.dataset_checksum:
        raise InvalidInput(
            f"dataset {unit.dataset}: this node's images have checksum {data.checksum[:12]}, but "
            f"unit {unit.id[:12]} was planned with images of {unit.dataset_checksum[:12]}; put the "
            "same files on every node, or plan the study anew"
        )
