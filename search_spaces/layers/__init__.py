"""Layers with a leading replica axis: R copies of one network trained as one module.

Shape suffixes: R replicas, B batch, C channels, H height, W width, T tokens, I inputs, O outputs,
K = R x C (replicas and channels folded into one axis, replica-major).

Images travel as x_BKHW, so that a grouped convolution with R groups, batch norm over K channels
and pooling are single calls; vectors travel as x_RBC, so that a linear layer is one batched matrix
product. Replicas never mix: a NaN in one leaves the others bitwise unchanged.

Parameters keep R as their first axis. They are created as zeros (ones for norms' scales):
``benchmark.training.weights.initialization`` fills them from each replica's own random stream, so
that a replica's numbers do not depend on who trains beside it.
"""

from search_spaces.layers.attention import Attention
from search_spaces.layers.dropout import Dropout
from search_spaces.layers.nodes import Node, unfold_replicas
from search_spaces.layers.scales import BranchScale, ReplicaScale, SkipScale
from search_spaces.layers.weighted import Conv1d, Conv2d, Linear, Weighted

__all__ = [
    "Attention",
    "BranchScale",
    "Conv1d",
    "Conv2d",
    "Dropout",
    "Linear",
    "Node",
    "ReplicaScale",
    "SkipScale",
    "Weighted",
    "unfold_replicas",
]
