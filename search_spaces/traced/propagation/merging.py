"""Rules of sums and concatenations.

Terms of one point's value, none of them pooled, are that value: a nonlinearity written out
(x + x^3), rotary positions. A value minus its mean is a norm, and no merge either.
"""

from __future__ import annotations

from dataclasses import replace

from torch import fx

from search_spaces.traced.propagation.multiplying import multiply_terms
from search_spaces.traced.propagation.signals import Signal, Value
from search_spaces.traced.propagation.values import Term, Values
from search_spaces.traced.reading.nodes import operand_nodes, operation_name


def add(values: Values, node: fx.Node) -> Value:
    """a + b, a - b, and a + w (b - a)."""
    left, right = node.args[:2]
    name = operation_name(node)
    if name == "lerp" and values.signal(node.args[2]) is not None:
        values.refuse(node, "by the input")
    terms = values.terms([left, right])
    if len(terms) == 1:
        # Python's own sum starts from a 0, which is nothing in between.
        (_, signal) = terms[0]
        return signal if 0 in (left, right) else replace(signal, direct=False)
    return add_terms(values, node, terms, centering=name in ("sub", "rsub", "subtract"))


def add_terms(values: Values, node: fx.Node, terms: list[Term], centering: bool = False) -> Signal:
    """The sum of two signals."""
    (_, first), (_, second) = terms
    pooled = not centering and (first.pooled or second.pooled)
    if first.point == second.point and not pooled:
        return first.beside(second)
    return values.joined("add", node, terms)


def add_product(values: Values, node: fx.Node) -> Value:
    """a + w b c and a + w b / c."""
    added, factors = values.terms(node.args[:1]), values.terms(node.args[1:3])
    if not factors:
        return replace(added[0][1], direct=False)
    product = multiply_terms(values, node, factors) if len(factors) == 2 else factors[0][1]
    if not added:
        return replace(product, direct=False)
    return add_terms(values, node, [*added, (factors[0][0], product)])


def concatenate(values: Values, node: fx.Node) -> Value:
    """Values side by side; pieces of one value count once."""
    pieces = list(operand_nodes(node.args[0]))
    found: dict[tuple[int, bool], Term] = {}
    for piece, signal in values.terms(pieces):
        key = signal.point, signal.pooled
        found[key] = (piece, found[key][1].beside(signal) if key in found else signal)
    if len(found) == 1:
        ((_, signal),) = found.values()
        return signal if len(pieces) == 1 else replace(signal, direct=False)
    return values.joined("cat", node, list(found.values()))
