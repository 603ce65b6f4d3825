"""Rules of the operations that multiply by trained weights: each makes a new point."""

from __future__ import annotations

from dataclasses import replace

from torch import fx

from search_spaces.traced.propagation.measure import (
    MeasuredWeights,
    measure_convolution,
    measure_embedding,
    measure_product,
)
from search_spaces.traced.propagation.merging import add_terms
from search_spaces.traced.propagation.multiplying import multiply_terms
from search_spaces.traced.propagation.signals import Signal, Value, Weights
from search_spaces.traced.propagation.values import Values
from search_spaces.traced.reading import operations as ops
from search_spaces.traced.reading.nodes import module_stack, operand_nodes, operation_name, place_of


def convolve(values: Values, node: fx.Node) -> Value:
    """A convolution by weights, or by a fixed filter."""
    signal = values.signal(node.args[0])
    if signal is None or values.signal(node.args[1]) is not None:
        values.refuse(node, "with a filter made from the input")
        return values.value(node.args[0])
    if operation_name(node).endswith("convolution") and node.args[6] is True:
        values.refuse(node, "transposed")
    return weigh(values, node, signal, measure_convolution(node))


def embed(values: Values, node: fx.Node, signal: Signal) -> Value:
    """A row of a table per token."""
    return weigh(values, node, signal, measure_embedding(node))


def multiply_matrices(values: Values, node: fx.Node) -> Value:
    """Matrix products by weights or of two values, with or without a term added."""
    name = operation_name(node)
    added, factors = [], list(operand_nodes(list(node.args[:2])))
    if name in ops.ADDED_PRODUCTS:
        added, factors = values.terms(node.args[:1]), list(operand_nodes(list(node.args[1:3])))
    if len(factors) != 2:
        values.refuse(node, "of other than two values")
        return values.value(factors[0])
    signals = values.terms(factors)
    if not signals:
        return replace(added[0][1], direct=False)
    if len(signals) == 2:
        result = multiply_terms(values, node, signals)
        if name not in ops.ADDED_PRODUCTS:
            values.points.points[values.points.find(result.point)].attention = True
    else:
        read, signal = signals[0]
        assert read is not None
        on_left = read is factors[0]
        measured = measure_product(node, read, factors[1 if on_left else 0], on_left)
        result = weigh(values, node, signal, measured)
    return add_terms(values, node, [*added, (None, result)]) if added else result


def weigh(values: Values, node: fx.Node, signal: Signal, measured: MeasuredWeights) -> Signal:
    """A new point where the weights are trained; fixed ones only mix positions."""
    weight, sizes = measured
    names = values.value(weight)
    if isinstance(names, Signal) or not names:
        return replace(signal, pooled=True, direct=False)
    sizes = replace(sizes, computed=values.is_computed(weight))
    return Signal(values.points.weigh(values.settled(signal), _placed(values, node, sizes, names)))


def note_idle(values: Values, node: fx.Node) -> None:
    """Weights that read no input (position networks) are in the table all the same."""
    name = operation_name(node)
    if name not in ops.CONVOLUTIONS and name != "linear":
        return
    read, weight = node.args[:2]
    names = values.value(weight)
    if isinstance(read, fx.Node) and isinstance(weight, fx.Node) and not isinstance(names, Signal):
        measured = measure_product(node, read, weight, True)
        if name != "linear":
            measured = measure_convolution(node)
        if names:
            sizes = replace(measured[1], computed=values.is_computed(weight))
            values.points.idle.append(_placed(values, node, sizes, names))


def _placed(values: Values, node: fx.Node, sizes: Weights, names: frozenset[str]) -> Weights:
    return replace(
        sizes,
        parameters=tuple(sorted(names)),
        place=place_of(node),
        classes=tuple(kind.rpartition(".")[2] for _, kind in module_stack(node)),
        order=len(values.points.points) + len(values.points.idle),
    )
