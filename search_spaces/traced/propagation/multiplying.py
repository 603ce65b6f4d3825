"""Rules of products of two values that both depend on the input.

Both are one point's value (x sigmoid(x), a norm written out), or projections of one value, which
then act as one edge (queries, keys and values; gated linear units); or one of them is bounded and
gates the other, along which alone paths run (squeeze-and-excitation; attention whose values come
from elsewhere than its scores). All others are refused.
"""

from __future__ import annotations

from dataclasses import replace

from torch import fx

from search_spaces.traced.propagation.signals import Signal, Value
from search_spaces.traced.propagation.values import NOTHING, Term, Values
from search_spaces.traced.reading import operations as ops
from search_spaces.traced.reading.nodes import numel_of, operation_name, place_of


def multiply(values: Values, node: fx.Node) -> Value:
    """a b and a / b, number by number."""
    factors = values.terms(node.args[:2])
    if len(factors) == 1:
        zero = any(x == 0 for x in node.args[:2] if not isinstance(x, fx.Node))
        return NOTHING if zero else replace(factors[0][1], direct=False)
    return multiply_terms(values, node, factors)


def multiply_terms(values: Values, node: fx.Node, factors: list[Term]) -> Signal:
    """The product of two signals, of numbers or of matrices."""
    (left, first), (right, second) = factors
    points = values.points
    if points.fuse(first.point, second.point):
        point = points.find(first.point)
        both = replace(first, point=point).beside(replace(second, point=point))
        sizes = [numel_of(x) for x in (left, right) if x is not None]
        if operation_name(node) in ops.MULTIPLICATIONS and len(set(sizes)) == 2:
            carried = first if sizes[0] > sizes[1] else second  # a norm, written out
            return replace(both, activated=carried.activated, bounded=False)
        return replace(both, activated=True)
    if first.bounded != second.bounded:
        carried, gate = (second, first) if first.bounded else (first, second)
        points.gates.add(gate.point)
        return replace(carried, direct=False)
    values.settled(first)
    values.settled(second)
    points.gates |= {first.point, second.point}
    name = f"{operation_name(node)} at {place_of(node)}"
    return Signal(first.point, activated=True, direct=False, product=name)


def attend(values: Values, node: fx.Node) -> Value:
    """Attention: along the values, which queries and keys only weigh, or all three as one edge."""
    query, key, value = (values.signal(argument) for argument in node.args[:3])
    carried = value or key or query
    if carried is None:
        values.refuse(node, "by its mask")
        return NOTHING
    for other in (query, key):
        if other is not None and not values.points.fuse(other.point, carried.point):
            values.points.gates.add(other.point)
    point = values.points.find(carried.point)
    values.points.points[point].attention = True
    return replace(carried, point=point, activated=True, direct=False)
