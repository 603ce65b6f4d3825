"""An example of a factory: residual blocks of plain torch layers, with nothing of this package.

``depth`` counts blocks; the first convolution and the classifier stand outside.
"""

from __future__ import annotations

from torch import Tensor, nn


class ResidualBlock(nn.Module):
    """z -> z + norm(conv(relu(z))); the norm's output is the whole branch."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.activation = nn.ReLU()
        self.conv = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(width)

    def forward(self, x: Tensor) -> Tensor:
        """The sum of the input and the branch."""
        branch: Tensor = self.norm(self.conv(self.activation(x)))
        return x + branch


def build_residual(
    depth: int, width: int, classes: int, in_shape: tuple[int, int, int]
) -> nn.Module:
    """Images (B, *in_shape) to class scores (B, classes)."""
    return nn.Sequential(
        nn.Conv2d(in_shape[0], width, 3, padding=1),
        *(ResidualBlock(width) for _ in range(depth)),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(width, classes),
    )
