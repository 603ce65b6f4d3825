"""The sizes of one use of weights: kernel, fan-in, fan-out, channels.

``fan_in`` counts the numbers that one output number sums; ``fan_out`` is torch's, outputs times
kernel positions.
"""

from __future__ import annotations

import re

import torch
from torch import fx

from search_spaces.graph import Kind
from search_spaces.traced.propagation.signals import Weights
from search_spaces.traced.reading.nodes import operand_nodes, operation_name, shape_of

MeasuredWeights = tuple[fx.Node, Weights]


def measure_convolution(node: fx.Node) -> MeasuredWeights:
    """Convolutions of images, sequences or volumes; weight (O, I / groups, kernel...)."""
    read, weight = node.args[:2]
    assert isinstance(read, fx.Node)
    assert isinstance(weight, fx.Node)
    shape, image, out = shape_of(weight), shape_of(read)[2:], shape_of(node)[2:]
    positions = torch.Size(shape[2:]).numel()
    return weight, _weights(
        "conv",
        kernel=max(shape[2:], default=1),
        fan_in=shape[1] * positions,
        fan_out=shape[0] * positions,
        inputs=shape_of(read)[1],
        outputs=shape[0],
        shrinks=torch.Size(out).numel() < torch.Size(image).numel(),
    )


def measure_product(
    node: fx.Node, read: fx.Node, weight: fx.Node, on_left: bool
) -> MeasuredWeights:
    """A matrix product of a value and weights; ``on_left`` says that the value stands left."""
    name = operation_name(node)
    if name == "linear":
        inputs, outputs = shape_of(weight)[-1], shape_of(weight)[0]
    elif name == "einsum":
        inputs, outputs = _einsum_sizes(node, weight)
    elif on_left:
        inputs, outputs = shape_of(read)[-1], shape_of(weight)[-1]
    else:
        inputs, outputs = shape_of(weight)[-1], shape_of(weight)[-2]
    return weight, _weights(
        "linear", fan_in=inputs, fan_out=outputs, inputs=inputs, outputs=outputs
    )


def measure_embedding(node: fx.Node) -> MeasuredWeights:
    """A table of vectors: one row is read per token, so fan-in is 1."""
    weight = node.args[0]
    assert isinstance(weight, fx.Node)
    rows, width = shape_of(weight)
    return weight, _weights("linear", fan_in=1, fan_out=width, inputs=rows, outputs=width)


def _einsum_sizes(node: fx.Node, weight: fx.Node) -> tuple[int, int]:
    equation = re.sub(r"\s", "", str(node.args[0]))
    left, _, result = equation.partition("->")
    position = list(operand_nodes(node.args[1])).index(weight)
    labels = left.split(",")[position].replace("...", "")
    other = left.split(",")[1 - position]
    sizes = dict(zip(labels, shape_of(weight)[-len(labels) :], strict=True))
    summed = [size for label, size in sizes.items() if label not in result]
    made = [size for label, size in sizes.items() if label not in other]
    return torch.Size(summed).numel(), torch.Size(made).numel()


def _weights(
    kind: Kind,
    *,
    fan_in: int,
    fan_out: int,
    inputs: int,
    outputs: int,
    kernel: int = 1,
    shrinks: bool = False,
) -> Weights:
    """Sizes alone; the flow adds names and place."""
    return Weights((), kind, kernel, fan_in, fan_out, inputs, outputs, shrinks)
