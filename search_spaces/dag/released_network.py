"""The five-node networks of arXiv 2402.17440's released code, which differ from the paper's."""

from __future__ import annotations

from torch import nn

from search_spaces.dag.network import DagNetwork
from search_spaces.layers import Dropout, Weighted
from search_spaces.layers.norms import build_activation


class ReleasedDagNetwork(DagNetwork):
    """x_BKHW -> logits_RBC along ``graph``, the network's graph with its stem and head.

    Activations stand after the stem and after every weighted edge, so that skips carry activated
    values, and none before the readout; all weighted layers have biases (models/mlp_dags.py and
    models/cnn_dags.py). ``degrees`` are to count dead edges.

    Edges on no input-output path are not built. In the code such an edge from a node that nothing
    reaches gives phi(b): nothing under ReLU, which never trains it, but a trained bias under GELU.
    """

    def build_weight(self, inputs: int, bias: bool = True) -> Weighted:
        """Weights from so many inputs to a node's width."""
        return super().build_weight(inputs, bias)

    def build_stem(self, inputs: int) -> list[nn.Module]:
        """What stands before the first node."""
        return [*super().build_stem(inputs), build_activation(self.options.activation)]

    def build_edge(self, weight: Weighted) -> list[nn.Module]:
        """What a weighted edge does; dropout is this suite's own."""
        activation = build_activation(self.options.activation)
        dropout = Dropout(self.replicas, self.options.dropout, self.axis)
        return [weight, self.build_norm(), activation, dropout]

    def build_last_activation(self) -> nn.Module:
        """None stands before the readout."""
        return nn.Identity()
