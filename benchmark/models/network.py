"""A network that somebody brought, or an architecture of a space: what rules read of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from torch import Tensor, nn

from search_spaces.errors import InvalidInput
from search_spaces.graph import Role
from search_spaces.show.resolve import resolve
from search_spaces.space import SearchSpace, Topology
from search_spaces.traced import TracedNetwork, graph_of
from search_spaces.traced.targets import is_target, read_roles, trace_target

NetworkKind = Literal[
    "chain", "residual", "residual MLP", "transformer", "concatenation", "cell", "DAG"
]
"""Rules are compared within a kind: what was found on one says nothing of another."""


@dataclass(frozen=True, eq=False)
class Network:
    """``topology`` is what rules read; ``space`` names the space ("" for networks of none).

    ``traced`` has the table of layers and ``module`` the network itself, where there is one.
    """

    name: str
    topology: Topology
    space: str = ""
    traced: TracedNetwork | None = None
    module: nn.Module | None = None

    @property
    def kind(self) -> NetworkKind:
        """The kind of network that it is."""
        return find_kind(self.topology, self.space)

    def require_module(self) -> tuple[nn.Module, TracedNetwork]:
        """The module and its trace; raises ``InvalidInput`` where the network has none."""
        if self.module is None or self.traced is None:
            raise InvalidInput(
                f"{self.name} has no module here; make one and call read_network(module, inputs)"
            )
        return self.module, self.traced


def require_network(model: object) -> Network:
    """``model`` where it is a network that was read; raises ``InvalidInput`` for all else."""
    if isinstance(model, Network):
        return model
    told = repr(model) if isinstance(model, str) else f"a {type(model).__name__}"
    raise InvalidInput(
        f"{told} is not enough here; give what benchmark.models.read_network(module, inputs) "
        "returns, which has the graph for such inputs"
    )


def read_network(
    module: nn.Module,
    inputs: Sequence[object] | Tensor,
    *,
    name: str = "",
    roles: Mapping[str, Role] | None = None,
) -> Network:
    """Trace ``module(*inputs)``, which is neither edited nor run (``search_spaces.traced``).

    ``roles`` overrides the role of layers, by module path. Raises ``InvalidInput`` where the
    module does not export or holds an operation of no rule.
    """
    traced = graph_of(module, inputs, name=name, roles=roles)
    return Network(traced.name, traced.topology, "", traced, module)


def find_network(text: str, shape: str | None = None, roles: Sequence[str] = ()) -> Network:
    """The network that ``text`` names, for inputs of ``shape`` (``3x224x224``) where it needs one.

    ``resnet-48`` is an architecture of a space, in the space's own options; ``torchvision:NAME``,
    ``timm:NAME`` and ``package.module:factory?depth=24`` are traced, and ``roles``, written
    ``LAYER=ROLE``, override those of their layers. Raises ``InvalidInput``.
    """
    chosen = read_roles(roles)
    if is_target(text):
        traced = trace_target(text, shape, chosen)
        return Network(traced.name, traced.topology, "", traced)
    if chosen:
        raise InvalidInput(
            f"{text} is an architecture of a space, whose layers have their roles; choose roles "
            "for a traced network (torchvision:NAME, timm:NAME or package.module:factory)"
        )
    return find_architecture(*resolve(text))


def find_architecture(space: SearchSpace, architecture: str) -> Network:
    """An architecture of a space as a network; raises ``InvalidInput`` where it has no path."""
    topology = space.topology(architecture)
    if not topology.trainable:
        raise InvalidInput(f"{architecture} cannot be trained: no path joins input and output")
    return Network(architecture, topology, space.name)


def find_kind(topology: Topology, space: str = "") -> NetworkKind:
    """The kind of a network: its space's, else by what its graph holds.

    Attention makes a transformer; without a merge it is a chain; additions make residual networks,
    of convolutions or of linear layers alone; concatenations alone are a kind of their own.
    """
    if space == "nasbench201":
        return "cell"
    if space.startswith("dag-"):
        return "DAG"
    graph = topology.network
    operations = [edge.operation for edge in graph.live_edges]
    if any(operation.kind == "attention" for operation in operations):
        return "transformer"
    if max(graph.in_degrees) < 2:
        return "chain"
    if not topology.residual_blocks:
        return "concatenation"
    inner = any(o.kind == "conv" and o.role in ("body", "reduction") for o in operations)
    return "residual" if inner else "residual MLP"
