"""Weights that code computes from parameters: given their scheme's law, or refused."""

import copy
import warnings
from collections.abc import Callable
from typing import Any

import pytest
import torch
from support.replicas import replica
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils import parametrizations, parametrize

from benchmark.models import initialize_, read_network
from benchmark.training.weights.initialization import initialize
from benchmark.training.weights.obstacles import find_obstacle
from search_spaces.errors import InvalidInput
from search_spaces.modules.building import build_replicated

SHAPE = (1, 8, 8)


def old(change: Callable[..., nn.Module]) -> Callable[..., nn.Module]:
    """One of torch's functions from before parametrizations, without its warning."""

    def changed(layer: nn.Module, **options: Any) -> nn.Module:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)
            return change(layer, **options)

    return changed


def keep(layer: nn.Module) -> nn.Module:
    return layer


def both(layer: nn.Module) -> nn.Module:
    return parametrizations.spectral_norm(parametrizations.weight_norm(layer))


class Scaled(nn.Module):
    def forward(self, weight: Tensor) -> Tensor:
        return 0.1 * weight


def equalized(layer: nn.Module) -> nn.Module:
    parametrize.register_parametrization(layer, "weight", Scaled())
    return layer


NORMS: dict[str, Callable[[nn.Module], nn.Module]] = {
    "by row": parametrizations.weight_norm,
    "by column": lambda layer: parametrizations.weight_norm(layer, dim=1),
    "of the whole": lambda layer: parametrizations.weight_norm(layer, dim=-1),
    "old": old(nn.utils.weight_norm),
    "old, of the whole": lambda layer: old(nn.utils.weight_norm)(layer, dim=None),
}
REFUSED: dict[str, Callable[[nn.Module], nn.Module]] = {
    "spectral": parametrizations.spectral_norm,
    "old spectral": old(nn.utils.spectral_norm),
    "orthogonal": parametrizations.orthogonal,
    "two": both,
    "scaled": equalized,
}


class Network(nn.Module):
    """A convolution, a residual branch and a head; their weights as ``change`` has them."""

    def __init__(self, change: Callable[[nn.Module], nn.Module]) -> None:
        super().__init__()
        self.first = change(nn.Conv2d(1, 6, 3))
        self.norm = nn.BatchNorm2d(6)
        self.inner = change(nn.Conv2d(6, 6, 3, padding=1))
        self.head = change(nn.Linear(6, 3))

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.norm(self.first(x)))
        x = F.relu(x + self.inner(x))
        scores: Tensor = self.head(x.mean((2, 3)))
        return scores


class Space:
    def __init__(self, change: Callable[[nn.Module], nn.Module]) -> None:
        self.change = change

    def make(self, *_: object) -> nn.Module:
        return Network(self.change)


IMAGES = torch.randn(5, *SHAPE, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


@pytest.mark.parametrize("scheme", ["residual-aware+mean-field", "torch-default"])
@pytest.mark.parametrize("name", NORMS)
def test_under_weight_norm_the_weight_is_what_the_scheme_draws(name: str, scheme: str) -> None:
    """In the same network without weight norm the same seed draws the same function."""
    networks = [Network(change).double() for change in (keep, NORMS[name])]
    for network in networks:
        initialize_(read_network(network, IMAGES), scheme, seed=3)
    plain, normed = (network(IMAGES) for network in networks)
    torch.testing.assert_close(normed, plain, rtol=1e-10, atol=1e-12)
    assert torch.equal(networks[0](IMAGES), plain)  # a second pass computes the same


@pytest.mark.parametrize("name", NORMS)
def test_copies_under_weight_norm_start_as_copies_without(name: str) -> None:
    replicas = [replica(0.1, seed, scheme) for seed in (0, 1) for scheme in ("he", "torch-default")]
    logits = []
    for change in (keep, NORMS[name]):
        network = build_replicated(Space(change), "one", len(replicas), SHAPE, 3).double()
        initialize(network, replicas, 1)
        assert find_obstacle(network, "he", 1.0) == ""
        logits.append(network(IMAGES.repeat(1, len(replicas), 1, 1)))
        parameters = {n: p for n, p in network.named_parameters() if p.requires_grad}
        gradients = torch.autograd.grad(logits[-1].square().sum(), [*parameters.values()])
        assert all(g.abs().sum() > 0 for g in gradients[:2])
    torch.testing.assert_close(logits[1], logits[0], rtol=1e-10, atol=1e-12)
    assert not torch.equal(logits[0][0], logits[0][1])


@pytest.mark.parametrize("name", REFUSED)
def test_other_computed_weights_are_refused_and_nothing_is_drawn(name: str) -> None:
    module = Network(REFUSED[name])
    before = copy.deepcopy(module.state_dict())
    with pytest.raises(InvalidInput, match="the weight of first is computed from first"):
        initialize_(read_network(module, IMAGES.float()), "he")
    after = module.state_dict()
    assert all(torch.equal(after[key], before[key]) for key in before)
    copies = build_replicated(Space(REFUSED[name]), "one", 2, SHAPE, 3)
    assert "is computed from first" in find_obstacle(copies, "he", 1.0)
    with pytest.raises(InvalidInput, match="cannot be applied: the weight of first is computed"):
        initialize(copies, [replica(0.1, 0), replica(0.1, 1)], 1)


class Spelled(nn.Module):
    """Weights as code may put them together, by ``spell``."""

    def __init__(self, spell: Callable[["Spelled"], Tensor]) -> None:
        super().__init__()
        self.a, self.b = (nn.Parameter(torch.ones(6, 6)) for _ in range(2))
        self.spell = spell
        self.head = nn.Linear(6, 3)

    def forward(self, x: Tensor) -> Tensor:
        scores: Tensor = self.head(F.linear(x.flatten(1)[:, :6], self.spell(self)))
        return scores


@pytest.mark.parametrize(
    ("spell", "refused"),
    [
        (lambda m: m.a.t().contiguous(), False),
        (lambda m: torch.cat((m.a[:3], m.b.chunk(2)[0])), False),
        (lambda m: m.a.reshape(3, 12).view(6, 6), False),
        (lambda m: m.a.to(torch.float32), False),
        (lambda m: m.a @ m.b, True),
        (lambda m: m.a + m.b, True),
        (lambda m: (m.a * 0.5).t(), True),
        (lambda m: m.a.tril(), True),
        (lambda m: F.dropout(m.a, 0.5), True),
        (lambda m: F.batch_norm(m.a[None], None, None, training=True)[0], True),
    ],
)
def test_what_only_moves_numbers_is_drawn(
    spell: Callable[[Spelled], Tensor], refused: bool
) -> None:
    network = read_network(Spelled(spell), IMAGES.float())
    if not refused:
        initialize_(network, "he")
        return
    with pytest.raises(InvalidInput, match="is computed from a"):
        initialize_(network, "he")
