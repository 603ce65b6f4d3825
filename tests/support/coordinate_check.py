"""The coordinate check: how far the first steps move hidden layers and logits, by width.

`python -m tests.support.coordinate_check` prints, for muP as it was in version 1 and as it is, the
root mean square of the change of the last hidden layer and of the logits at three widths, the
constant being the base's.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Literal, get_args

import torch

from benchmark import rules
from benchmark.datasets.streams import create_stream
from benchmark.rules import Bundle
from benchmark.study.recipe import Recipe
from benchmark.study.unit import Replica
from benchmark.training.optimizers.create import create_optimizer
from benchmark.training.step import compute_losses
from benchmark.training.weights.initialization import initialize
from search_spaces.layers import Node
from search_spaces.registry import create

BASE, WIDTHS = 64, (64, 256, 1024)
STEPS, SEEDS = 3, 2
NETWORKS = {"mlp": ("mlp-3", 8), "resnet": ("resnet-1", 2)}
"""By space: the rung, and the side of its images."""
RATES = {"sgd": 0.03, "adamw": 0.001}
FLAT = 1.6
"""The largest ratio between widths: random starts of the narrow net and its finite width."""

Kind = Literal["sgd", "adamw"]


PLAIN = Bundle("he", 1.0, 1.0)


def version_1(kind: Kind, m_N: float) -> dict[str, float]:
    """The factors of mup version 1, whose readout had variance 1/n without a forward multiplier."""
    if kind == "adamw":
        return {"hidden": 1 / m_N}
    return dict.fromkeys(("input", "vector", "outer-vector", "readout", "readout-bias"), m_N)


def rms_changes(
    space: str, width: int, kind: Kind, factors: Mapping[str, float], bundle: Bundle = PLAIN
) -> tuple[float, float]:
    """Root mean squares of the change of the last hidden node and of the logits after the steps."""
    rung, side = NETWORKS[space]
    network = create(space, width=width)
    replicas = [
        replace(
            Replica.plain(RATES[kind] * bundle.lr_multiplier, seed),
            initialization=bundle.initialization,
            branch_multiplier=bundle.branch_multiplier,
            factors=tuple(factors.items()),
        )
        for seed in range(SEEDS)
    ]
    module = network.build(rung, SEEDS, (1, side, side), 10)
    initialize(module, replicas, network.topology(rung).residual_blocks)
    images = create_stream(0, "images")
    x_BKHW = torch.randn(8, 1, side, side, generator=images).repeat(1, SEEDS, 1, 1)
    y_RB = torch.randint(10, (8,), generator=images).repeat(SEEDS, 1)
    seen: list[torch.Tensor] = []
    for node in module.modules():
        if isinstance(node, Node):
            node.register_forward_hook(lambda _m, _i, z: seen.append(z.detach().clone()))
    lr_R = torch.tensor([replica.lr for replica in replicas], dtype=torch.float64)
    steps = create_optimizer(
        module, lr_R, Recipe(optimizer=kind), [dict(r.factors) for r in replicas]
    )
    module(x_BKHW)
    before = seen[-2:]
    for _ in range(STEPS):
        steps.zero_grad()
        compute_losses(module(x_BKHW), y_RB).sum().backward()
        steps.step(1.0)
    module(x_BKHW)
    hidden, logits = (
        float((after - start).square().mean().sqrt())
        for after, start in zip(seen[-2:], before, strict=True)
    )
    return hidden, logits


def changes(name: str, space: str, widths: Iterable[int], kind: Kind) -> list[tuple[float, float]]:
    """``rms_changes`` under a rule whose constant belongs to the base width, by width."""
    rung, _ = NETWORKS[space]
    found = []
    for width in widths:
        wide, base = create(space, width=width), create(space, width=BASE)
        (given,) = rules.bundles(name, wide, [rung], rung, kind, base_space=base)
        assert given is not None
        found.append(rms_changes(space, width, kind, dict(given.factors), given))
    return found


def describe_changes(space: str, kind: Kind) -> list[str]:
    """A line for the hidden layer and one for the logits: version 1 and version 2, by width."""
    before = [rms_changes(space, width, kind, version_1(kind, width / BASE)) for width in WIDTHS]
    after = changes("mup", space, WIDTHS, kind)
    lines = []
    for place, name in enumerate(("hidden", "logits")):
        told = (
            " ".join(f"{found[place]:9.3f}" for found in by_width) for by_width in (before, after)
        )
        lines.append(f"{space:7} {kind:6} {name:7} {'  |'.join(told)}")
    return lines


def main() -> None:
    """Print the table."""
    widths = " ".join(f"{width:9}" for width in WIDTHS)
    print(f"{'widths':22} {widths}  |{widths}\n{'':22} {'version 1':>29}  |{'version 2':>29}")
    for space in NETWORKS:
        for kind in get_args(Kind):
            print("\n".join(describe_changes(space, kind)))


if __name__ == "__main__":
    main()
