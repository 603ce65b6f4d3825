"""Networks that cannot be built are found when a study is planned, and once."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import torch

from benchmark import rules
from benchmark.datasets import catalog
from benchmark.study import LadderPart, Part, Rank
from benchmark.study.unit import Scalar
from benchmark.training.weights.obstacles import find_obstacle
from search_spaces.errors import InvalidInput
from search_spaces.modules.replicated import Replicated
from search_spaces.registry import create

MOST_PARAMETERS: Final = 10**10
"""Of one replica: 40 GB in float32."""
SMALL: Final = 10**7
"""Parameters, and so few that one image is computed for real: without memory (torch's "meta"
device) torch imports its compiler first, which takes two seconds and leaves a temporary folder."""


def check_networks(part: Part, architectures: list[str]) -> None:
    """Build the smallest and the largest rung of a part, or its base architecture, without memory.

    Raises ``InvalidInput`` where one does not fit the images of the part's data set, or is too
    large for any machine; and where a rule of the part cannot be applied to a rung that is a module
    of another package.
    """
    data = catalog.load(part.dataset)
    everything = architectures
    if isinstance(part, Rank):
        architectures = [part.search_space.base_architecture]
    for architecture in dict.fromkeys((architectures[0], architectures[-1])):
        options = tuple(part.options.items())
        problem = find_problem(part.space, options, architecture, data.shape, data.classes)
        if problem:
            image = " x ".join(map(str, data.shape))
            raise InvalidInput(
                f"part {part.name}: {architecture} cannot be trained on {part.dataset}, whose "
                f"images are {image}: {problem}; change the options of the space or the data set"
            )
    check_rules(part, everything, data.shape, data.classes)


def check_rules(
    part: Part, architectures: list[str], shape: tuple[int, int, int], classes: int
) -> None:
    """Raise ``InvalidInput`` where a rule of the part asks something of an architecture's weights
    or branches that its module has no place for.

    Networks that are written for rules take all of them, and are not looked at one by one.
    """
    space, optimizer = part.search_space, part.recipe.optimizer
    base = architectures[0] if isinstance(part, LadderPart) else space.base_architecture
    pinned = part.recipe.pin_forward_moments
    for architecture in architectures:
        with torch.device("meta"):
            network = space.build(architecture, 1, shape, classes)
        if not isinstance(network, Replicated):
            return
        for name in part.rules:
            for bundle in rules.bundles(name, space, [architecture], base, optimizer):
                assert bundle is not None
                scheme, multiplier = bundle.initialization, bundle.branch_multiplier
                problem = find_obstacle(network, scheme, multiplier, pinned)
                if problem:
                    raise InvalidInput(
                        f"part {part.name}: rule {name} cannot be applied to {architecture}: "
                        f"{problem}"
                    )


@lru_cache(maxsize=256)
def find_problem(
    space: str,
    options: tuple[tuple[str, Scalar], ...],
    architecture: str,
    shape: tuple[int, int, int],
    classes: int,
) -> str:
    """Why a network cannot be built or applied to such images; empty where it can."""
    try:
        with torch.device("meta"):
            network = create(space, **dict(options)).build(architecture, 1, shape, classes).eval()
        parameters = sum(weight.numel() for weight in network.parameters())
        if parameters > MOST_PARAMETERS:
            return f"{parameters:,} parameters are more than {MOST_PARAMETERS:,}"
        with torch.no_grad(), torch.device("cpu" if parameters <= SMALL else "meta") as device:
            if device.type == "cpu":
                network = create(space, **dict(options)).build(architecture, 1, shape, classes)
            scores = network.eval()(torch.zeros(1, *shape)).shape[-1]
            if scores != classes:
                return f"it gives {scores} class scores where the images have {classes} classes"
    except (InvalidInput, RuntimeError, ValueError, TypeError, ArithmeticError) as error:
        return " ".join(str(error).splitlines()[:1]).rstrip(".") or type(error).__name__
    return ""
