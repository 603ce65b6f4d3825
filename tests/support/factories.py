"""Factories of plain torch modules for tests: nothing in them knows of this project."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class Transformer(nn.Module):
    """Post-norm transformer blocks over the rows of an image, with positions and dropout."""

    def __init__(self, depth: int, width: int, classes: int, in_shape: tuple[int, int, int]):
        super().__init__()
        channels, height, columns = in_shape
        self.embed = nn.Linear(channels * columns, width)
        self.positions = nn.Parameter(0.1 * torch.randn(1, height, width))
        self.blocks = nn.ModuleList(
            nn.TransformerEncoderLayer(width, 2, 2 * width, dropout=0.2, batch_first=True)
            for _ in range(depth)
        )
        self.head = nn.Linear(width, classes)

    def forward(self, x: Tensor) -> Tensor:
        x = self.embed(x.transpose(1, 2).flatten(2)) + self.positions
        for block in self.blocks:
            x = block(x)
        scores: Tensor = self.head(x.mean(1))
        return scores


class BareBranch(nn.Module):
    """A block whose branch is the sum of two layers: no module's output alone."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(width, width))

    def forward(self, x: Tensor) -> Tensor:
        return x + torch.relu(x) @ self.weight


def build_transformer(
    depth: int, width: int, classes: int, in_shape: tuple[int, int, int]
) -> nn.Module:
    return Transformer(depth, width, classes, in_shape)


def build_bare_branches(
    depth: int, width: int, classes: int, in_shape: tuple[int, int, int]
) -> nn.Module:
    inputs = in_shape[0] * in_shape[1] * in_shape[2]
    blocks = [BareBranch(width) for _ in range(depth)]
    return nn.Sequential(nn.Flatten(), nn.Linear(inputs, width), *blocks, nn.Linear(width, classes))


def build_seven_classes(depth: int, width: int, classes: int, in_shape: object) -> nn.Module:
    """Whatever it is asked for."""
    return nn.Sequential(nn.Flatten(), nn.Linear(64, width), nn.ReLU(), nn.Linear(width, 7))


def build_nothing(depth: int, **_: object) -> int:
    return depth


def build_still_transformer(
    depth: int, width: int, classes: int, in_shape: tuple[int, int, int]
) -> nn.Module:
    """Without dropout: every run draws the same."""
    module = Transformer(depth, width, classes, in_shape)
    for layer in module.modules():
        if isinstance(layer, nn.Dropout):
            layer.p = 0.0
        elif isinstance(layer, nn.MultiheadAttention):
            layer.dropout = 0.0
    return module


class Awkward(nn.Module):
    """Tied weights, a module that is called twice, a buffer that is replaced, one that no file
    keeps, dropout without a module, and a bias that belongs to no weight."""

    seen: Tensor
    shift: Tensor

    def __init__(self, depth: int, width: int, classes: int, inputs: int, drop: float) -> None:
        super().__init__()
        self.drop, self.depth = drop, depth
        self.first = nn.Linear(inputs, width)
        self.body = nn.Linear(width, width)
        self.tied = nn.Linear(width, width, bias=False)
        self.tied.weight = self.body.weight
        self.out_weight = nn.Parameter(torch.randn(classes, width))
        self.out_bias = nn.Parameter(torch.randn(classes))
        self.body.second_bias = nn.Parameter(torch.randn(width))
        self.register_buffer("seen", torch.zeros(width))
        self.register_buffer("shift", torch.full((width,), 0.1), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        x = self.first(x.flatten(1)) + self.shift
        for _ in range(self.depth):
            x = torch.relu(self.tied(torch.relu(self.body(x) + self.body.second_bias)))
        if self.training:
            self.seen = 0.9 * self.seen + 0.1 * x.detach().mean(0)
        x = F.dropout(x - self.seen, self.drop, self.training)
        return F.linear(x, self.out_weight, self.out_bias)


def build_awkward(
    depth: int, width: int, classes: int, in_shape: tuple[int, int, int], drop: float = 0.2
) -> nn.Module:
    inputs = in_shape[0] * in_shape[1] * in_shape[2]
    return Awkward(depth, width, classes, inputs, drop)


def build_still_awkward(
    depth: int, width: int, classes: int, in_shape: tuple[int, int, int]
) -> nn.Module:
    return build_awkward(depth, width, classes, in_shape, drop=0.0)
