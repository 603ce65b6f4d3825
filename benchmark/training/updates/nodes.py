"""Reading the nodes of a network: the pre-activations that the theory speaks of.

Shape suffixes: R replicas, N everything else.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from torch import Tensor, nn

from search_spaces.layers import Node


@contextmanager
def record_nodes(module: nn.Module) -> Iterator[list[tuple[Node, Tensor]]]:
    """A list that forward passes fill with nodes and their values, in order.

    The last one holds the logits.
    """
    seen: list[tuple[Node, Tensor]] = []

    def keep(node: nn.Module, _inputs: tuple[Tensor, ...], z: Tensor) -> None:
        assert isinstance(node, Node)
        seen.append((node, z))

    nodes = [node for node in module.modules() if isinstance(node, Node)]
    handles = [node.register_forward_hook(keep) for node in nodes]
    try:
        yield seen
    finally:
        for handle in handles:
            handle.remove()


def flatten_node(node: Node, z: Tensor, replicas: int) -> Tensor:
    """A node's value as z_RN, whichever layout it has."""
    if node.replica_axis == 0:
        return z.flatten(1)
    return z.reshape(len(z), replicas, -1).transpose(0, 1).flatten(1)
