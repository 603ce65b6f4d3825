"""Coordinate check of muP: the first steps move hidden layers and logits alike at every width."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Literal

import pytest
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


@pytest.mark.parametrize("kind", ["sgd", "adamw"])
@pytest.mark.parametrize("space", NETWORKS)
def test_one_rate_moves_hidden_layers_and_logits_alike_at_every_width(
    space: str, kind: Kind
) -> None:
    found = changes("mup", space, WIDTHS, kind)
    for by_width in zip(*found, strict=True):
        assert max(by_width) < FLAT * min(by_width), found


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("completep", "adamw"),
        *(
            (f"{depth}*mup", kind)
            for depth in ("depth-mup", "effective-depth", "path-cubed")
            for kind in ("sgd", "adamw")
        ),
    ],
)
def test_rules_for_depth_and_width_are_flat_in_width(name: str, kind: Kind) -> None:
    found = changes(name, "resnet", (64, 256), kind)
    for by_width in zip(*found, strict=True):
        assert max(by_width) < FLAT * min(by_width), found


@pytest.mark.parametrize("kind", ["sgd", "adamw"])
@pytest.mark.parametrize("space", NETWORKS)
def test_the_check_rejects_what_version_1_did(space: str, kind: Kind) -> None:
    """A readout of variance 1/n at its own or a larger rate: logits grow with width."""
    narrow, wide = (
        rms_changes(space, width, kind, version_1(kind, width / BASE)) for width in (64, 256)
    )
    assert wide[1] > FLAT * narrow[1] or wide[0] > FLAT * narrow[0]


PUBLISHED = {
    "sgd": {"input": 4.0, "vector": 4.0, "outer-vector": 4.0, "readout": 1 / 4},
    "adamw": {"hidden": 1 / 4, "readout": 1 / 4},
}
"""Rates of arXiv 2203.03466, Table 3, at four times the base width; 1 where nothing is said."""


@pytest.mark.parametrize("kind", ["sgd", "adamw"])
def test_groups_are_the_published_table(kind: Kind) -> None:
    """Hidden biases and norms are vectors, the readout's bias is finite and stays; weight decay
    keeps rate x decay in each group, as MuSGD and MuAdamW of microsoft/mup do."""
    wide, base = (create("vit", width=width) for width in (64, 16))
    (given,) = rules.bundles("mup", wide, ["vit-2"], "vit-2", kind, base_space=base)
    assert given is not None
    rates = PUBLISHED[kind]
    decays = {f"{group}-decay": 1 / factor for group, factor in rates.items()}
    assert dict(given.factors) == {**rates, **decays, "readout-variance": 1 / 4}


def test_at_the_width_of_the_base_mup_is_the_tuned_constant() -> None:
    space = create("resnet", width=16)
    for kind in ("sgd", "adamw"):
        mup, constant = (
            rules.bundles(name, space, ["resnet-1", "resnet-9"], optimizer=kind)
            for name in ("mup", "tuned-constant")
        )
        assert mup == constant


def test_the_mean_field_form_has_the_tables_readout_itself() -> None:
    wide, base = (create("mlp", width=width) for width in (64, 16))
    name = "mup:mean-field-readout"
    (given,) = rules.bundles(name, wide, ["mlp-2"], "mlp-2", base_space=base)
    assert given is not None
    assert given.initialization == "he+mean-field"
    assert "readout-variance" not in dict(given.factors)
    assert dict(given.factors)["readout"] == 1 / 4


def test_a_pair_of_topologies_is_enough() -> None:
    """What a study over depth and width asks: any rung of any width, from one base."""
    wide, base = (create("resnet", width=width) for width in (32, 8))
    for name in ("effective-depth*mup", "depth-mup*mup", "mup", "effective-depth"):
        target, start = wide.topology("resnet-4"), base.topology("resnet-1")
        (given,) = rules.bundles(name, wide, ["resnet-4"], "resnet-1", base_space=base)
        assert rules.bundle(name, "resnet", target, start) == given
