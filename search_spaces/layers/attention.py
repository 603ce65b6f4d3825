"""Self-attention over replicas."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from search_spaces.errors import InvalidInput
from search_spaces.layers.nodes import Node
from search_spaces.layers.weighted import Linear


class Attention(nn.Module):
    """Multi-head self-attention of x_RBTC; the output projection is the branch's last layer.

    Queries, keys and values are node ``number`` of the graph.
    """

    def __init__(self, replicas: int, channels: int, heads: int, number: int) -> None:
        super().__init__()
        if channels % heads:
            raise InvalidInput(f"width {channels} is not a multiple of heads {heads}; change one")
        self.heads = heads
        self.qkv = Linear(replicas, channels, 3 * channels)
        self.node = Node(number, replica_axis=0)
        self.projection = Linear(replicas, channels, channels)

    def forward(self, x_RBTC: Tensor) -> Tensor:
        """Attend within every image of every replica."""
        R, B, T, C = x_RBTC.shape
        qkv_RNC = self.node(self.qkv(x_RBTC.reshape(R, B * T, C)))
        qkv = qkv_RNC.view(R * B, T, 3, self.heads, C // self.heads)
        query, key, value = qkv.permute(2, 0, 3, 1, 4)
        # Written out: the fused kernel has no forward-mode derivative, which one-step studies use.
        scores = query @ key.transpose(-2, -1) / query.shape[-1] ** 0.5
        y = scores.softmax(-1) @ value
        y_RNC = y.transpose(1, 2).reshape(R, B * T, C)
        return torch.as_tensor(self.projection(y_RNC)).view(R, B, T, C)
