"""Every registered space keeps its word: graph and network agree, replicas are solo runs."""

from collections.abc import Iterator

import pytest
import torch
from networks import CASES, fill, seed_dropout, space_of
from torch import Tensor, nn
from torch.nn import functional as F

from search_spaces.layers import BranchScale, Node, Weighted
from search_spaces.registry import SPACES, create, names, option_names
from search_spaces.space import SearchSpace

SHAPE = (1, 8, 8)
cases = pytest.mark.parametrize(("name", "options", "architecture"), CASES)
Options = dict[str, object]


def network(space: SearchSpace, architecture: str, replicas: int, seed: int = 0) -> nn.Module:
    module = fill(space.build(space.parse(architecture), replicas, SHAPE, classes=3).double(), seed)
    seed_dropout(module, list(range(replicas)))
    return module


def images(replicas: int, batch: int = 6) -> Tensor:
    generator = torch.Generator().manual_seed(1)
    return torch.randn(batch, replicas, 8, 8, generator=generator, dtype=torch.float64)


def test_the_cases_cover_every_space_and_option() -> None:
    assert {name for name, _, _ in CASES} == set(names()) == set(SPACES)
    for name in names():
        tried = {option for case, options, _ in CASES if case == name for option in options}
        assert tried | {"patch", "expansion"} >= set(option_names(name))  # sizes alone


# --- graph and network, by tracing the gradient's graph ---------------------------------------


class Trace:
    """The edges that a module really computes, read off the gradient's graph.

    A node's value is a sum; every term of it that reaches another node (or the image) is an edge,
    with the weights met on the way.
    """

    def __init__(self, module: nn.Module, x_BKHW: Tensor):
        x_BKHW.requires_grad_(True)
        self.layers = {
            id(layer.weight): layer for layer in module.modules() if isinstance(layer, Weighted)
        }
        values: dict[int, Tensor] = {}

        def mark(node: nn.Module, _: object, z: Tensor) -> Tensor:
            assert isinstance(node, Node)
            assert node.number not in values
            values[node.number] = z.clone()  # a function of its own in the graph
            return values[node.number]

        for node in module.modules():
            if isinstance(node, Node):
                node.register_forward_hook(mark)
        module(x_BKHW)
        self.marks = {id(value.grad_fn): number for number, value in values.items()}
        self.image = id(x_BKHW)
        self.alive = list(values.values())  # keeps the ids above in use
        self.edges: list[tuple[int, int, tuple[Weighted, ...]]] = []
        for target, value in values.items():
            assert value.grad_fn is not None
            for term in self._terms(value.grad_fn.next_functions[0][0]):
                sources, weights = self._reach(term)
                if sources:
                    assert len(sources) == 1
                    self.edges.append((sources.pop(), target, weights))

    def _terms(self, function: object) -> Iterator[object]:
        if type(function).__name__ == "AddBackward0":
            for term, _ in function.next_functions:  # type: ignore[attr-defined]
                yield from self._terms(term)
        else:
            yield function

    def _reach(self, function: object) -> tuple[set[int], tuple[Weighted, ...]]:
        sources: set[int] = set()
        weights: dict[int, Weighted] = {}
        stack, seen = [function], set()
        while stack:
            here = stack.pop()
            if here is None or id(here) in seen:
                continue
            seen.add(id(here))
            if id(here) in self.marks:
                sources.add(self.marks[id(here)])
                continue
            variable = getattr(here, "variable", None)
            if variable is not None:
                if id(variable) == self.image:
                    sources.add(0)
                if id(variable) in self.layers:
                    weights[id(variable)] = self.layers[id(variable)]
            stack += [deeper for deeper, _ in here.next_functions]  # type: ignore[attr-defined]
        return sources, tuple(weights.values())


