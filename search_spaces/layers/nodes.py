"""The nodes of the graph within a network, and the two layouts of what they hold."""

from __future__ import annotations

from torch import Tensor, nn


class Node(nn.Identity):
    """Marks a node of the graph: the pre-activation z_l whose one-step change a study measures.

    ``replica_axis`` says where R stands: 0 in x_RBC, 1 in x_BKHW (folded with the channels).
    """

    def __init__(self, number: int, replica_axis: int = 1) -> None:
        super().__init__()
        self.number, self.replica_axis = number, replica_axis


def unfold_replicas(x_BK: Tensor, replicas: int) -> Tensor:
    """x_BK -> x_RBC, from the images' layout to the vectors'."""
    return x_BK.view(x_BK.shape[0], replicas, -1).transpose(0, 1)
