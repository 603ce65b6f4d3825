"""The network is its graph: weighted layers, additions and in-degrees, by tracing the module."""

from collections.abc import Iterator

import torch
from support.networks import Options, cases, images, network, space_of
from torch import Tensor, nn

from search_spaces.layers import BranchScale, Node, Weighted


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