@cases
def test_the_network_is_its_graph(name: str, options: Options, architecture: str) -> None:
    space = space_of(name, options)
    architecture = space.parse(architecture)
    graph = space.topology(architecture).network
    trace = Trace(network(space, architecture, replicas=2), images(2))
    # As many terms as edges, weighted or not, from and to the same nodes: so the same weighted
    # layers, additions and in-degrees.
    found = sorted((source, target, len(layers)) for source, target, layers in trace.edges)
    assert found == sorted(
        (edge.source, edge.target, int(edge.operation.weighted)) for edge in graph.live_edges
    )
    shortcuts = {
        edge.target
        for edge in graph.live_edges
        if not edge.operation.weighted
        or (edge.operation.role == "reduction" and not edge.operation.activated)
    }
    for source, target, layers in trace.edges:
        if not layers:
            continue
        (layer,) = layers
        parallel = [
            edge.operation
            for edge in graph.live_edges
            if (edge.source, edge.target) == (source, target) and edge.operation.weighted
        ]
        # A halving one-conv block has two convolutions side by side, told apart by their kernels.
        operation = min(parallel, key=lambda op: abs(op.kernel - layer.weight.shape[-1]))
        assert layer.source_in_degree == max(1, graph.in_degrees[source])
        assert layer.target_in_degree == graph.in_degrees[target]
        assert layer.readout == (operation.role == "head")
        is_shortcut = operation.role == "reduction" and not operation.activated
        assert layer.branch == (target in shortcuts and not is_shortcut)
        if name not in ("nasbench201", "vit") and operation.kind == "conv":
            assert layer.weight.shape[-1] == operation.kernel
    assert space.topology(architecture).residual_blocks == graph.additions


@cases
def test_every_branch_can_be_scaled(name: str, options: Options, architecture: str) -> None:
    """One multiplier per residual branch, and at 0 the branches' weights no longer matter."""
    space = space_of(name, options)
    module = network(space, architecture, replicas=2).eval()
    branches = [m for m in module.modules() if isinstance(m, Weighted) and m.branch]
    scales = [m for m in module.modules() if isinstance(m, BranchScale)]
    assert len(scales) == len(branches)
    for scale in scales:
        scale.set(torch.tensor([0.0, 1.0], dtype=torch.float64))
    x = images(2)
    before = module(x)
    with torch.no_grad():
        for layer in branches:
            layer.weight.mul_(-1.5)
    after = module(x)
    assert torch.equal(before[0], after[0])
    assert bool(branches) != torch.equal(before[1], after[1])


# --- replicas ----------------------------------------------------------------------------------


