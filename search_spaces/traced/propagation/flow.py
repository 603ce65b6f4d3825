"""How signals run through an exported program: one pass over its operations.

A merge is an addition or concatenation of values that *all* depend on the network's input, and
dependence stops at operations that read shapes alone. Each family of operations has its rule in a
file of its own; an operation of no family is refused by name.
"""

from __future__ import annotations

import operator
from collections.abc import Callable

from torch import fx, nn

from search_spaces.errors import InvalidInput
from search_spaces.traced.propagation.keeping import activate, choose, keep, pool, write
from search_spaces.traced.propagation.merging import add, add_product, concatenate
from search_spaces.traced.propagation.multiplying import attend, multiply
from search_spaces.traced.propagation.signals import Points, Signal, Value
from search_spaces.traced.propagation.values import NOTHING, Values
from search_spaces.traced.propagation.weighing import convolve, embed, multiply_matrices, note_idle
from search_spaces.traced.reading import operations as ops
from search_spaces.traced.reading.nodes import is_floating, operand_nodes, operation_name, place_of
from search_spaces.traced.reading.program import Program

_INLINED = ("wrap_with_set_grad_enabled", "wrap_with_autocast")

_RULES: tuple[tuple[frozenset[str], Callable[[Values, fx.Node], Value]], ...] = (
    (ops.FREE | ops.NORMALIZATIONS, keep),
    (ops.POOLS, pool),
    (ops.NONLINEARITIES, activate),
    (ops.ADDITIONS, add),
    (ops.ADDITIONS_OF_PRODUCTS, add_product),
    (ops.CONCATENATIONS, concatenate),
    (ops.MULTIPLICATIONS, multiply),
    (ops.ATTENTION, attend),
    (ops.CONVOLUTIONS, convolve),
    (ops.MATRIX_PRODUCTS | ops.ADDED_PRODUCTS, multiply_matrices),
    (ops.CHOICES, choose),
    (ops.WRITES, write),
)


class Flow:
    """Runs a program's operations on signals."""

    def __init__(self, program: Program, module: nn.Module):
        self.values = Values(program, module)
        self._program = program
        self._parts: dict[fx.Node, list[fx.Node]] = {}

    @property
    def points(self) -> Points:
        """The graph that came of it."""
        return self.values.points

    def run(self) -> int:
        """The output's point; raises ``InvalidInput`` for what has no rule."""
        output = self._run(self._program.graph_module)
        if self.values.refused:
            listed = ", ".join(f"{name} ({at})" for name, at in self.values.refused.items())
            raise InvalidInput(f"tracing has no rule for {listed}; the depth would be a guess")
        for node in output:
            signal = self.values.signal(node)
            if signal is not None:
                return self.points.find(self.values.settled(signal).point)
        raise InvalidInput("the output does not depend on the input, so there is no path to count")

    def _run(self, graph_module: fx.GraphModule) -> list[fx.Node]:
        """Read every operation; the output's nodes, those without a value left out."""
        output: list[fx.Node] = []
        for node in graph_module.graph.nodes:
            if node.op == "placeholder":
                self.values.start(node)
            elif node.op == "get_attr":
                self.values.set(node, NOTHING)
            elif node.op == "call_function":
                self._call(node, graph_module)
            elif node.op == "output":
                output = list(operand_nodes(node.args))
        return output

    def _call(self, node: fx.Node, graph_module: fx.GraphModule) -> None:
        source = node.args[0] if node.args else None
        if node.target is operator.getitem and isinstance(source, fx.Node):
            index = node.args[1]
            parts = self._parts.get(source)
            self.values.alias(node, parts[index] if parts and isinstance(index, int) else source)
        elif operation_name(node) in _INLINED:
            self._inline(node, graph_module)
        else:
            self.values.set(node, self._result(node))

    def _inline(self, node: fx.Node, graph_module: fx.GraphModule) -> None:
        """Code under ``no_grad`` or ``autocast``: the same operations, in a graph of their own."""
        nodes = [argument for argument in node.args if isinstance(argument, fx.Node)]
        at = next(i for i, argument in enumerate(nodes) if argument.op == "get_attr")
        inner = graph_module.get_submodule(str(nodes[at].target))
        assert isinstance(inner, fx.GraphModule)
        placeholders = [n for n in inner.graph.nodes if n.op == "placeholder"]
        for placeholder, argument in zip(placeholders, nodes[at + 1 :], strict=True):
            self.values.alias(placeholder, argument)
        self._parts[node] = self._run(inner)
        self.values.set(node, NOTHING)

    def _result(self, node: fx.Node) -> Value:
        operands = [self.values.value(n) for n in operand_nodes([node.args, node.kwargs])]
        signals = [value for value in operands if isinstance(value, Signal)]
        names = NOTHING.union(*(value for value in operands if not isinstance(value, Signal)))
        self.values.read |= names
        name = operation_name(node)
        if not signals:
            note_idle(self.values, node)
            behind = operand_nodes([node.args, node.kwargs])
            if name not in ops.REARRANGING or any(map(self.values.is_computed, behind)):
                self.values.computed.add(node)
            return names
        if name in ops.RECURRENT:
            raise InvalidInput(
                f"{place_of(node)} is a recurrent layer ({name}), whose depth grows with the "
                "sequence; tracing counts feed-forward networks"
            )
        if all(signal.integer for signal in signals):
            if name in ops.EMBEDDINGS:
                return embed(self.values, node, signals[0])
            numbers = name in ops.FREE | ops.ADDITIONS | {"clamp"}
            return signals[0] if numbers and not is_floating(node) else NOTHING
        if name in ops.SHAPE_ONLY or not is_floating(node):
            return NOTHING
        for family, rule in _RULES:
            if name in family:
                return rule(self.values, node)
        self.values.refuse(node)
        return next(signal for signal in signals if not signal.integer)
