"""Rules of the operations that leave a value at its point: free, pooling, nonlinear ones."""

from __future__ import annotations

from dataclasses import replace

from torch import fx

from search_spaces.traced.propagation.signals import Signal, Value
from search_spaces.traced.propagation.values import NOTHING, Values
from search_spaces.traced.reading import operations as ops
from search_spaces.traced.reading.nodes import find_aliasing, operation_name

_SHAPED_LIKE = ("expand_as", "view_as", "type_as", "reshape_as")


def keep(values: Values, node: fx.Node) -> Value:
    """A free operation or normalization: the first argument's signal."""
    name = operation_name(node)
    signal = values.signal(node.args[0])
    if signal is None:
        first = values.value(node.args[0])
        if name not in _SHAPED_LIKE:
            values.refuse(node, "by the input")
        return NOTHING if isinstance(first, Signal) else first
    if values.terms(node.args[1:]) and name not in _SHAPED_LIKE:
        values.refuse(node, "by the input")
    if name == "alias" and values.marks_node(node):
        return values.points.mark(values.settled(signal))
    is_view, _ = find_aliasing(node)
    return signal if is_view else replace(signal, direct=False)


def pool(values: Values, node: fx.Node) -> Value:
    """A mix of positions; the sum of a stack is the sum of what was stacked."""
    signal = values.signal(node.args[0])
    if signal is None:
        return keep(values, node)
    point, stacked = values.points.points[signal.point], node.args[0]
    if (
        operation_name(node) in ("sum", "mean")
        and isinstance(stacked, fx.Node)
        and operation_name(stacked) == "stack"
        and point.merge == "cat"
        and _axes(node.args[1:2]) == _axes(stacked.args[1:2] or (0,))
    ):
        point.merge = "add"
        return replace(signal, direct=operation_name(node) == "sum")
    return replace(signal, pooled=True, direct=False)


def _axes(arguments: object) -> list[object]:
    """Axes of an argument that may be a number or a list of one."""
    (first,) = arguments if isinstance(arguments, tuple) and arguments else (None,)
    return list(first) if isinstance(first, (list, tuple)) else [first]


def activate(values: Values, node: fx.Node) -> Value:
    """A nonlinearity; one of bounded range settles a product that is to gate another value."""
    signal = values.signal(node.args[0])
    if signal is None:
        return keep(values, node)
    name = operation_name(node)
    bounded = name in ops.BOUNDED or (
        name == "clamp" and len(node.args) > 2 and None not in node.args[1:3]
    )
    return replace(
        signal,
        activated=True,
        bounded=bounded,
        direct=False,
        product="" if bounded else signal.product,
    )


def choose(values: Values, node: fx.Node) -> Value:
    """The larger of two numbers, or one of two by a mask: of one value alone."""
    terms = [signal for _, signal in values.terms(node.args)]
    if len({signal.point for signal in terms}) > 1:
        values.refuse(node, "of two values")
    masks = operation_name(node) == "where"
    result = terms[0] if len(terms) == 1 else terms[0].beside(terms[1])
    return replace(result, activated=result.activated or not masks, direct=False)


def write(values: Values, node: fx.Node) -> Value:
    """Numbers put into a value, or into a part of it."""
    name = operation_name(node)
    new = values.value(node.args[2] if "index_put" in name else node.args[1])
    return new if name == "copy" else values.combined(values.value(node.args[0]), new)