def run(module: nn.Module, x: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
    """Logits in training, and the gradient of each replica's mean loss, summed."""
    logits_RBC = module.train()(x)
    y_RB = (torch.arange(logits_RBC.shape[1]) % 3).expand(logits_RBC.shape[0], -1)
    loss_RB = F.cross_entropy(logits_RBC.flatten(0, 1), y_RB.flatten(), reduction="none")
    loss_RB.view(y_RB.shape).mean(1).sum().backward()
    gradients = {n: p.grad for n, p in module.named_parameters() if p.grad is not None}
    return logits_RBC.detach(), gradients


@cases
def test_replicas_are_solo_runs(name: str, options: Options, architecture: str) -> None:
    space, replicas = space_of(name, options), 3
    together, x = network(space, architecture, replicas), images(replicas)
    start = {key: value.clone() for key, value in together.state_dict().items()}
    logits, gradients = run(together, x)
    for replica in range(replicas):
        alone = network(space, architecture, 1)
        alone.load_state_dict({key: value[replica : replica + 1] for key, value in start.items()})
        seed_dropout(alone, [replica])
        solo_logits, solo_gradients = run(alone, x[:, replica : replica + 1])
        torch.testing.assert_close(logits[replica], solo_logits[0], rtol=1e-11, atol=1e-12)
        assert solo_gradients.keys() == gradients.keys()
        for key, gradient in solo_gradients.items():
            torch.testing.assert_close(gradients[key][replica], gradient[0], rtol=1e-9, atol=1e-11)
        for key, value in alone.state_dict().items():  # running statistics too
            expected = together.state_dict()[key][replica]
            torch.testing.assert_close(expected, value[0], rtol=1e-11, atol=1e-12)


@cases
def test_a_nan_stays_in_its_replica(name: str, options: Options, architecture: str) -> None:
    space = space_of(name, options)
    found = []
    for poison in (0.0, float("nan")):
        module, x = network(space, architecture, 2), images(2)
        x[:, 0] += poison
        found.append(run(module, x))
    (clean, clean_gradients), (ill, ill_gradients) = found
    assert ill[0].isnan().all()
    assert torch.equal(clean[1], ill[1])
    for key, gradient in clean_gradients.items():
        assert torch.equal(gradient[1], ill_gradients[key][1])


@cases
def test_what_can_train_gets_a_gradient(name: str, options: Options, architecture: str) -> None:
    module = network(space_of(name, options), architecture, replicas=2)
    _, gradients = run(module, images(2))
    asked = {key for key, parameter in module.named_parameters() if parameter.requires_grad}
    assert asked == set(gradients)


# Forward mode loads scripts of torch's own that torch itself calls deprecated.
@pytest.mark.filterwarnings("ignore:`torch.jit")
@cases
def test_forward_and_reverse_derivatives_agree(
    name: str, options: Options, architecture: str
) -> None:
    """The change of the logits along a step, by either mode: one-step studies use the forward."""
    module = network(space_of(name, options), architecture, replicas=2)
    x = images(2)
    parameters = {key: p.detach() for key, p in module.named_parameters() if p.requires_grad}
    generator = torch.Generator().manual_seed(2)
    step = {
        key: torch.randn(p.shape, generator=generator, dtype=p.dtype)
        for key, p in parameters.items()
    }

    def logits(values: dict[str, Tensor]) -> Tensor:
        seed_dropout(module, [0, 1])
        return torch.as_tensor(torch.func.functional_call(module, values, (x,)))

    change = torch.func.jvp(logits, (parameters,), (step,))[1]
    seed_dropout(module, [0, 1])
    asked = {key: p for key, p in module.named_parameters() if p.requires_grad}
    gradients = torch.autograd.grad(module(x).sum(), list(asked.values()))
    along = sum(
        float((gradient * step[key]).sum()) for key, gradient in zip(asked, gradients, strict=True)
    )
    assert float(change.sum()) == pytest.approx(along, rel=1e-8)


# --- training and sizes ------------------------------------------------------------------------


@pytest.mark.parametrize("name", names())
def test_the_base_architecture_trains(name: str) -> None:
    """Loss falls on a planted problem: stripes across against stripes down, in noise."""
    space = create(name, **SMALL[name])
    module = space.build(space.base_architecture, replicas=1, in_shape=SHAPE, classes=2)
    fill(module).train()
    generator = torch.Generator().manual_seed(0)
    y = torch.arange(64) % 2
    stripes = torch.tensor([1.0, -1.0]).repeat(4).expand(8, 8)
    x = torch.stack([stripes, stripes.T])[y, None]
    x = x + 0.3 * torch.randn(64, 1, 8, 8, generator=generator)
    trained = [parameter for parameter in module.parameters() if parameter.requires_grad]
    optimizer = torch.optim.SGD(trained, lr=0.05)
    losses = []
    for _ in range(40):
        loss = F.cross_entropy(module(x)[0], y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.6 * losses[0]


SMALL: dict[str, Options] = {
    "nasbench201": {"channels": 4, "cells": 1},
    "dag-mlp": {"width": 16},
    "dag-cnn": {"width": 16},
    "mlp": {"width": 16},
    "cnn": {"width": 16},
    "resnet": {"width": 16},
    "vit": {"width": 16, "heads": 2},
}


@pytest.mark.parametrize("name", names())
@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 28, 28), (3, 32, 32), (3, 224, 224)], ids=str)
def test_sizes_from_digits_to_photographs(name: str, shape: tuple[int, int, int]) -> None:
    tiny: Options = {"channels": 2, "cells": 1} if name == "nasbench201" else {"width": 4}
    if name == "vit" and shape[1] == 224:
        tiny["patch"] = 16
    space = create(name, **tiny)
    module = fill(space.build(space.base_architecture, 2, shape, classes=5)).eval()
    x = torch.randn(1, 2 * shape[0], *shape[1:])
    logits = module(x)
    assert logits.shape == (2, 1, 5)
    assert logits.isfinite().all()
    logits.sum().backward()


def test_deep_rungs_build() -> None:
    for name in ("mlp", "cnn", "resnet"):
        module = fill(create(name, width=2).build(f"{name}-200", 1, SHAPE))
        assert module(torch.randn(1, 1, 8, 8)).shape == (1, 1, 10)


@pytest.mark.parametrize("name", names())
def test_names_are_the_spaces_own(name: str) -> None:
    space = create(name)
    assert space.name == name
    assert space.base_architecture in space.architectures()
    assert space.topology(space.base_architecture).trainable
    assert space.published_rate > 0
    for architecture in space.architectures(sample=5, seed=1):
        assert space.parse(architecture) == architecture
        assert space.topology(architecture) is space.topology(architecture)
        assert space.canonical(space.canonical(architecture)) == space.canonical(architecture)
        graph = space.graph(architecture)
        assert graph.connected == space.topology(architecture).trainable
    assert create(name) == space
